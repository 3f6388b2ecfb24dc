"""Converts uploaded files to streams as Strava does: GPX and TCX, plain or compressed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from local.strava_simulator.files.gpx import read_gpx
from local.strava_simulator.files.tcx import read_tcx
from local.strava_simulator.files.track import FileRejected, Point, malformed
from local.strava_simulator.recordings.motion import distance_along, moving_flags, moving_s, rising, velocities_mps

__all__ = ["MAX_BYTES", "MAX_UNPACKED_BYTES", "FileRejected", "ParsedFile", "read_file"]

MAX_BYTES = 25 * 1024 * 1024
MAX_UNPACKED_BYTES = 100 * 1024 * 1024

_READERS = {"gpx": read_gpx, "tcx": read_tcx}


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The data that Strava takes from a file.

    Shape: `streams` as in `SimulatedActivity`: always `time` and `moving`, others where the file has them at any point,
    None at the points that lack them. `distance` is computed from the positions where the file gives none,
    `velocity_smooth` from the distance.
    """

    streams: Mapping[str, Mapping[str, Any]] = field(repr=False)
    start_at: datetime
    """UTC, whole seconds."""
    sport: str | None
    """The detected sport type; None for GPX, for which Strava documents no detection."""
    name: str | None
    distance_m: float
    elapsed_s: int
    moving_s: int


def read_file(content: bytes, data_type: str) -> ParsedFile:
    """The activity in an uploaded file of type gpx, gpx.gz, tcx or tcx.gz, in any case.

    Errors: `FileRejected` with the text for the upload's `error`: another type, more than 25 MB (100 MB unpacked),
    malformed content, missing times, times that do not increase.
    """
    format_name, _, packing = data_type.lower().partition(".")
    if format_name not in _READERS or packing not in ("", "gz"):
        raise FileRejected(f"Unrecognized file type {data_type!r}: use gpx, gpx.gz, tcx or tcx.gz.")
    if not content:
        raise FileRejected("The file is empty.")
    if len(content) > MAX_BYTES:
        raise FileRejected("The file is larger than 25 MB.")
    track = _READERS[format_name](_unpack(content) if packing else content)
    _check_times(track.points)
    return _parsed(_one_per_second(track.points), track.sport, track.name)


def _unpack(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(MAX_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as err:
        raise malformed(f"it is not a gzip file: {err}") from err
    if len(unpacked) > MAX_UNPACKED_BYTES:
        raise FileRejected("The file is larger than 100 MB when unpacked.")
    return unpacked


def _check_times(points: Sequence[Point]) -> None:
    for number, (before, after) in enumerate(pairwise(points), start=2):
        if after.at <= before.at:
            raise malformed(f"times do not increase at point {number}: {before.at.isoformat()}, {after.at.isoformat()}")


def _one_per_second(points: Sequence[Point]) -> list[tuple[int, Point]]:
    """The first point of each second, with its seconds since the start."""
    start_at = points[0].at.replace(microsecond=0)
    kept: dict[int, Point] = {}
    for point in points:
        kept.setdefault(int((point.at - start_at).total_seconds()), point)
    return list(kept.items())


def _parsed(timed: Sequence[tuple[int, Point]], sport: str | None, name: str | None) -> ParsedFile:
    time = [second for second, _ in timed]
    points = [point for _, point in timed]
    distances = _distances(points)
    moving = moving_flags(time, distances) if distances else [False] + [True] * (len(time) - 1)
    channels = {
        "time": time,
        "distance": _given_or(distances, [point.distance_m for point in points], 1),
        "latlng": [point.latlng and [round(degrees, 6) for degrees in point.latlng] for point in points],
        "altitude": _rounded([point.altitude_m for point in points], 1),
        "velocity_smooth": _velocities(time, distances, points),
        "heartrate": _rounded([point.heartrate for point in points]),
        "cadence": _rounded([point.cadence for point in points]),
        "watts": _rounded([point.watts for point in points]),
        "temp": _rounded([point.temp for point in points]),
        "moving": moving,
    }
    return ParsedFile(
        streams={kind: _stream(samples) for kind, samples in channels.items() if _any_known(samples)},
        start_at=points[0].at.replace(microsecond=0),
        sport=sport,
        name=name,
        distance_m=round(distances[-1], 1) if distances else 0.0,
        elapsed_s=time[-1],
        moving_s=moving_s(time, moving),
    )


def _distances(points: Sequence[Point]) -> list[float]:
    """The distance at each point in metres, without gaps; empty if the file has neither distances nor positions."""
    given = [point.distance_m for point in points]
    if _any_known(given):
        return rising(given)
    positions = [point.latlng for point in points]
    return distance_along(positions) if _any_known(positions) else []


def _given_or(distances: Sequence[float], given: Sequence[float | None], digits: int) -> list[Any]:
    """The distances, None where the file has distances but not this one."""
    complete = not _any_known(given)
    return [
        round(distance_m, digits) if complete or raw is not None else None
        for distance_m, raw in zip(distances, given, strict=False)
    ]


def _velocities(time: Sequence[int], distances: Sequence[float], points: Sequence[Point]) -> list[Any]:
    given = [point.speed_mps for point in points]
    if _any_known(given) or not distances:
        return _rounded(given, 3)
    return _rounded(velocities_mps(time, distances), 3)


def _rounded(samples: Sequence[float | None], digits: int | None = None) -> list[Any]:
    return [None if sample is None else round(sample, digits) for sample in samples]


def _any_known(samples: Sequence[Any]) -> bool:
    return any(sample is not None for sample in samples)


def _stream(samples: Sequence[Any]) -> dict[str, Any]:
    return {"data": samples, "series_type": "distance", "original_size": len(samples), "resolution": "high"}
