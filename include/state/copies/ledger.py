"""The ledger of copies: from the plan to the activity in the child's account, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from include.clock import Clock
from include.errors import LeaseLost, VersionConflict
from include.state.copies.entry import DUE, Copy
from include.state.copies.outings import Outing, Outings
from include.state.copies.states import FINAL_STATES, MADE_STATES, NOT_MADE_STATES, CopyState, Original
from include.state.erasures.ledger import Erasures
from include.state.transition import readable
from include.store.codec import decode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

__all__ = [
    "FINAL_STATES",
    "MADE_STATES",
    "NOT_MADE_STATES",
    "Copy",
    "CopyLedger",
    "CopyState",
    "Original",
    "external_id",
    "parent_activity_of",
]

LEASE_S = 120
"""The length of the lease for one step of a copy."""

_EXTERNAL_ID = re.compile(r"sdi-([1-9][0-9]{0,18})-[0-9]+(\.|$)", re.ASCII)
_SLEEPING = frozenset({CopyState.SKIPPED, CopyState.WAITING_FOR_ACCESS})


def external_id(parent_activity_id: int, child_id: int) -> str:
    """The copy's external id at Strava; the same at every try, so that a second upload is a duplicate."""
    return f"sdi-{parent_activity_id}-{child_id}"


def parent_activity_of(external_id: str) -> int | None:
    """The original activity in a copy's external id; None for an id that is no copy's.

    Strava appends the file type to the id.
    """
    found = _EXTERNAL_ID.match(external_id)
    activity_id = int(found[1]) if found else 0
    return activity_id if 0 < activity_id < 2**63 else None


class CopyLedger:
    """One worker per copy at a time; a copy changes by its own steps alone."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._erasures = Erasures(store, clock)
        self._outings = Outings(store)

    def get(self, parent_activity_id: int, child_id: int) -> Copy | None:
        """The copy, or None where none was planned."""
        item = self._store.get(_key(parent_activity_id, child_id))
        return _copy(item) if item else None

    def plan(self, copy: Copy) -> Copy:
        """Store the planned copy unless it exists; returns the stored copy."""
        planned = replace(copy, version=ABSENT)
        try:
            return replace(self._put(planned, lease_until_epoch_s=0.0), held=False)
        except VersionConflict:
            return self.get(copy.parent_activity_id, copy.child_id) or self.plan(copy)

    @retry_on_conflict
    def acquire(self, parent_activity_id: int, child_id: int) -> Copy | None:
        """The copy with its lease; None while another worker holds it, or if there is no such copy.

        None too if nothing may be written for the parent or the child; the row is removed if one of them is erased.
        """
        item = self._store.get(_key(parent_activity_id, child_id))
        now_epoch_s = self._clock()
        if item is None or _lease_until(item) > now_epoch_s:
            return None
        acquired = self._write(_copy(item), lease_until_epoch_s=now_epoch_s + LEASE_S)
        if self._erasures.forbid_writing(acquired.parent_id, child_id):  # checked after the write, see `Erasures`
            if self._erasures.clear_away(acquired.parent_id, child_id):
                self.forget(parent_activity_id, child_id, although_leased=True)
            else:
                with suppress(LeaseLost):
                    self.settle(acquired)
            return None
        return acquired

    def is_leased(self, copy: Copy) -> bool:
        """Whether a worker holds the lease on the copy."""
        item = self._store.get(_key(copy.parent_activity_id, copy.child_id))
        return item is not None and _lease_until(item) > self._clock()

    @retry_on_conflict
    def forget(self, parent_activity_id: int, child_id: int, *, although_leased: bool = False) -> bool:
        """Remove the copy, unless a worker holds the lease on it; returns whether it is gone. Safe to repeat."""
        item = self._store.get(_key(parent_activity_id, child_id))
        if item is None:
            return True
        if _lease_until(item) > self._clock() and not although_leased:
            return False
        start_epoch_s = _copy(item).activity_start_epoch_s
        if start_epoch_s is not None:
            self._outings.forget(child_id, parent_activity_id, start_epoch_s)
        self._store.delete(item.key, expected_version=item.version)
        return True

    def advance(self, copy: Copy) -> Copy:
        """Store the copy after a step, and return it with a renewed lease.

        Errors: `LeaseLost` when the lease ran out or was never held.
        """
        self._require_held(copy)
        try:
            return self._put(copy, lease_until_epoch_s=self._clock() + LEASE_S)
        except VersionConflict as err:
            raise _lost(copy) from err

    def settle(self, copy: Copy) -> None:
        """Store the copy after the last step, and release the lease.

        Errors: `LeaseLost`, as by `advance`; then nothing was stored.
        """
        stored = self._require_held(copy)
        store = self._write if copy.to_fields() == stored.to_fields() else self._put
        try:
            store(copy, lease_until_epoch_s=0.0)
        except VersionConflict as err:
            raise _lost(copy) from err

    def claim_time(self, copy: Copy, start_epoch_s: int, end_epoch_s: int) -> Copy | None:
        """The earlier copy of another recording of the same outing; None when this one may be sent.

        Errors: `LeaseLost`. Effects: see `Outings`; call it before anything is sent, at every try.
        """
        self._require_held(copy)
        outing = Outing(copy.parent_activity_id, start_epoch_s, end_epoch_s)
        rival_id = self._outings.claim(copy.child_id, outing, partial(self._is_live, copy.child_id))
        return None if rival_id is None else self.get(rival_id, copy.child_id)

    def release_time(self, copy: Copy) -> None:
        """Make copies of other recordings of the outing due: they waited for this copy, which is not made.

        Effects: safe to repeat; where a crash prevents the call, each is tried at its own next time.
        """
        start_epoch_s, now_epoch_s = copy.activity_start_epoch_s, self._clock()
        if start_epoch_s is not None:
            for rival_id in self._outings.overlapping(copy.child_id, copy.parent_activity_id, start_epoch_s):
                self._wake_planned(rival_id, copy.child_id, now_epoch_s)

    @retry_on_conflict
    def _wake_planned(self, parent_activity_id: int, child_id: int, at_epoch_s: float) -> bool:
        return self._change(parent_activity_id, child_id, {CopyState.PLANNED}, Copy.woken, at_epoch_s)

    @retry_on_conflict
    def reopen(self, parent_activity_id: int, child_id: int, at_epoch_s: float) -> bool:
        """Make a copy due that was not made; returns whether it was in such a state. See `Copy.again`.

        Effects: none for a copy in another state or in a worker's hands; safe to repeat.
        """
        return self._change(parent_activity_id, child_id, NOT_MADE_STATES, Copy.again, at_epoch_s)

    @retry_on_conflict
    def wake(self, parent_activity_id: int, child_id: int, at_epoch_s: float) -> bool:
        """Make a waiting copy due; returns whether it was waiting. See `Copy.woken`.

        Effects: none for a copy in another state or in a worker's hands; safe to repeat.
        """
        return self._change(parent_activity_id, child_id, _SLEEPING, Copy.woken, at_epoch_s)

    def of_activity(self, parent_activity_id: int) -> Iterator[Copy]:
        """The copies of one activity, to all children."""
        return map(_copy, self._store.query("copies", str(parent_activity_id)))

    def of_activities(self, parent_activity_ids: Collection[int], child_ids: Collection[int]) -> Iterator[Copy]:
        """The copies of these activities to these children."""
        keys = (_key(activity_id, child_id) for activity_id in parent_activity_ids for child_id in child_ids)
        return map(_copy, self._store.get_all(keys).values())

    def latest_of_child(self, child_id: int) -> Iterator[Copy]:
        """The copies into a child's account, in whatever state, the latest change first, read in short pages."""
        return map(_copy, self._store.find("copies", "by_change", child_id, newest_first=True))

    def of_child(self, child_id: int) -> Iterator[Copy]:
        """The copies into a child's account, in whatever state, oldest first; re-read a copy before deciding."""
        return map(_copy, self._store.find("copies", "by_child", child_id))

    def made_for(self, child_id: int) -> dict[int, int]:
        """The activities in a child's account that are copies, each with the activity that it was made from.

        The original of a duplicate is the child's own recording.
        """
        made = (copy for copy in self.of_child(child_id) if copy.state is CopyState.DONE)
        return {copy.child_activity_id: copy.parent_activity_id for copy in made if copy.child_activity_id}

    def of_parent(self, parent_id: int) -> Iterator[Copy]:
        """The copies of a parent's activities, oldest first; for finding, re-read a copy before deciding."""
        return map(_copy, self._store.find("copies", "by_parent", parent_id))

    def due(self, now_epoch_s: float) -> Iterator[Copy]:
        """The due copies that no worker holds, longest overdue first."""
        found = self._store.find("copies", "due", DUE, up_to=now_epoch_s)
        return readable((item for item in found if _lease_until(item) <= now_epoch_s), _copy)

    def _is_live(self, child_id: int, parent_activity_id: int) -> bool:
        item, now_epoch_s = self._store.get(_key(parent_activity_id, child_id)), self._clock()
        if item is None or _copy(item).state in NOT_MADE_STATES:
            return False
        return _lease_until(item) > now_epoch_s or not _copy(item).is_left_alone(now_epoch_s)

    def _change(
        self,
        parent_activity_id: int,
        child_id: int,
        states: Collection[CopyState],
        step: Callable[[Copy, int], Copy],
        at_epoch_s: float,
    ) -> bool:
        item = self._store.get(_key(parent_activity_id, child_id))
        if item is None or _lease_until(item) > self._clock() or _copy(item).state not in states:
            return False
        self._put(step(_copy(item), int(at_epoch_s)), lease_until_epoch_s=0.0)
        return True

    def _require_held(self, copy: Copy) -> Copy:
        """The copy as it is stored. Errors: `LeaseLost`, also where another worker has acquired it.

        The version of the following write proves that none has since.
        """
        item = self._store.get(_key(copy.parent_activity_id, copy.child_id))
        if not copy.held or item is None or item.version != copy.version or _lease_until(item) <= self._clock():
            raise _lost(copy)
        return _copy(item)

    def _put(self, copy: Copy, *, lease_until_epoch_s: float) -> Copy:
        """Store the copy, changed now."""
        changed = replace(copy, updated_at_epoch_s=int(self._clock()))
        return self._write(changed, lease_until_epoch_s=lease_until_epoch_s)

    def _write(self, copy: Copy, *, lease_until_epoch_s: float) -> Copy:
        version = self._store.put(
            _key(copy.parent_activity_id, copy.child_id),
            copy.to_fields() | {"lease_until_epoch_s": lease_until_epoch_s},
            expected_version=copy.version,
        )
        return replace(copy, version=version, held=True)


def _lost(copy: Copy) -> LeaseLost:
    return LeaseLost(
        f"copy {copy.external_id} to athlete {copy.child_id} is not, or no longer, leased by this worker:"
        " stop, the worker that acquired it continues from the stored state"
    )


def _key(parent_activity_id: int, child_id: int) -> Key:
    return Key("copies", str(parent_activity_id), str(child_id))


def _lease_until(item: Item) -> float:
    return float(item.fields["lease_until_epoch_s"])


def _copy(item: Item) -> Copy:
    return decode(Copy, item.fields, version=item.version)
