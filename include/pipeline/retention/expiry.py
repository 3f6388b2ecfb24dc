"""`strava_retention`: deletes data from Strava's API that is older than the settings allow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from include.errors import SettingsError
from include.pipeline.uses import UsesStorage
from include.settings import Settings
from include.state.activities.ledger import ActivityState, Lease, LedgerEntry
from include.state.activities.observation import Observation
from include.state.state import UsesState
from include.strava.models import ActivityId
from include.strava.quota import DAY_S

AT_ONCE = 100
"""How many activities are removed in one write."""

_RAW = re.compile(r"raw/athlete_id=\d+/(?P<activity_id>\d+)\.\w+\.json\.gz")


@dataclass(frozen=True, slots=True)
class Expired:
    """What one run deleted of one athlete."""

    activities: int
    """In a dry run, how many would be deleted."""
    busy: int = 0
    """Left to the next run: other workers hold them."""

    @property
    def counts(self) -> dict[str, int]:
        """The numbers, by name."""
        return {"expired": self.activities, "busy": self.busy}


def kept_days(settings: Settings) -> int | None:
    """For how many days data from Strava's API is kept; None for no limit.

    Errors: `SettingsError` on AWS where `RETENTION_DAYS` is not set: the owner has to decide.
    """
    if not settings.retention_days and settings.state_url.startswith("dynamodb:"):
        raise SettingsError(
            "RETENTION_DAYS is not set. Strava's API terms allow data to be cached for 7 days: decide, and set it to a "
            "number of days, or to `keep`."
        )
    return int(settings.retention_days) if settings.retention_days not in ("", "keep") else None


def expire(services: UsesStorage, athlete_id: int, days: int | None, *, dry_run: bool) -> Expired:
    """Delete the athlete's activities with an answer fetched `days` ago or longer: rows, raw objects, files.

    The oldest answer decides: a sync that found the recording unchanged makes its streams no younger.

    Their ledger rows stay, as `expired`: an event or a backfill brings them back, a listing or reconcile does not. Data
    from an athlete's own archive has no fetch time, and stays. An activity that waits to be fetched again is left for
    one more day. Rows of `freshness` expire `days` after their list was fetched.
    Errors: `LeaseLost`, `ObjectConflict`: run it again.
    Effects: safe to repeat, beside any other work and after a crash at any point: an activity is marked as expired
    before any of its data is deleted, so that only the next night's run continues it.
    """
    before_epoch_s = 0.0 if days is None else services.clock() - days * DAY_S
    if days is not None and not dry_run:
        _adopt(services, athlete_id)
        services.lake.freshness_rows.expire(athlete_id, before_epoch_s)
    due = [entry for entry in services.state.activities.of_athlete(athlete_id) if _is_due(entry, before_epoch_s)]
    if dry_run:
        return Expired(len(due))
    due.sort(key=lambda entry: (entry.object_keys, entry.activity_id))
    activities = 0
    for _, together in groupby(due, key=lambda entry: entry.object_keys):
        for batch in _batches(list(together)):
            leases = [lease for entry in batch if (lease := _marked(services, entry, before_epoch_s))]
            _delete(services, athlete_id, leases)
            activities += len(leases)
    return Expired(activities, len(due) - activities)


def _is_due(entry: LedgerEntry, before_epoch_s: float) -> bool:
    if entry.state is ActivityState.EXPIRED:
        broke_off = bool(entry.object_keys) or entry.next_try_epoch_s is not None  # or the audit found rows
        return broke_off and entry.asked is None
    since_epoch_s = entry.kept_since_epoch_s
    if entry.state is ActivityState.REMOVED or since_epoch_s is None:
        return False
    grace_s = 0 if entry.due_at_epoch_s is None else DAY_S
    return since_epoch_s <= before_epoch_s - grace_s


def _marked(services: UsesState, seen: LedgerEntry, before_epoch_s: float) -> Lease | None:
    """The lease on the activity, marked `expired`; None where it no longer expires, or another worker holds it.

    A lease alone makes an activity due, and reconcile would queue it if this process died; reconcile leaves a marked
    activity alone.
    """
    lease = services.state.activities.acquire(seen.athlete_id, seen.activity_id, fresh=False)
    if lease is None:
        return None
    entry = lease.entry
    if entry is None or not _is_due(entry, before_epoch_s):
        services.state.activities.settle(lease, entry or seen)
        return None
    return services.state.activities.advance(lease, entry.expired())


def _delete(services: UsesStorage, athlete_id: int, leases: Sequence[Lease]) -> None:
    """Delete the leased activities from lake and raw zone, rows first, and settle the ledger."""

    def guard() -> None:
        for lease in leases:
            services.state.activities.check(lease)

    keys = sorted({key for lease in leases for key in _entry(lease).object_keys})
    services.lake.tables.remove(athlete_id, [lease.activity_id for lease in leases], keys, guard=guard)
    for lease in leases:
        services.lake.raw.remove(athlete_id, lease.activity_id, guard=partial(services.state.activities.check, lease))
        # Where an event arrived meanwhile, reconcile hands the activity to strava_ingest.
        services.state.activities.settle(lease, replace(_entry(lease), object_keys=()))


def _adopt(services: UsesStorage, athlete_id: int) -> None:
    """Give raw objects without a fetch time in the ledger one, whatever their activity's state, so that they expire.

    Such objects stem from an abandoned backfill, from an activity whose streams never came, or from one in quarantine:
    their time starts now, and a backfill under way finds them unchanged. Raw objects of removed activities, left by a
    stalled worker, are deleted at once.
    """
    entries = {entry.activity_id: entry for entry in services.state.activities.of_athlete(athlete_id)}
    matches = map(_RAW.fullmatch, services.lake.objects.list(f"raw/athlete_id={athlete_id}/"))
    for activity_id in sorted({int(match["activity_id"]) for match in matches if match}):
        seen = entries.get(ActivityId(activity_id))
        if seen is not None and not _is_timeless(seen) and not _is_gone(seen):
            continue
        with services.state.activities.held(athlete_id, activity_id) as lease:
            if lease is None:
                continue
            entry = lease.entry
            if entry is not None and _is_gone(entry):
                services.lake.raw.remove(athlete_id, activity_id, guard=partial(services.state.activities.check, lease))
            elif entry is None or _is_timeless(entry):
                found = entry or LedgerEntry.unknown(athlete_id, activity_id).listed(Observation(services.clock()))
                services.state.activities.postpone(lease, replace(found, fetched_at_epoch_s=services.clock()))


def _is_timeless(entry: LedgerEntry) -> bool:
    """Whether an answer may be stored without rows; rows without a time come from an archive."""
    return entry.fetched_at_epoch_s is None and entry.state in (ActivityState.PENDING, ActivityState.QUARANTINED)


def _is_gone(entry: LedgerEntry) -> bool:
    """Whether none of its data should be stored, and no fetch is due."""
    is_over = entry.state in (ActivityState.REMOVED, ActivityState.EXPIRED)
    return is_over and not entry.object_keys and entry.fetch_at_epoch_s is None


def _entry(lease: Lease) -> LedgerEntry:
    if lease.entry is None:
        raise ValueError(f"activity {lease.activity_id} has no row, so it cannot have expired")
    return lease.entry


def _batches(entries: Sequence[LedgerEntry]) -> Iterator[Sequence[LedgerEntry]]:
    for start in range(0, len(entries), AT_ONCE):
        yield entries[start : start + AT_ONCE]
