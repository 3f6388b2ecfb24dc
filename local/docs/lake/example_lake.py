"""A small lake of generated activities, the same at every run."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.rows.copies import CopyRows
from include.lake.rows.freshness import FreshnessRows, Month, MonthComparison
from include.lake.rows.synced import build_rows
from include.state.copies.ledger import Copy, CopyLedger, CopyState, external_id
from include.store.sqlite import SqliteStore
from include.strava.models import Activity, StreamSet
from local.strava_simulator.recordings.generator import generate
from local.strava_simulator.recordings.kinds import Kind
from local.strava_simulator.world.activity import SimulatedActivity
from local.testbed.manual_clock import ManualClock

ATHLETE_ID = 4100001

CHILD_IDS = (4100011, 4100012)

_ENDINGS = (
    (CopyState.DONE, ""),
    (CopyState.SKIPPED, "The link to this child is paused."),
    (CopyState.DONE, ""),
    (CopyState.FAILED, "The file is empty."),
    (CopyState.DUPLICATE, ""),
    (CopyState.SKIPPED, "Strava has no recorded points for this activity."),
    (CopyState.PROCESSING, "Strava is still processing the file."),
)
_FIRST = datetime(2024, 11, 4, 6, 30, tzinfo=UTC)
_DAYS_APART = (0, 2, 5, 7, 9, 12, 23, 26, 57, 60, 64, 120, 185, 365, 368, 400)
_KINDS = (Kind.RUN, Kind.RIDE, Kind.TRAIL_RUN, Kind.INDOOR_RIDE, Kind.SWIM, Kind.RUN, Kind.VIRTUAL_RIDE, Kind.TREADMILL)
_GEAR = {"Ride": "b7001", "Run": "g7002"}


def activities() -> list[SimulatedActivity]:
    """The lake's activities: every kind, over a year, at various hours, a few with gear, at most half an hour each."""
    return [_activity(number, days) for number, days in enumerate(_DAYS_APART)]


def copies(held: list[SimulatedActivity]) -> list[Copy]:
    """The copies of these activities: to one or two children, with every outcome."""
    return [
        _copy(activity, child_id)
        for activity in held
        for child_id in CHILD_IDS[: 1 + activity.activity_id % len(CHILD_IDS)]
    ]


def fill(lake_url: str, held: list[SimulatedActivity]) -> None:
    """Write the activities and their copies into the lake."""
    rows = [
        build_rows(
            Activity.parse(activity.detail),
            StreamSet.parse(json.dumps(activity.streams).encode()) if activity.streams is not None else None,
            made={},
            source="backfill",
            updated_at_epoch_s=_FIRST.timestamp(),
        )
        for activity in held
    ]
    Lake(open_objects(lake_url)).write(rows, guard=lambda: None)
    fill_copies(lake_url, copies(held))
    fill_freshness(lake_url, held)


def fill_freshness(lake_url: str, held: list[SimulatedActivity]) -> None:
    """Write each month's comparison: an athlete's newest month has none; in some the lake lacks one activity."""
    by_athlete: dict[int, Counter[Month]] = {}
    for activity in held:
        start_at = datetime.fromisoformat(activity.detail["start_date"])
        months = by_athlete.setdefault(activity.athlete_id, Counter())
        months[Month(start_at.year, start_at.month)] += 1
    rows = FreshnessRows(open_objects(lake_url))
    for athlete_id, months in by_athlete.items():
        whole = sorted(months)[:-1]
        rows.note(athlete_id, {month: compared(month, months[month]) for month in whole})


def compared(month: Month, held: int) -> MonthComparison:
    """The comparison of a month, a day after its end: every third list shows one activity more than the lake holds."""
    end = datetime(month.year + month.month // 12, month.month % 12 + 1, 2, tzinfo=UTC)
    return MonthComparison(held + (month.month % 3 == 0), held, end.timestamp())


def fill_copies(lake_url: str, made: list[Copy]) -> None:
    """Write the copies into the lake from a ledger that is made for it."""
    clock = ManualClock(0.0)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "state.sqlite", clock)
        ledger = CopyLedger(store, clock)
        for copy in made:
            clock.now_epoch_s = copy.updated_at_epoch_s
            ledger.plan(copy)
        CopyRows(open_objects(lake_url), ledger).repair({copy.parent_id for copy in made})
        store.close()


def _copy(activity: SimulatedActivity, child_id: int) -> Copy:
    number = activity.activity_id + child_id
    state, reason = _ENDINGS[number % len(_ENDINGS)]
    started = int(datetime.fromisoformat(activity.detail["start_date"]).timestamp())
    planned_at = started + 4 * 3600
    return Copy(
        activity.activity_id,
        child_id,
        activity.athlete_id,
        state,
        reason=reason,
        external_id=external_id(activity.activity_id, child_id),
        activity_start_epoch_s=started,
        planned_at_epoch_s=planned_at,
        updated_at_epoch_s=planned_at + number % 23,
    )


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
