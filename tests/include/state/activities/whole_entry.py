"""An entry with a value in every field."""

from __future__ import annotations

from include.state.activities.entry import LedgerEntry
from include.state.activities.states import ActivityState
from include.state.due_work import DueWork
from include.strava.models import ActivityId, AthleteId

OLD = LedgerEntry(
    athlete_id=AthleteId(42),
    activity_id=ActivityId(7),
    state=ActivityState.NO_STREAMS,
    sport_type="Run",
    start_at_epoch_s=1_600_000_000,
    fingerprint="old",
    object_keys=("a.parquet",),
    points=9,
    reason="why",
    rounds=3,
    round_at_epoch_s=1_650_000_000,
    fetched_at_epoch_s=1_650_000_000.5,
    oldest_answer_epoch_s=1_640_000_000.5,
    lost_at_epoch_s=1_649_000_000,
    next_try_epoch_s=1_650_003_600,
    asked=DueWork(1_650_000_010, 1_650_001_800),
    copies_due=DueWork(4, 1_650_002_000),
    queued=2,
)
