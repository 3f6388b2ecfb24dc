"""The ledger of erasures: requested, under way, or over in the last 30 days."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from include.clock import Clock
from include.errors import BeingErased, LeaseLost, VersionConflict
from include.state.erasures.entry import KIND, NEXT_TRY_S, EraseReason, Erasure, ErasureGrounds, ErasureStage
from include.state.transition import readable
from include.store.conflict import retry_on_conflict
from include.store.store import Key, Store

__all__ = ["EraseReason", "Erasure", "ErasureGrounds", "ErasureStage", "Erasures"]

KEPT_S = 30 * 86_400
"""How long the row of a finished erasure is kept: longer than any work that was under way at its end can take."""

LEASE_S = 300
"""The length of the lease on an erasure."""


class Erasures:
    """Every erasure, and the barrier that keeps a late worker from writing erased data again.

    A worker writes its lease first, then checks here, and removes what it wrote if an erasure forbids it. The erasure
    stores its row first, then looks for records. Whichever comes first, one of the two sees the other.

    One worker at a time carries an erasure out, under a lease; where it dies, another resumes. The value that `acquire`
    and `check` return proves the lease, and `advance` and `settle` store a step made from it: where a request was
    joined meanwhile, they raise `VersionConflict` instead of overwriting it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, athlete_id: int) -> Erasure | None:
        """The athlete's erasure that is open, or was over in the last 30 days; else None."""
        item = self._store.get(_key(athlete_id))
        return Erasure.from_item(item) if item else None

    def forbid_writing(self, *athlete_ids: int) -> bool:
        """Whether nothing may be written for one of the athletes."""
        erasures = map(self.get, athlete_ids)
        return any(erasure is not None and erasure.forbids_writing for erasure in erasures)

    def clear_away(self, *athlete_ids: int) -> bool:
        """Whether the data of one of the athletes is being removed, or was; a request alone may still be withdrawn."""
        erasures = map(self.get, athlete_ids)
        return any(erasure is not None and erasure.clears_away for erasure in erasures)

    def all(self) -> Iterator[Erasure]:
        """Every erasure that is open or was over in the last 30 days; for finding, re-read before deciding."""
        return readable(self._store.find("erasures", "all", KIND), Erasure.from_item)

    @retry_on_conflict
    def ask(self, athlete_id: int, grounds: ErasureGrounds) -> Erasure:
        """Store the request, and return the resulting erasure: open, or over if that answers the request.

        An open erasure is joined. A person's request is answered by the outcome of the same or a person's later
        request, never by that of an event, whose time anybody may choose; an event about an athlete whose erasure is
        finished adds nothing, since the athlete has not connected after it.
        Effects: safe to repeat.
        """
        present, now_epoch_s = self.get(athlete_id), int(self._clock())
        if present is None:
            return self._put(_linked(Erasure.first(athlete_id, grounds, now_epoch_s)))
        if present.is_open:
            asked = present.joined(grounds)
        elif grounds.is_hint:
            is_over = present.stage is ErasureStage.FINISHED
            asked = present if is_over else _linked(present.asked(grounds, now_epoch_s))
        else:
            is_answered = not present.grounds.is_hint and grounds.asked_at_epoch_s <= present.grounds.asked_at_epoch_s
            asked = present if is_answered else _linked(present.asked(grounds, now_epoch_s))
        return present if asked == present else self._put(asked)

    def ask_now(self, athlete_id: int, reason: EraseReason) -> Erasure:
        """`ask` for a person who asks now."""
        present, now_epoch_s = self.get(athlete_id), int(self._clock())
        earliest = present.grounds.asked_at_epoch_s + 1 if present and not present.grounds.is_hint else 0
        return self.ask(athlete_id, ErasureGrounds(reason, max(now_epoch_s, earliest)))

    @retry_on_conflict
    def admit(self, athlete_id: int) -> None:
        """Let the athlete connect; an earlier erasure no longer forbids writes.

        Errors: `BeingErased` while an erasure is under way.
        """
        present = self.get(athlete_id)
        if present is None:
            return
        if present.stage is ErasureStage.UNDER_WAY:
            raise BeingErased(f"the data of athlete {athlete_id} is being erased: connect again when that is done")
        if present.stage is ErasureStage.FINISHED:
            self._put(present.withdrawn())

    @retry_on_conflict
    def withdraw(self, athlete_id: int) -> None:
        """Withdraw the erasure of a connected athlete; one under way is left to its run. Safe to repeat.

        Effects: a worker that holds it loses the lease.
        """
        present = self.get(athlete_id)
        if present is not None and present.stage in (ErasureStage.ASKED, ErasureStage.FINISHED):
            self._put(replace(present.withdrawn(), lease_until_epoch_s=0.0))

    @retry_on_conflict
    def acquire(self, athlete_id: int) -> Erasure | None:
        """The open erasure, leased; None if there is none, or while another worker holds it."""
        present = self.get(athlete_id)
        if present is None or not present.is_open or present.lease_until_epoch_s > self._clock():
            return None
        linked = present if present.link_id else _linked(present)
        return self._put(replace(self._renewed(linked), fence=present.fence + 1))

    @contextmanager
    def held(self, athlete_id: int) -> Iterator[Erasure | None]:
        """`acquire`, for the length of a block. Effects: releases the lease at the end, by an error too."""
        lease = self.acquire(athlete_id)
        try:
            yield lease
        finally:
            if lease is not None:
                self._let_go(lease)

    def check(self, lease: Erasure) -> Erasure:
        """The erasure as it is now, with the lease. Errors: `LeaseLost`; then write nothing more."""
        present = self.get(lease.athlete_id)
        if present is None or present.fence != lease.fence or present.lease_until_epoch_s <= self._clock():
            raise LeaseLost(
                f"the lease {lease.fence} on the erasure of athlete {lease.athlete_id} ran out, was taken over, or the"
                " athlete has connected again: stop, another run does the rest"
            )
        return present

    @retry_on_conflict
    def renew(self, lease: Erasure) -> Erasure:
        """The lease, renewed; nothing is read while more than half of it is left.

        Errors: `LeaseLost`; then write nothing more.
        """
        if lease.lease_until_epoch_s - self._clock() > LEASE_S / 2:
            return lease
        return self._put(self._renewed(self.check(lease)))

    def advance(self, erasure: Erasure) -> Erasure:
        """Store a step made from the value of `check`, and keep the lease, renewed.

        Errors: `VersionConflict` when the row has changed since: check and decide again.
        """
        return self._put(self._renewed(erasure))

    def settle(self, erasure: Erasure) -> Erasure:
        """Store a step made from the value of `check`, and release the lease. Errors: as `advance`."""
        return self._put(replace(erasure, lease_until_epoch_s=0.0))

    def postpone(self, seen: Erasure) -> None:
        """Note that a run is queued for the erasure: reconcile queues none for a while.

        Effects: none if the row has changed since it was `seen`: a worker holds it.
        """
        with suppress(VersionConflict):
            self._put(replace(seen, next_try_epoch_s=int(self._clock()) + NEXT_TRY_S))

    def due(self) -> Iterator[Erasure]:
        """The open erasures that no worker holds and for which no run was queued lately."""
        now_epoch_s = self._clock()
        for found in list(self.all()):
            erasure = self.get(found.athlete_id)
            if (
                erasure
                and erasure.is_open
                and max(erasure.next_try_epoch_s, erasure.lease_until_epoch_s) <= now_epoch_s
            ):
                yield erasure

    @retry_on_conflict
    def _let_go(self, lease: Erasure) -> None:
        present = self.get(lease.athlete_id)
        if present is not None and present.fence == lease.fence and present.lease_until_epoch_s > 0:
            self._put(replace(present, lease_until_epoch_s=0.0))

    def _renewed(self, erasure: Erasure) -> Erasure:
        return replace(erasure, lease_until_epoch_s=self._clock() + LEASE_S)

    def _put(self, erasure: Erasure) -> Erasure:
        version = self._store.put(
            _key(erasure.athlete_id),
            erasure.to_fields(),
            expected_version=erasure.version,
            expires_at_epoch_s=None if erasure.is_open else int(self._clock()) + KEPT_S,
        )
        return replace(erasure, version=version)


def _linked(erasure: Erasure) -> Erasure:
    """The erasure with a new link to its certificate."""
    return replace(erasure, link_id=secrets.token_urlsafe(24))


def _key(athlete_id: int) -> Key:
    return Key("erasures", str(athlete_id))
