"""The activities that are measured with: the same ones in every run, invented by the simulator."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from include.lake.objects.objects import ObjectStore
from include.lake.raw import RawZone
from include.lake.rows.synced import ActivityRows, build_rows
from include.strava.models import Activity, StreamSet
from local.strava_simulator.recordings.generator import Kind, generate

ATHLETE_ID = 7
_SHAPES = (Kind.RIDE, Kind.RUN, Kind.RIDE, Kind.TRAIL_RUN)
_FIRST_DAY = datetime(2025, 1, 1, 6, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recording:
    """One activity as Strava answers it."""

    detail: dict[str, Any] = field(repr=False)
    streams_body: bytes = field(repr=False)

    @property
    def activity(self) -> Activity:
        """The detailed answer, parsed."""
        return Activity.parse(self.detail)

    @property
    def streams(self) -> StreamSet:
        """The streams, parsed anew."""
        return StreamSet.parse(self.streams_body)

    @property
    def rows(self) -> ActivityRows:
        """The activity as rows of the lake."""
        return build_rows(self.activity, self.streams, made={}, source="webhook", updated_at_epoch_s=0.0)


@cache
def ride(points: int) -> Recording:
    """A ride with power, and every other stream that Strava has."""
    return _recorded(Kind.RIDE, points, seed=1)


def month_of(athlete_id: int, month: int, count: int, points: int) -> list[Recording]:
    """`count` rides and runs of one athlete in a month of 2025 (1 to 12), each with an id of its own.

    No two of a month have the same streams, or an encoding would profit from it; those of two months have.
    """
    first_day = _FIRST_DAY.replace(month=month)
    return [_of_athlete(athlete_id, number, first_day + timedelta(days=number % 28), points) for number in range(count)]


def keep_raw(objects: ObjectStore, recording: Recording) -> None:
    """Put the answers where a sync leaves them. Effects: the activity's two objects of the raw zone."""
    raw, activity = RawZone(objects), recording.activity
    raw.put_detail(activity, guard=unguarded)
    raw.put_streams(activity.athlete_id, activity.activity_id, recording.streams, guard=unguarded)


def unguarded() -> None:
    """The guard of a write that nobody else competes for."""


def _of_athlete(athlete_id: int, number: int, start_at: datetime, points: int) -> Recording:
    shape = _recorded(_SHAPES[number % len(_SHAPES)], points, seed=number)
    changes = {
        "id": athlete_id * 1_000_000 + start_at.month * 1_000 + number,
        "athlete": {"id": athlete_id, "resource_state": 1},
        "start_date": start_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Recording({**shape.detail, **changes}, shape.streams_body)


@cache
def _recorded(kind: Kind, points: int, seed: int) -> Recording:
    made = generate(kind, seed=seed, activity_id=1, athlete_id=ATHLETE_ID, start_at=_FIRST_DAY, points=points)
    return Recording(dict(made.detail), json.dumps(made.streams, separators=(",", ":")).encode())
