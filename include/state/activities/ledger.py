"""The ledger of activities: what the lake holds of each activity, and which worker is writing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from math import ceil

from include.clock import Clock
from include.errors import LeaseLost
from include.state.activities.entry import DUE, DUE_AFTER_S, LONGEST_WAIT_S, LedgerEntry
from include.state.activities.lease import LEASE_S, Lease
from include.state.activities.row import LedgerRow
from include.state.activities.states import ActivityState
from include.state.due_work import DueWork
from include.state.erasures.ledger import Erasures
from include.state.transition import readable
from include.store.conflict import retry_on_conflict
from include.store.store import Key, Store
from include.strava.models import ActivityId, AthleteId

__all__ = ["LEASE_S", "ActivityLedger", "ActivityState", "DueWork", "Lease", "LedgerEntry"]


class ActivityLedger:
    """One writer per activity at a time, across any number of runs.

    A run that finds an activity leased marks it and ends; the holder learns of the mark when it settles, and fetches
    again. So every request is answered by a fetch that began after it.

    A holder that stalls between its last check and its write cannot be stopped: where the next holder left an object
    unchanged, the stalled write's condition still holds. So an entry is doubtful when its lease was taken over
    unsettled: the activity is due once more after the length of a lease, noted object keys stay, and stored data does
    not count as fresh, until a lease that was not taken over has settled it. Postponing settles nothing, so the doubt
    stays.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._erasures = Erasures(store, clock)

    def get(self, athlete_id: int, activity_id: int) -> LedgerEntry | None:
        """The activity's entry, or None."""
        return self._row(athlete_id, activity_id).entry

    def at_rest(self, athlete_id: int, activity_id: int) -> LedgerEntry | None:
        """The entry, if no worker holds the lease and no work is due; else None."""
        row = self._row(athlete_id, activity_id)
        is_busy = row.lease_until_epoch_s > self._clock() or row.entry is None or row.entry.due_at_epoch_s is not None
        return None if is_busy else row.entry

    @retry_on_conflict
    def acquire(self, athlete_id: int, activity_id: int, *, fresh: bool = True) -> Lease | None:
        """The lease on the activity; None if another worker holds it (it then fetches again) or writing is forbidden.

        A caller that needs no newer answer than the stored one passes `fresh=False`: then the other worker is not asked
        to fetch again, and requests to a worker that died stay.

        Effects: takes over a lease that ran out. A leased activity is due when the lease ends, so that reconcile finds
        the work of a run that dies.
        """
        row, now_epoch_s = self._row(athlete_id, activity_id), self._clock()
        if row.lease_until_epoch_s > now_epoch_s:
            if fresh and not row.dirty:
                self._put(replace(row, dirty=True))
            return None
        until_epoch_s = now_epoch_s + LEASE_S
        entry = row.entry or LedgerEntry.unknown(athlete_id, activity_id)
        leased = replace(
            row,
            entry=replace(entry, next_try_epoch_s=ceil(until_epoch_s)),
            fence=row.fence + 1,
            lease_until_epoch_s=until_epoch_s,
            dirty=row.dirty and not fresh,
            doubtful=row.doubtful or row.lease_until_epoch_s > 0,
        )
        version = self._put(leased)
        if self._erasures.forbid_writing(athlete_id):  # checked after the write, see `Erasures`
            if row.entry is None or self._erasures.clear_away(athlete_id):
                self.forget(athlete_id, activity_id, although_leased=True)
            else:
                self._put(replace(row, fence=leased.fence, version=version))
            return None
        return Lease(
            AthleteId(athlete_id), ActivityId(activity_id), leased.fence, leased.lease_until_epoch_s, row.entry
        )

    def check(self, lease: Lease) -> None:
        """Check that the lease holds, before every write to the lake. Errors: `LeaseLost`; then write nothing more."""
        self._held(lease)

    @retry_on_conflict
    def renew(self, lease: Lease) -> Lease:
        """The lease, renewed for its full length once half of it is over. Errors: `LeaseLost`."""
        now_epoch_s = self._clock()
        if lease.expires_at_epoch_s > now_epoch_s + LEASE_S / 2:
            return lease
        row, until_epoch_s = self._held(lease), now_epoch_s + LEASE_S
        entry = replace(row.entry, next_try_epoch_s=ceil(until_epoch_s)) if row.entry else None
        self._put(replace(row, entry=entry, lease_until_epoch_s=until_epoch_s))
        return replace(lease, expires_at_epoch_s=until_epoch_s)

    @retry_on_conflict
    def note(self, lease: Lease, object_keys: Iterable[str]) -> None:
        """Note, before a write to the lake, which table objects may hold the activity's rows after it.

        So a run that dies during the write leaves no row that the ledger does not know.
        Errors: `LeaseLost`; then nothing was stored.
        """
        row = self._held(lease)
        if row.entry is not None and not set(object_keys) <= set(row.entry.object_keys):
            known = tuple(sorted({*row.entry.object_keys, *object_keys}))
            self._put(replace(row, entry=replace(row.entry, object_keys=known)))

    @retry_on_conflict
    def advance(self, lease: Lease, entry: LedgerEntry) -> Lease:
        """Store the entry and keep the lease, which is returned with the entry; noted object keys stay.

        Errors: `LeaseLost`; then nothing was stored.
        """
        row = self._held(lease)
        due_at_epoch_s = row.entry.next_try_epoch_s if row.entry else None
        self._put(replace(row, entry=replace(row.with_noted(entry), next_try_epoch_s=due_at_epoch_s)))
        return replace(lease, entry=entry)

    @retry_on_conflict
    def settle(self, lease: Lease, entry: LedgerEntry) -> bool:
        """Store the entry and release the lease; returns whether the activity was requested meanwhile.

        Then it is due at once: a caller that can fetch again acquires it again, others leave it to reconcile. The
        stored entry is due once more if the lease was taken over unsettled.
        Errors: `LeaseLost`; then nothing was stored.
        """
        row, now_epoch_s = self._held(lease), self._clock()
        if row.doubtful:
            entry = replace(row.with_noted(entry), fingerprint="", next_try_epoch_s=ceil(now_epoch_s + LEASE_S))
        if row.dirty:
            entry = row.with_noted(entry).asked_for(int(now_epoch_s), due_at_epoch_s=int(now_epoch_s))
        self._let_go(replace(row, entry=entry, doubtful=row.doubtful and row.dirty))
        return row.dirty

    @retry_on_conflict
    def postpone(self, lease: Lease, entry: LedgerEntry) -> None:
        """Store the entry of unfinished work, and release the lease.

        If it names no time although the activity was requested meanwhile, or the lease was taken over unsettled, the
        activity is due at once. Noted object keys stay: the work may have stopped with rows in them.
        Errors: `LeaseLost`; then nothing was stored.
        """
        row = self._held(lease)
        entry = row.with_noted(entry)
        now_epoch_s = int(self._clock())
        if row.dirty:
            wait_s = 0 if entry.next_try_epoch_s is None else DUE_AFTER_S
            entry = entry.asked_for(now_epoch_s, due_at_epoch_s=now_epoch_s + wait_s)
        elif row.doubtful and entry.next_try_epoch_s is None:
            entry = replace(entry, next_try_epoch_s=now_epoch_s)
        self._let_go(replace(row, entry=entry))

    @contextmanager
    def held(self, athlete_id: int, activity_id: int) -> Iterator[Lease | None]:
        """A context with the lease, for work without a call to Strava; None as by `acquire` with `fresh=False`.

        Effects: releases the lease at the end, after an error too, unless the block has settled or postponed it. The
        entry then stays as it was, with the noted object keys. An unknown activity stays due.
        """
        lease = self.acquire(athlete_id, activity_id, fresh=False)
        try:
            yield lease
        finally:
            if lease is not None and lease.entry is not None:
                with suppress(LeaseLost):  # settled, or taken over by another worker
                    self.postpone(lease, lease.entry)

    @retry_on_conflict
    def make_due(
        self, athlete_id: int, activity_id: int, *, asked_at_epoch_s: int, due_at_epoch_s: int | None = None
    ) -> None:
        """Note that an event of that time makes the activity due, before any worker starts on it.

        Its state stays. It is due at `due_at_epoch_s`; by default in half an hour, the time that a starting run has,
        and later where earlier runs finished nothing. An earlier due time stays. The holder of a lease is asked to
        fetch again. Nothing is written for an athlete who was erased.
        """
        row, now_epoch_s = self._row(athlete_id, activity_id), self._clock()
        if row.lease_until_epoch_s > now_epoch_s:
            asked = replace(row, dirty=True)
        else:
            entry = row.entry or LedgerEntry.unknown(athlete_id, activity_id)
            run_s = min(DUE_AFTER_S << max(entry.queued - 1, 0), LONGEST_WAIT_S)
            if due_at_epoch_s is None:
                due_at_epoch_s = int(now_epoch_s) + run_s
            asked = replace(row, entry=entry.asked_for(asked_at_epoch_s, due_at_epoch_s=due_at_epoch_s))
        if asked != row:
            self._put(asked)
        if self._erasures.clear_away(athlete_id):  # checked after the write, see `Erasures`
            self.forget(athlete_id, activity_id)

    def request_refetch(self, athlete_id: int, activity_id: int, now_epoch_s: float) -> None:
        """Make the activity due now, to be fetched again with its streams, whatever is stored.

        A worker that holds its lease is fetching it anyway.
        """
        at_epoch_s = int(now_epoch_s)
        self._amend(
            athlete_id,
            activity_id,
            lambda entry: replace(entry.asked_for(at_epoch_s, due_at_epoch_s=at_epoch_s), fingerprint=""),
        )

    def answered(self, athlete_id: int, activity_id: int, *, asked_at_epoch_s: int) -> None:
        """Clear the requests of events up to that time: an earlier fetch has answered them."""
        self._amend(athlete_id, activity_id, lambda entry: entry.answered(asked_at_epoch_s))

    def clear_copies_due(self, athlete_id: int, activity_id: int, fence: int) -> None:
        """Note that every copy that became due with the lease of that fence is planned; a newer mark stays."""
        self._amend(athlete_id, activity_id, lambda entry: entry.copies_planned(fence))

    @retry_on_conflict
    def put_off(self, athlete_id: int, activity_id: int, now_epoch_s: float, *, copies: bool = False) -> None:
        """Note that the activity's due work is queued now; work that is not due stays as it is.

        With `copies`, its copies count as queued too, even if they were not due.
        """
        row = self._row(athlete_id, activity_id)
        entry = row.entry
        if entry is None:
            return
        if copies and entry.copies_due is None:
            entry = replace(entry, copies_due=DueWork(row.fence, int(now_epoch_s)))
        self._put(replace(row, entry=entry.put_off(now_epoch_s)))

    @retry_on_conflict
    def forget(self, athlete_id: int, activity_id: int, *, although_leased: bool = False) -> bool:
        """Remove the row, unless a worker holds the lease; returns whether it is gone. Safe to repeat."""
        row = self._row(athlete_id, activity_id)
        if row.lease_until_epoch_s > self._clock() and not although_leased:
            return False
        self._store.delete(row.key, expected_version=row.version)
        return True

    def due(self, now_epoch_s: float) -> Iterator[LedgerEntry]:
        """The due entries that no worker holds, longest overdue first."""
        rows = readable(self._store.find("activities", "due", DUE, up_to=now_epoch_s), LedgerRow.from_item)
        return (row.entry for row in rows if row.entry is not None and row.lease_until_epoch_s <= now_epoch_s)

    def of_athlete(self, athlete_id: int) -> Iterator[LedgerEntry]:
        """Every entry of the athlete, in no meaningful order."""
        rows = map(LedgerRow.from_item, self._store.query("activities", str(athlete_id)))
        return (row.entry for row in rows if row.entry is not None)

    def is_leased(self, athlete_id: int) -> bool:
        """Whether a worker holds the lease on one of the athlete's activities."""
        rows = map(LedgerRow.from_item, self._store.query("activities", str(athlete_id)))
        return any(row.lease_until_epoch_s > self._clock() for row in rows)

    def latest(self, athlete_id: int, count: int) -> list[LedgerEntry]:
        """The `count` entries that began last, newest first; for finding, re-read an entry before deciding.

        Entries that wait for their first fetch are the newest: they come before those whose start is known.
        """
        found = self._store.find("activities", "by_start", athlete_id, newest_first=True)
        return [entry for item in islice(found, count) if (entry := LedgerRow.from_item(item).entry)]

    def get_all(self, ids: Iterable[tuple[int, int]]) -> Mapping[int, LedgerEntry]:
        """The entries of these pairs of athlete and activity, by activity; those that do not exist are left out."""
        keys = (Key("activities", str(athlete_id), str(activity_id)) for athlete_id, activity_id in ids)
        rows = map(LedgerRow.from_item, self._store.get_all(keys).values())
        return {row.entry.activity_id: row.entry for row in rows if row.entry}

    @retry_on_conflict
    def _amend(self, athlete_id: int, activity_id: int, change: Callable[[LedgerEntry], LedgerEntry]) -> None:
        """Change the due work; the facts stay, so that no lease is needed."""
        row = self._row(athlete_id, activity_id)
        if row.entry is not None and (changed := change(row.entry)) != row.entry:
            self._put(replace(row, entry=changed))

    def _row(self, athlete_id: int, activity_id: int) -> LedgerRow:
        key = Key("activities", str(athlete_id), str(activity_id))
        item = self._store.get(key)
        return LedgerRow.from_item(item) if item else LedgerRow(key)

    def _held(self, lease: Lease) -> LedgerRow:
        row = self._row(lease.athlete_id, lease.activity_id)
        if row.fence != lease.fence or row.lease_until_epoch_s <= self._clock():
            raise LeaseLost(
                f"the lease {lease.fence} on activity {lease.activity_id} of athlete {lease.athlete_id} ran out"
                " or was taken over: stop, the work is done by another run or queued again"
            )
        return row

    def _let_go(self, row: LedgerRow) -> None:
        self._put(replace(row, dirty=False, lease_until_epoch_s=0.0))

    def _put(self, row: LedgerRow) -> int:
        return self._store.put(row.key, row.to_fields(), expected_version=row.version)
