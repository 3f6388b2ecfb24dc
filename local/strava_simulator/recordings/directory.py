"""A directory of recorded activities, and the command that creates one from recorded HTTP answers.

Layout: `<directory>/<name>/activity.json` is a detailed activity as Strava answers it, `<name>/streams.json` its
streams keyed by type, or `null` where Strava has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from local.strava_simulator.recordings.completion import complete, start_at
from local.strava_simulator.recordings.conversion import RecordingsBroken, convert
from local.strava_simulator.world.activity import SimulatedActivity

__all__ = ["RecordingsBroken", "load_directory"]


def load_directory(path: Path, *, athlete_id: int) -> list[SimulatedActivity]:
    """The activities under `path` as activities of that athlete, by start date.

    Shape: fields that an old recording lacks are completed; existing fields stay, except the athlete. Files beside the
    directories, and hidden directories, are ignored.

    Errors: `RecordingsBroken` naming every directory that cannot be read, and why; nothing is loaded then.
    """
    if not path.is_dir():
        raise RecordingsBroken(f"{path} is not a directory: give one with <name>/activity.json and <name>/streams.json")
    activities: list[SimulatedActivity] = []
    broken: list[str] = []
    seen: dict[int, str] = {}
    for directory in sorted(child for child in path.iterdir() if child.is_dir() and not child.name.startswith(".")):
        try:
            activity = _load(directory, athlete_id)
        except (OSError, ValueError, TypeError, OverflowError) as err:
            broken.append(f"{directory.name}: {err}")
            continue
        if activity.activity_id in seen:
            broken.append(f"{directory.name}: activity {activity.activity_id} is in {seen[activity.activity_id]} too")
        seen.setdefault(activity.activity_id, directory.name)
        activities.append(activity)
    if broken:
        raise RecordingsBroken(f"{path}: repair or remove these recordings:\n" + "\n".join(broken))
    return sorted(activities, key=lambda activity: (start_at(activity.detail), activity.activity_id))


def _load(directory: Path, athlete_id: int) -> SimulatedActivity:
    detail = _read(directory / "activity.json")
    streams = _read(directory / "streams.json")
    _check_detail(detail)
    if streams is not None:
        _check_streams(streams)
    return SimulatedActivity(detail=complete(detail, streams, athlete_id=athlete_id), streams=streams)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as err:
        raise ValueError(f"{path.name} is missing") from err
    except ValueError as err:
        raise ValueError(f"{path.name} is not JSON: {err}") from err


def _check_detail(detail: Any) -> None:
    if not isinstance(detail, Mapping):
        raise ValueError("activity.json is not an object")
    if not isinstance(detail.get("id"), int) or isinstance(detail["id"], bool):
        raise ValueError(f"activity.json: id is {detail.get('id')!r}, not an integer")
    if not isinstance(detail.get("start_date"), str):
        raise ValueError("activity.json: start_date is missing")


def _check_streams(streams: Any) -> None:
    if not isinstance(streams, Mapping):
        raise ValueError("streams.json is neither an object keyed by type nor null")
    for kind, stream in streams.items():
        if not isinstance(stream, Mapping) or not isinstance(stream.get("data"), list):
            raise ValueError(f"streams.json: {kind} has no data array")


def main(
    source: Annotated[Path, typer.Argument(help="Recorded answers, one directory per source.")],
    destination: Annotated[Path, typer.Argument(help="The directory of activities to write.")],
) -> None:
    """Convert recorded HTTP answers into a directory of activities that the simulator loads."""
    try:
        names = convert(source, destination)
    except RecordingsBroken as err:
        typer.echo(str(err), err=True)
        raise typer.Exit(1) from err
    typer.echo(f"{len(names)} activities in {destination}: {', '.join(names)}")


if __name__ == "__main__":
    typer.run(main)
