"""What an erasure leaves of the athlete's rows in other ledgers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.activities.ledger import ActivityLedger, LedgerEntry
from include.state.copies.ledger import Copy, CopyLedger, CopyState
from include.state.erasures.ledger import EraseReason, Erasure, Erasures
from include.store.store import Store

ANN, REX = 42, 43
OPERATOR, ATHLETE, EVENT = EraseReason.OPERATOR, EraseReason.ATHLETE, EraseReason.DEAUTHORISATION


def begin(erasures: Erasures, athlete_id: int, reason: EraseReason = OPERATOR) -> Erasure:
    """An erasure under way, with the lease on it."""
    erasures.ask_now(athlete_id, reason)
    lease = erasures.acquire(athlete_id)
    assert lease is not None
    return erasures.advance(lease.confirmed())


def test_no_activity_is_leased_for_an_erased_athlete_and_no_row_is_left(
    erasures: Erasures, store: Store, clock: Clock
) -> None:
    ledger = ActivityLedger(store, clock)
    for athlete_id in (ANN, REX):
        lease = ledger.acquire(athlete_id, 1)
        assert lease is not None
        ledger.settle(lease, replace(LedgerEntry.unknown(athlete_id, 1), object_keys=("a",)))
    begin(erasures, ANN)

    assert (ledger.acquire(ANN, 1), ledger.acquire(ANN, 2)) == (None, None)
    assert list(store.query("activities", str(ANN))) == []
    assert ledger.acquire(REX, 1) is not None


def test_row_of_an_activity_outlives_a_wish_that_is_withdrawn(erasures: Erasures, store: Store, clock: Clock) -> None:
    ledger = ActivityLedger(store, clock)
    lease = ledger.acquire(ANN, 1)
    assert lease is not None
    ledger.settle(lease, replace(LedgerEntry.unknown(ANN, 1), object_keys=("a",)))
    before = ledger.get(ANN, 1)
    erasures.ask_now(ANN, ATHLETE)

    assert ledger.acquire(ANN, 1) is None
    assert ledger.acquire(ANN, 2) is None

    assert [item.key.sort for item in store.query("activities", str(ANN))] == ["1"]
    assert ledger.get(ANN, 1) == before
    assert not ledger.is_leased(ANN)
    erasures.withdraw(ANN)
    assert ledger.acquire(ANN, 1) is not None


def test_running_lease_is_seen_and_not_forgotten_before_it_ends(
    erasures: Erasures, store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger = ActivityLedger(store, clock)
    ledger.acquire(ANN, 1)
    begin(erasures, ANN)

    assert ledger.is_leased(ANN)
    assert not ledger.forget(ANN, 1)
    pass_time(300)
    assert not ledger.is_leased(ANN)
    assert ledger.forget(ANN, 1)
    assert ledger.forget(ANN, 1)
    assert list(ledger.of_athlete(ANN)) == []


@pytest.mark.parametrize("erased", [pytest.param(ANN, id="parent"), pytest.param(REX, id="child")])
def test_no_copy_is_claimed_of_or_for_an_erased_athlete(
    erasures: Erasures, store: Store, clock: Clock, erased: int
) -> None:
    copies = CopyLedger(store, clock)
    copies.plan(Copy(1, REX, ANN, CopyState.PLANNED))
    begin(erasures, erased)

    assert copies.acquire(1, REX) is None
    assert copies.get(1, REX) is None


@pytest.mark.parametrize("leaving", [pytest.param(ANN, id="parent"), pytest.param(REX, id="child")])
def test_copy_outlives_a_wish_that_is_withdrawn(erasures: Erasures, store: Store, clock: Clock, leaving: int) -> None:
    copies = CopyLedger(store, clock)
    planned = copies.plan(Copy(1, REX, ANN, CopyState.PLANNED))
    erasures.ask_now(leaving, ATHLETE)

    assert copies.acquire(1, REX) is None
    assert not copies.is_leased(planned)

    erasures.withdraw(leaving)
    assert copies.acquire(1, REX) is not None


def test_copy_in_a_workers_hands_is_not_forgotten_before_it_is_let_go(store: Store, clock: Clock) -> None:
    copies = CopyLedger(store, clock)
    copies.plan(Copy(1, REX, ANN, CopyState.PLANNED))
    claimed = copies.acquire(1, REX)
    assert claimed is not None

    assert copies.is_leased(claimed)
    assert not copies.forget(1, REX)
    copies.settle(claimed)
    assert not copies.is_leased(claimed)
    assert copies.forget(1, REX)
    assert copies.forget(1, REX)
