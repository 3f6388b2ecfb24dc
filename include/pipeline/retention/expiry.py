"""`strava_retention`: deletes what came from Strava's API and is as old as the settings allow."""

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
from include.state.uses import UsesState
from include.strava.models import ActivityId
from include.strava.quota import DAY_S

AT_ONCE = 100
"""How many activities leave their objects in one write."""

_RAW = re.compile(r"raw/athlete_id=\d+/(?P<activity_id>\d+)\.\w+\.json\.gz")


@dataclass(frozen=True, slots=True)
class Expired:
    """What a night deleted of one athlete."""

    activities: int
    """In a dry run, how many would be deleted."""
    busy: int = 0
    """Left to the next night: other workers hold them."""

    @property
    def counts(self) -> dict[str, int]:
        """The numbers, by name."""
        return {"expired": self.activities, "busy": self.busy}


def kept_days(settings: Settings) -> int | None:
    """How many days what came from Strava's API is kept; None for ever.

    Errors: `SettingsError` on AWS where `RETENTION_DAYS` is not set: the owner has to decide.
    """
    if not settings.retention_days and settings.state_url.startswith("dynamodb:"):
        raise SettingsError(
            "RETENTION_DAYS is not set. Strava's API terms allow data to be cached for 7 days: decide, and set it to a "
            "number of days, or to keep."
        )
    return int(settings.retention_days) if settings.retention_days not in ("", "keep") else None


def expire(services: UsesStorage, athlete_id: int, days: int | None, *, dry_run: bool) -> Expired:
    """Delete the athlete's activities of which anything was fetched `days` ago or longer: rows, raw objects, files.

    The oldest answer decides: a look that found the recording unchanged makes its streams no younger.

    Their ledger rows stay, as `expired`: no listing and no reconcile brings them back, an event or a backfill does.
    What an athlete's own archive brought has no time of fetching, and stays.
    An activity that waits to be fetched again is left to that for a day more. What lists told of a month goes as long
    after they were asked for.
    Errors: `LeaseLost`, `ObjectConflict`: run it again.
    Effects: safe to repeat, beside any other work and after a crash at any point: an activity is marked as expired
    before anything of it goes, so that nothing but the next night's run goes on with it.
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
        broke_off = bool(entry.object_keys) or entry.next_try_epoch_s is not None  # or the audit found it
        return broke_off and entry.asked is None
    since_epoch_s = entry.kept_since_epoch_s
    if entry.state is ActivityState.REMOVED or since_epoch_s is None:
        return False
    grace_s = 0 if entry.due_at_epoch_s is None else DAY_S
    return since_epoch_s <= before_epoch_s - grace_s


def _marked(services: UsesState, seen: LedgerEntry, before_epoch_s: float) -> Lease | None:
    """The lease on the activity, whose row says `expired`; None where that is no longer right, or another works on it.

    A lease by itself makes an activity due, and reconcile would have it fetched again if this process died; what is
    marked it leaves alone.
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
    """Take what is held out of the lake and the raw zone, rows first, and settle the ledger."""

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
    """See to raw objects of which the ledger knows no time, whatever state their activity is in, so that they expire.

    Such are those of a backfill that was given up, of an activity whose streams never came, or of one that was not
    understood: their time runs from now, and a backfill that is still under way finds them unchanged. What the ledger
    says is gone has no raw objects: those of a worker who stalled go at once.
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
    """Whether an answer may be kept without rows; rows without a time are an archive's."""
    return entry.fetched_at_epoch_s is None and entry.state in (ActivityState.PENDING, ActivityState.QUARANTINED)


def _is_gone(entry: LedgerEntry) -> bool:
    """Whether nothing should be kept of it, and nobody is about to fetch it again."""
    is_over = entry.state in (ActivityState.REMOVED, ActivityState.EXPIRED)
    return is_over and not entry.object_keys and entry.fetch_at_epoch_s is None


def _entry(lease: Lease) -> LedgerEntry:
    if lease.entry is None:
        raise ValueError(f"activity {lease.activity_id} has no row, so it cannot have expired")
    return lease.entry


def _batches(entries: Sequence[LedgerEntry]) -> Iterator[Sequence[LedgerEntry]]:
    for start in range(0, len(entries), AT_ONCE):
        yield entries[start : start + AT_ONCE]
