"""A small lake of invented activities, the same at every run: what the examples of `docs/queries.md` are asked of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.rows import build_rows
from include.strava.models import Activity, StreamSet
from local.strava_simulator.activity import SimulatedActivity
from local.strava_simulator.generator import generate
from local.strava_simulator.kinds import Kind

ATHLETE_ID = 4100001

_FIRST = datetime(2024, 11, 4, 6, 30, tzinfo=UTC)
_DAYS_APART = (0, 2, 5, 7, 9, 12, 23, 26, 57, 60, 64, 120, 185, 365, 368, 400)
_KINDS = (Kind.RUN, Kind.RIDE, Kind.TRAIL_RUN, Kind.INDOOR_RIDE, Kind.SWIM, Kind.RUN, Kind.VIRTUAL_RIDE, Kind.TREADMILL)
_GEAR = {"Ride": "b7001", "Run": "g7002"}


def activities() -> list[SimulatedActivity]:
    """What the lake holds: over a year, every kind, at various hours, a few with gear, each at most half an hour."""
    return [_activity(number, days) for number, days in enumerate(_DAYS_APART)]


def fill(lake_url: str, held: list[SimulatedActivity]) -> None:
    """Write the activities into the lake."""
    rows = [
        build_rows(
            Activity.parse(activity.detail),
            StreamSet.parse(json.dumps(activity.streams).encode()) if activity.streams is not None else None,
            source="backfill",
            updated_at_epoch_s=_FIRST.timestamp(),
        )
        for activity in held
    ]
    Lake(open_objects(lake_url)).write(rows, guard=lambda: None)


def _activity(number: int, days: int) -> SimulatedActivity:
    made = generate(
        _KINDS[number % len(_KINDS)],
        seed=number,
        activity_id=12_000_000_000 + number,
        athlete_id=ATHLETE_ID,
        start_at=_FIRST + timedelta(days=days, hours=number * 5 % 13),
        points=900 + 60 * number,
    )
    gear_id = _GEAR.get(made.detail["sport_type"])
    return SimulatedActivity(detail={**made.detail, "gear_id": gear_id}, streams=made.streams)
