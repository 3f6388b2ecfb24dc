"""Changes of activities by their athletes, each with the event that Strava raises for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from local.strava_simulator.recordings.details import describe, legacy_type
from local.strava_simulator.recordings.facts import Facts
from local.strava_simulator.recordings.motion import moving_s, rising
from local.strava_simulator.recordings.sports import SPORT_TYPES
from local.strava_simulator.world import activities, events
from local.strava_simulator.world.activity import SimulatedActivity
from local.strava_simulator.world.privacy import HIDDEN_START
from local.strava_simulator.world.simulation import Simulation

VISIBILITIES = ("everyone", "followers_only", "only_me")
SILENT: Mapping[str, type] = {
    **dict.fromkeys(("description", "gear_id"), str),
    **dict.fromkeys(("commute", "trainer", "hide_from_home", "flagged"), bool),
    **dict.fromkeys(("workout_type", "kudos_count", "comment_count", "achievement_count", "pr_count"), int),
    **dict.fromkeys(("total_photo_count", "athlete_count"), int),
}
"""Fields whose changes raise no event, each with its type."""

_REBASED = ("time", "distance")
"""Streams that count from the start, and so start at 0 again after a crop."""


def rename(db: sqlite3.Connection, simulation: Simulation, activity_id: int, name: str) -> None:
    """Give the activity another title."""
    kept = _change(db, activity_id, {"name": name})
    events.activity_updated(db, simulation, kept.subject, {"title": name})


def change_sport(db: sqlite3.Connection, simulation: Simulation, activity_id: int, sport_type: str) -> None:
    """Give the activity another sport type.

    Errors: ValueError for one that Strava does not know.
    """
    if sport_type not in SPORT_TYPES:
        raise ValueError(f"Strava knows no sport type {sport_type!r}")
    kept = _change(db, activity_id, {"sport_type": sport_type, "type": legacy_type(sport_type)})
    events.activity_updated(db, simulation, kept.subject, {"type": sport_type})


def change_visibility(db: sqlite3.Connection, simulation: Simulation, activity_id: int, visibility: str) -> None:
    """Change who sees the activity; only a change to or from `only_me` raises an event.

    Errors: ValueError for another value than Strava's three.
    """
    if visibility not in VISIBILITIES:
        raise ValueError(f"visibility is one of {', '.join(VISIBILITIES)}, not {visibility!r}")
    before = _living(db, activity_id)
    kept = _change(db, activity_id, {"visibility": visibility, "private": visibility == "only_me"})
    if kept.only_me != before.only_me:
        events.activity_hidden(db, simulation, kept.subject)


def change_silently(db: sqlite3.Connection, activity_id: int, field: str, value: object) -> None:
    """Change one of the fields in `SILENT`; None removes its value. Strava raises no event.

    Errors: ValueError for a value of another type.
    """
    if value is not None and type(value) is not SILENT[field]:
        raise ValueError(f"{field} is {SILENT[field].__name__} or null, not {value!r}")
    _change(db, activity_id, {field: value})


def correct(db: sqlite3.Connection, activity_id: int, stream: str, factor: float) -> None:
    """Let Strava correct the altitude or the distance; samples, totals and averages agree. It raises no event.

    Errors: ValueError for another stream, or one that the activity does not have.
    """
    _living(db, activity_id)
    whole = activities.truth(db, activity_id)
    if stream not in ("altitude", "distance") or stream not in (whole.streams or {}):
        raise ValueError(f"activity {activity_id} has no {stream!r} to be corrected")
    streams = dict(whole.streams or {})
    samples = [None if sample is None else round(sample * factor, 1) for sample in streams[stream]["data"]]
    streams[stream] = {**streams[stream], "data": samples}
    activities.replace(db, SimulatedActivity(_counted_anew(whole.detail, streams, 0), streams))


def crop(db: sqlite3.Connection, activity_id: int, *, first: int, last: int) -> None:
    """Remove samples from the start and the end; start, times, distance and averages follow. Strava raises no event.

    Errors: ValueError without time and distance streams, or when fewer than two samples would remain.
    """
    _living(db, activity_id)
    whole = activities.truth(db, activity_id)
    if whole.streams is None or not {"time", "distance"} <= set(whole.streams):
        raise ValueError(f"activity {activity_id} has no streams of time and distance to crop")
    count = len(whole.streams["time"]["data"])
    if first < 0 or last < 0 or count - first - last < 2:
        raise ValueError(f"cannot cut {first} and {last} of {count} samples: at least two must remain")
    streams = {kind: _cut(kind, stream, first, count - last) for kind, stream in whole.streams.items()}
    shift_s = int(_base(whole.streams["time"]["data"][first:]))
    activities.replace(db, SimulatedActivity(_counted_anew(whole.detail, streams, shift_s), streams))


def hide_start(db: sqlite3.Connection, activity_id: int) -> None:
    """Hide when the activity began from everyone, applications included. Strava raises no event."""
    _change(db, activity_id, {HIDDEN_START: True})


def delete(db: sqlite3.Connection, simulation: Simulation, activity_id: int) -> None:
    """Delete the activity for good."""
    kept = _living(db, activity_id)
    activities.delete(db, activity_id, now_epoch_s=simulation.clock())
    events.activity_deleted(db, simulation, kept.subject)


def _living(db: sqlite3.Connection, activity_id: int) -> activities.StoredActivity:
    kept = activities.find(db, activity_id)
    if kept.deleted:
        raise activities.UnknownActivity(f"activity {activity_id} was deleted")
    return kept


def _change(db: sqlite3.Connection, activity_id: int, values: Mapping[str, Any]) -> activities.StoredActivity:
    _living(db, activity_id)
    before = activities.truth(db, activity_id)
    return activities.replace(db, SimulatedActivity({**before.detail, **values}, before.streams))


def _cut(kind: str, stream: Mapping[str, Any], begin: int, end: int) -> dict[str, Any]:
    data = list(stream["data"][begin:end])
    if kind in _REBASED:
        base = _base(data)
        data = [None if sample is None else round(sample - base, 1) for sample in data]
    return {**stream, "data": data, "original_size": len(data)}


def _base(data: Sequence[float | None]) -> float:
    return next((sample for sample in data if sample is not None), 0)


def _counted_anew(detail: Mapping[str, Any], streams: Mapping[str, Mapping[str, Any]], shift_s: int) -> dict[str, Any]:
    """The detail that agrees with the changed streams; its visibility and people's reactions stay."""
    time = [int(second) for second in rising(streams["time"]["data"])]
    distances = rising(streams["distance"]["data"])
    moving = streams["moving"]["data"] if "moving" in streams else [True] * len(time)
    facts = Facts(
        activity_id=detail["id"],
        athlete_id=detail["athlete"]["id"],
        name=detail["name"],
        sport_type=detail["sport_type"],
        start_at=datetime.fromisoformat(detail["start_date"]) + timedelta(seconds=shift_s),
        distance_m=distances[-1],
        elapsed_s=time[-1],
        moving_s=moving_s(time, moving),
        upload_id=detail.get("upload_id"),
        external_id=detail.get("external_id"),
        device_name=detail.get("device_name"),
        description=detail.get("description"),
        trainer=detail.get("trainer", False),
        commute=detail.get("commute", False),
        kudos=detail.get("kudos_count", 0),
    )
    kept = {key: detail[key] for key in ("private", "visibility", *SILENT) if key in detail}
    return {**detail, **describe(facts, streams), **kept}
