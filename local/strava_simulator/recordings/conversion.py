"""Converts recorded HTTP answers to the layout that `recordings.load_directory` reads.

The recordings come from public repositories; each is named after its repository.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class RecordingsBroken(Exception):
    """Recordings are missing or unreadable; the message names each with its reason."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The files of an activity's recorded detail and streams; None for streams that Strava does not have."""

    name: str
    detail: str
    streams: str | None


_RUBY = "dblock-strava-ruby-client"

RECORDINGS = (
    Recording("sweatpy-ride-2020", "sweatpy/activity.json", "sweatpy/activity_streams_array.json"),
    Recording("strava-go-ride-2010", "strava-go.strava/activity_get.json", "strava-go.strava/activity_stream.json"),
    Recording("ruby-marathon-2018", f"{_RUBY}/client/activity.json", f"{_RUBY}/client/activity_streams.json"),
    Recording("ruby-manual-swim-2018", f"{_RUBY}/models/detailed_activities/swim.json", None),
    Recording("ruby-manual-run-2025", f"{_RUBY}/client/create_activity.json", None),
    Recording("stravalib-manual-hike-2013", "stravalib/activity-manual.3.json", None),
)


def convert(source: Path, destination: Path) -> list[str]:
    """Write every recording under `source` as a directory of `destination`; returns their names.

    Effects: creates `destination`; directories of the same names are overwritten, so repeating it is safe.
    Errors: `RecordingsBroken` naming the recordings that are missing or unreadable, before anything is written.
    """
    converted: dict[str, tuple[Any, Any]] = {}
    broken: list[str] = []
    for recording in RECORDINGS:
        try:
            streams = keyed(_body(source / recording.streams)) if recording.streams else None
            converted[recording.name] = (_body(source / recording.detail), streams)
        except (OSError, ValueError) as err:
            broken.append(f"{recording.name}: {err}")
    if broken:
        raise RecordingsBroken(f"{source}: these recordings cannot be read:\n" + "\n".join(broken))
    for name, (detail, streams) in converted.items():
        _write(destination / name, detail, streams)
    return list(converted)


def keyed(streams: Any) -> dict[str, Any]:
    """Streams keyed by type, from that form or from the array form. Errors: `ValueError` for any other."""
    if isinstance(streams, Mapping):
        return dict(streams)
    if not isinstance(streams, list) or not all(isinstance(stream, Mapping) and "type" in stream for stream in streams):
        raise ValueError("the streams are neither keyed nor an array of objects with a type")
    return {stream["type"]: {key: value for key, value in stream.items() if key != "type"} for stream in streams}


def _body(path: Path) -> Any:
    recorded = json.loads(path.read_bytes())
    if isinstance(recorded, Mapping) and "response" in recorded:
        return recorded["response"]["body"]
    return recorded


def _write(directory: Path, detail: Any, streams: Any) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in (("activity.json", detail), ("streams.json", streams)):
        (directory / name).write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
