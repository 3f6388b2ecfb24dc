"""`strava_backfill`: a chunk of listed activities into the lake, at one call for each, its months written once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from include.errors import (
    Gone,
    IngestError,
    LeaseLost,
    NotConnected,
    QuotaSpent,
    ScopeMissing,
    TokenRefused,
)
from include.lake.rows.synced import ActivityRows, build_rows
from include.pipeline.backfill.history import IN_LAKE, HistoryKey, postponed
from include.pipeline.chunks import ChunkOutcome, process_each, waits_for
from include.pipeline.copying.copies_due import with_undecided_copies
from include.pipeline.ingest.events import CLOCK_SKEW_S
from include.pipeline.ingest.sync import describe, observation_of
from include.pipeline.reconcile.outage import outage_shown_by
from include.pipeline.uses import UsesStorage, UsesStorageAndStrava
from include.state.activities.entry import NOT_LOADED, ROUND_S, STREAM_LOOKS
from include.state.activities.ledger import Lease, LedgerEntry
from include.state.histories import History
from include.state.state import UsesState
from include.strava.models import Activity, StreamSet

_STAYS = (QuotaSpent, NotConnected, TokenRefused, ScopeMissing)
"""Faults that no activity causes: the history waits."""


@dataclass(frozen=True, slots=True)
class ChunkLoaded:
    """The result of a chunk; results of chunks can be added."""

    loaded: int = 0
    """In the lake now, whichever run wrote them."""
    points: int = 0
    skipped: int = 0
    """Gone, or held by another run, which brings them up to date itself."""
    waiting: tuple[str, ...] = ()

    def __add__(self, other: ChunkLoaded) -> ChunkLoaded:
        return ChunkLoaded(
            self.loaded + other.loaded,
            self.points + other.points,
            self.skipped + other.skipped,
            self.waiting + other.waiting,
        )

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "loaded": self.loaded,
            "points": self.points,
            "skipped": self.skipped,
            "waiting": len(self.waiting),
        }


def load(services: UsesStorageAndStrava, keys: Sequence[HistoryKey]) -> ChunkLoaded:
    """Fetch the streams of the chunk's activities and write each month they fall in once.

    An activity that fails, or whose answer cannot be read, stops no other: it becomes due by its own row, and
    `strava_ingest` retries it, until quarantine after many rounds. A spent quota, lost access and an outage are no
    activity's fault: the activities stay in the history, which is postponed.
    Errors: `LeaseLost`, `ObjectConflict`: try the same chunk again; `WorkBroken` for a defect, once all others are in
    the lake.
    Effects: safe to repeat; activities already in the lake, and streams already in the raw zone since the listing, cost
    no call.
    """
    loaded, broken = ChunkLoaded(), dict[int, Exception]()
    for (athlete_id, span), together in groupby(keys, key=lambda key: (key[0], key[1])):
        history = services.state.histories.get(athlete_id, span)
        listed = set(history.to_load) if history else set()
        ids = [activity_id for _, _, activity_id in together if activity_id in listed]
        if history is not None and ids:
            loaded += _load(services, history, ids, broken)
    ChunkOutcome({}, broken).confirm()
    return loaded


def _load(
    services: UsesStorageAndStrava, history: History, ids: Sequence[int], broken: dict[int, Exception]
) -> ChunkLoaded:
    """Load one history's activities; those that a defect broke are added to `broken`."""
    held: list[_Fetched] = []

    def hold(activity_id: int) -> str:
        """Keep the activity for the write, unless it is in the lake or has no rows; returns what it waits for."""
        held[:] = [kept for each in held if (kept := each.renewed(services))]
        entry = services.state.activities.get(history.athlete_id, activity_id)
        if entry is not None and entry.state in IN_LAKE:
            return ""
        fetched = _fetch(services, history.athlete_id, activity_id, history.listed_at_epoch_s)
        if isinstance(fetched, _Fetched):
            held.append(fetched)
            return ""
        return fetched

    try:
        worked = process_each(ids, hold)
    except IngestError as fault:
        services.state.histories.amend(history, partial(postponed, now_epoch_s=services.clock(), error=fault))
        return ChunkLoaded(waiting=(waits_for(fault),) * len(ids))
    _write(services, held)
    entries = [services.state.activities.get(history.athlete_id, activity_id) for activity_id in worked.done]
    present = [entry for entry in entries if entry is not None and entry.state in IN_LAKE]
    broken |= {activity_id: fault for activity_id, fault in worked.faults.items() if not isinstance(fault, IngestError)}
    settled = {*worked.done, *(broken.keys() & worked.faults.keys())}  # a broken activity is due when its lease ends
    now_epoch_s = int(services.clock())
    services.state.histories.amend(
        history,
        lambda row: row.without(settled, in_lake={entry.activity_id for entry in present}, now_epoch_s=now_epoch_s),
    )
    failed = [what for what in worked.done.values() if what]
    return ChunkLoaded(
        loaded=len(present),
        points=sum(entry.points for entry in present),
        skipped=len(worked.done) - len(present) - len(failed),
        waiting=(*failed, *worked.waiting),
    )


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A leased activity with everything that is about to be written."""

    lease: Lease
    rows: ActivityRows
    entry: LedgerEntry

    def renewed(self, services: UsesState) -> _Fetched | None:
        """The same with a renewed lease; None where the lease was lost: then its row is due."""
        try:
            return replace(self, lease=services.state.activities.renew(self.lease))
        except LeaseLost:
            return None


def _fetch(
    services: UsesStorageAndStrava, athlete_id: int, activity_id: int, listed_at_epoch_s: float
) -> _Fetched | str:
    """The activity with its streams, under a lease; else what it waits for, and the lease is released.

    Errors: every fault that is not the activity's own.
    """
    lease = services.state.activities.acquire(athlete_id, activity_id, fresh=False)
    if lease is None:
        return ""
    entry = lease.entry or LedgerEntry.unknown(athlete_id, activity_id)
    try:
        activity = services.lake.raw.detail(athlete_id, activity_id)
        if activity is None:
            services.state.activities.postpone(lease, entry)
            return ""
        entry = _listed(entry, activity, listed_at_epoch_s)
        fetched_at_epoch_s = entry.fetched_at_epoch_s or listed_at_epoch_s
        lease, streams = _streams(services, lease, entry, activity)
        if streams is None and not entry.is_lost(services.clock()):
            services.state.activities.postpone(lease, (lease.entry or entry).perhaps_lost(int(services.clock())))
            return ""
        made = services.state.copies.made_for(athlete_id)
        rows = build_rows(activity, streams, made=made, source="backfill", updated_at_epoch_s=fetched_at_epoch_s)
    except IngestError as error:
        if isinstance(error, _STAYS) or outage_shown_by(services, error, athlete_id) is not None:
            services.state.activities.postpone(lease, replace(entry, reason=str(error)))
            raise
        failed = (lease.entry or entry).failed(str(error), int(services.clock()), error.retry_after_s)
        services.state.activities.postpone(lease, replace(failed, asked=entry.asked))
        return waits_for(error)
    described = describe(entry, activity, streams, fetched_at_epoch_s=fetched_at_epoch_s)
    loaded = _asked_once_more(_still_due(described, entry, listed_at_epoch_s), described, services.clock())
    return _Fetched(lease, rows, with_undecided_copies(services, lease, loaded, activity))


def _still_due(entry: LedgerEntry, before: LedgerEntry, listed_at_epoch_s: float) -> LedgerEntry:
    """The entry, with the work that was due before and that this load does not settle."""
    return entry.still_due_as(before).answered(int(listed_at_epoch_s) - CLOCK_SKEW_S)


def _asked_once_more(loaded: LedgerEntry, described: LedgerEntry, now_epoch_s: float) -> LedgerEntry:
    """The entry; where an answer had no streams, a live sync fetches them once more a window later."""
    if described.next_try_epoch_s is None:
        return loaded
    again_at_epoch_s = int(now_epoch_s) + ROUND_S
    return replace(
        loaded,
        rounds=STREAM_LOOKS - 1,
        next_try_epoch_s=min(again_at_epoch_s, loaded.next_try_epoch_s or again_at_epoch_s),
    )


def _streams(
    services: UsesStorageAndStrava, lease: Lease, entry: LedgerEntry, activity: Activity
) -> tuple[Lease, StreamSet | None]:
    """The activity's streams: those in the raw zone where they were fetched since it was listed; and the lease."""
    athlete_id, activity_id = activity.athlete_id, activity.activity_id
    stored = services.lake.raw.streams(athlete_id, activity_id) if _is_fetched(lease.entry, entry, activity) else None
    if stored is not None or activity.manual:
        return lease, stored
    guard = partial(services.state.activities.check, lease)
    try:
        with services.lake.raw.storing_unreadable(athlete_id, activity_id, guard=guard):
            streams = services.strava.client.streams(athlete_id, activity_id)
    except Gone:
        return lease, None
    services.lake.raw.put_streams(athlete_id, activity_id, streams, guard=guard)
    return services.state.activities.advance(lease, replace(entry, points=streams.length)), streams


def _is_fetched(before: LedgerEntry | None, listed: LedgerEntry, activity: Activity) -> bool:
    """Whether a run that died stored the streams after the same listing: then its row counts their points."""
    if before is None or before.reason != NOT_LOADED or not before.points or activity.is_detail:
        return False
    return before.fetched_at_epoch_s == listed.fetched_at_epoch_s


def _listed(before: LedgerEntry, activity: Activity, listed_at_epoch_s: float) -> LedgerEntry:
    """The stored answer of an activity to load; a stored detail is as old as its own fetch."""
    fetched_at_epoch_s = before.fetched_at_epoch_s if activity.is_detail else None
    return before.listed(observation_of(activity, fetched_at_epoch_s=fetched_at_epoch_s or listed_at_epoch_s))


def _write(services: UsesStorage, held: Sequence[_Fetched]) -> None:
    if not held:
        return

    def guard() -> None:
        for fetched in held:
            services.state.activities.check(fetched.lease)

    for fetched in held:
        services.state.activities.note(fetched.lease, fetched.rows.object_keys)
    written = services.lake.tables.write(
        [fetched.rows for fetched in held],
        previous_keys={
            fetched.lease.activity_id: fetched.lease.entry.object_keys for fetched in held if fetched.lease.entry
        },
        guard=guard,
    )
    for fetched in held:
        object_keys = written.object_keys[fetched.entry.activity_id]
        services.state.activities.settle(fetched.lease, replace(fetched.entry, object_keys=object_keys))
