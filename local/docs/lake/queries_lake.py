"""The lake behind the answers and pictures of `docs/queries.md`: two and a half years of a generated athlete.

`python -m local.docs.lake.queries_lake file:///absolute/folder` writes it there.

A few recordings of the simulated Strava are repeated, as an athlete repeats the routes near home, each time at another
pace and with another length. So thousands of hours are generated in seconds, and are the same at every run.
"""

from __future__ import annotations

import atexit
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from include.lake import cookbook
from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.query import query
from include.lake.rows.synced import build_rows
from include.state.copies.ledger import Copy, CopyState, external_id
from include.strava.models import Activity, StreamSet
from local.docs.lake.example_lake import ATHLETE_ID, CHILD_IDS, fill_copies, fill_freshness
from local.strava_simulator.recordings.generator import generate
from local.strava_simulator.recordings.kinds import Kind
from local.strava_simulator.world.activity import SimulatedActivity

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
WEEKS = 130
_SAMPLE_EVERY_S = 8
"""The interval of samples, as that of devices with "smart recording"."""
_HOLIDAY_WEEKS = frozenset({33, 34, 51, 52, 85, 86, 104})
_COPIED_SINCE = datetime(2025, 9, 1, tzinfo=UTC)
_ENDINGS = (
    *[(CopyState.DONE, "")] * 14,
    *[(CopyState.DUPLICATE, "")] * 3,
    *[(CopyState.SKIPPED, "The link to this child is paused.")] * 2,
    (CopyState.FAILED, "The file is empty."),
)


@dataclass(frozen=True, slots=True)
class Route:
    """A recording to repeat."""

    kind: Kind
    seed: int
    points: int
    """Its length in samples, one a second; for the kinds without samples, the activity's seconds."""
    gear: tuple[str, ...] = ()
    """The gear used on it, one after the other, each for an equal part of the time."""


_SHOES = ("g8001", "g8002", "g8003")
_BLOCK = Route(Kind.RUN, 3, 1900, _SHOES)
_PARK = Route(Kind.RUN, 8, 3100, _SHOES)
_WOODS = Route(Kind.RUN, 14, 2300, _SHOES)
_RIVER = Route(Kind.RUN, 30, 1700, _SHOES)
_LONG_RUN = Route(Kind.RUN, 21, 7100, _SHOES)
_TRAIL = Route(Kind.TRAIL_RUN, 5, 3600, ("g8010",))
_TREADMILL = Route(Kind.TREADMILL, 6, 2400, _SHOES)
_RIDE = Route(Kind.RIDE, 4, 4200, ("b7001", "b7002"))
_LONG_RIDE = Route(Kind.RIDE, 12, 7200, ("b7001", "b7002"))
_INDOORS = Route(Kind.INDOOR_RIDE, 2, 3700, ("b7003",))
_SWIM = Route(Kind.SWIM, 9, 2100)


@dataclass(frozen=True, slots=True)
class _Habit:
    """A weekly activity of the athlete on this day, with its probability in midwinter and in midsummer."""

    weekday: int
    hour: int
    routes: tuple[Route, ...]
    winter: float
    summer: float


_HABITS = (
    _Habit(0, 18, (_SWIM,), 0.45, 0.25),
    _Habit(1, 6, (_BLOCK, _PARK, _WOODS), 0.75, 0.85),
    _Habit(2, 19, (_INDOORS,), 0.8, 0.1),
    _Habit(2, 18, (_RIDE,), 0.0, 0.7),
    _Habit(3, 6, (_RIVER, _BLOCK, _RIVER, _TREADMILL), 0.7, 0.8),
    _Habit(5, 9, (_LONG_RIDE, _RIDE, _LONG_RIDE), 0.2, 0.95),
    _Habit(6, 10, (_LONG_RUN, _TRAIL, _PARK, _TRAIL), 0.65, 0.8),
)


@dataclass(frozen=True, slots=True)
class TrainingLake:
    """The filled lake."""

    url: str

    @cache  # noqa: B019 - page and picture ask the same of the one lake of a process
    def ask(self, name: str, **given: str) -> pa.Table:
        """The result of a query of the cookbook."""
        return self.select(cookbook.load(name).for_duckdb({"athlete_id": str(ATHLETE_ID)} | given))

    def select(self, sql: str) -> pa.Table:
        """The result of a SELECT."""
        return query(sql, self.url)


@cache
def training_lake() -> TrainingLake:
    """The lake, filled once for each process. Effects: a temporary directory until the process ends."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    url = (Path(folder.name) / "lake").as_uri()
    fill(url)
    return TrainingLake(url)


def fill(url: str) -> None:
    """Write all of it into the empty lake at `url`."""
    held = list(activities())
    rows = [
        build_rows(Activity.parse(one.detail), _stream_set(one), made={}, source="backfill", updated_at_epoch_s=0)
        for one in held
    ]
    Lake(open_objects(url)).write(rows, guard=lambda: None)
    fill_copies(url, list(_copies(held)))
    fill_freshness(url, held)


def activities() -> Iterator[SimulatedActivity]:
    """All activities of the athlete, in order: more in summer and from year to year, none in the holidays."""
    rng = Random(2024)
    number = 0
    for week in range(WEEKS):
        if week in _HOLIDAY_WEEKS:
            continue
        summer = 0.5 - 0.5 * math.cos(math.tau * (week + 2) / 52.2)
        keen = 0.72 + 0.28 * week / WEEKS
        for habit in _HABITS:
            if rng.random() < keen * (habit.winter + (habit.summer - habit.winter) * summer):
                day = FIRST + timedelta(weeks=week, days=habit.weekday)
                start_at = day + timedelta(hours=habit.hour + rng.choice((-1, 0, 0, 0, 1)), minutes=rng.randrange(60))
                number += 1
                yield _taken(rng.choice(habit.routes), number, start_at - timedelta(hours=1), week, rng)


def _taken(route: Route, number: int, start_at: datetime, week: int, rng: Random) -> SimulatedActivity:
    """The route repeated: slower for an untrained or tired athlete, and sometimes only a part of it."""
    recorded = _recording(route)
    effort = rng.gauss(1.0, 0.03)
    slower = (1.08 - 0.12 * week / WEEKS) / effort
    share = 1.0 if rng.random() < 0.5 else rng.uniform(0.6, 1.0)
    told = generate(
        route.kind,
        seed=number,
        activity_id=12_000_000_000 + number,
        athlete_id=ATHLETE_ID,
        start_at=start_at,
        points=1 if recorded else round(route.points * share),
    ).detail
    gear = route.gear[week * len(route.gear) // WEEKS] if route.gear else None
    detail = {**told, "gear_id": gear, "laps": []}
    if not recorded:
        return SimulatedActivity(detail, None)
    count = round(len(recorded["time"]) * share)
    factors = {"time": slower, "velocity_smooth": 1 / slower, "watts": slower**-2, "heartrate": 1.03 * effort**2}
    samples = {name: _scaled(data[:count], factors.get(name)) for name, data in recorded.items()}
    return SimulatedActivity({**detail, **_measures(samples)}, {name: {"data": data} for name, data in samples.items()})


@cache
def _recording(route: Route) -> Mapping[str, list[Any]]:
    """The route's samples by stream; none where Strava has none."""
    made = generate(
        route.kind, seed=route.seed, activity_id=1, athlete_id=ATHLETE_ID, start_at=FIRST, points=route.points
    )
    return {name: stream["data"][::_SAMPLE_EVERY_S] for name, stream in (made.streams or {}).items()}


def _scaled(data: list[Any], factor: float | None) -> list[Any]:
    """The same distance in another time, with the heart rate and power for that speed."""
    if factor is None:
        return data
    return [None if value is None else type(value)(round(value * factor, 3)) for value in data]


def _measures(samples: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The activity's totals and averages of its samples."""
    time, moving, altitudes = samples["time"], samples["moving"], samples.get("altitude", [])
    steps = zip(time, time[1:], moving[1:], strict=False)
    return {
        "distance": samples["distance"][-1],
        "elapsed_time": time[-1],
        "moving_time": sum(min(after - before, 2 * _SAMPLE_EVERY_S) for before, after, on in steps if on),
        "total_elevation_gain": round(sum(max(b - a, 0) for a, b in pairwise(altitudes)), 1),
        "elev_high": max(altitudes, default=None),
        "elev_low": min(altitudes, default=None),
        "device_watts": True if "watts" in samples else None,
    }


def _stream_set(activity: SimulatedActivity) -> StreamSet | None:
    if activity.streams is None:
        return None
    return StreamSet({name: stream["data"] for name, stream in activity.streams.items()}, b"")


def _copies(held: list[SimulatedActivity]) -> Iterator[Copy]:
    """Copies of the shared activities, to one child or two, with every outcome but mostly success."""
    rng = Random(7)
    for activity in held:
        started = datetime.fromisoformat(activity.detail["start_date"])
        if started < _COPIED_SINCE or rng.random() < 0.6:
            continue
        for child_id in CHILD_IDS[: rng.choice((1, 1, 2))]:
            state, reason = rng.choice(_ENDINGS)
            if activity.streams is None:
                state, reason = CopyState.SKIPPED, "Strava has no recorded points for this activity."
            planned_at = int(started.timestamp()) + 3 * 3600
            yield Copy(
                activity.activity_id,
                child_id,
                ATHLETE_ID,
                state,
                reason=reason,
                external_id=external_id(activity.activity_id, child_id),
                activity_start_epoch_s=int(started.timestamp()),
                planned_at_epoch_s=planned_at,
                updated_at_epoch_s=planned_at + rng.randint(9, 45),
            )


if __name__ == "__main__":
    fill(sys.argv[1])
