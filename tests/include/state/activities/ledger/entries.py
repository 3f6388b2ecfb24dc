"""An entry with a value in every field, and the steps that the tests of the ledger share."""

from __future__ import annotations

from include.state.activities.ledger import ActivityLedger, ActivityState, Lease, LedgerEntry
from include.strava.models import ActivityId, AthleteId

ENTRY = LedgerEntry(
    athlete_id=AthleteId(42),
    activity_id=ActivityId(2**53 + 1),
    state=ActivityState.SYNCED,
    sport_type="TrailRun",
    start_at_epoch_s=1_699_999_999,
    fingerprint="abc",
    object_keys=("streams/athlete_id=42/year=2023/2023-11.parquet", "raw/athlete_id=42/1.streams.json.gz"),
    points=18_000,
    reason="trop été",
    rounds=3,
    fetched_at_epoch_s=1_700_000_000.125,
    next_try_epoch_s=None,
)


def acquired(ledger: ActivityLedger, activity_id: int = ENTRY.activity_id) -> Lease:
    lease = ledger.acquire(42, activity_id)
    assert lease is not None
    return lease


def stored(ledger: ActivityLedger) -> LedgerEntry | None:
    return ledger.get(42, ENTRY.activity_id)


def pending(activity_id: int, next_try_epoch_s: int | None) -> LedgerEntry:
    return LedgerEntry(AthleteId(42), ActivityId(activity_id), ActivityState.PENDING, next_try_epoch_s=next_try_epoch_s)
