"""One worker per erasure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.errors import LeaseLost, VersionConflict
from include.state.erasures.entry import NEXT_TRY_S
from include.state.erasures.ledger import LEASE_S, EraseReason, Erasure, ErasureGrounds, Erasures

ANN, REX = 42, 43
OPERATOR, ATHLETE, EVENT = EraseReason.OPERATOR, EraseReason.ATHLETE, EraseReason.DEAUTHORISATION


def begin(erasures: Erasures, athlete_id: int, reason: EraseReason = OPERATOR) -> Erasure:
    """An erasure under way, with the lease on it."""
    erasures.ask_now(athlete_id, reason)
    lease = erasures.acquire(athlete_id)
    assert lease is not None
    return erasures.advance(lease.confirmed())


def finish(erasures: Erasures, lease: Erasure, now: float = 0) -> Erasure:
    return erasures.settle(erasures.check(lease).finished(int(now)))


def test_one_of_two_workers_has_the_erasure_and_the_other_takes_over_where_it_died(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    erasures.ask_now(ANN, ATHLETE)
    first = erasures.acquire(ANN)
    assert first is not None
    assert erasures.acquire(ANN) is None
    pass_time(LEASE_S - 1)
    assert erasures.acquire(ANN) is None

    pass_time(1)
    second = erasures.acquire(ANN)

    assert second is not None
    assert erasures.check(second).fence == first.fence + 1
    with pytest.raises(LeaseLost):
        erasures.check(first)


def test_sign_of_life_keeps_the_lease_and_costs_nothing_while_half_of_it_is_left(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    lease = begin(erasures, ANN)
    assert erasures.renew(lease) is lease
    for _ in range(5):
        pass_time(LEASE_S / 2)
        lease = erasures.renew(lease)

    assert erasures.check(lease) == lease
    pass_time(LEASE_S)
    with pytest.raises(LeaseLost):
        erasures.renew(lease)


def test_lease_is_let_go_at_the_end_of_the_block_by_an_error_too(erasures: Erasures) -> None:
    erasures.ask_now(ANN, ATHLETE)
    with pytest.raises(ZeroDivisionError), erasures.held(ANN) as lease:
        assert 1 / int(lease is None)

    assert erasures.acquire(ANN) is not None


def test_wish_that_is_joined_meanwhile_makes_the_worker_decide_again(erasures: Erasures) -> None:
    erasures.ask(ANN, ErasureGrounds(EVENT, 5))
    lease = erasures.acquire(ANN)
    assert lease is not None
    erasures.ask(ANN, ErasureGrounds(ATHLETE, 6))

    with pytest.raises(VersionConflict):
        erasures.settle(lease.withdrawn())
    assert erasures.check(lease).grounds.reason is ATHLETE


def test_erasure_is_due_a_window_after_a_run_was_started_for_it_while_nobody_works_on_it(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    def due() -> list[int]:
        return [erasure.athlete_id for erasure in erasures.due()]

    asked = erasures.ask_now(ANN, ATHLETE)
    assert due() == []
    pass_time(NEXT_TRY_S)
    assert due() == [ANN]

    erasures.postpone(asked)
    assert due() == []
    pass_time(NEXT_TRY_S)
    lease = erasures.acquire(ANN)
    assert lease is not None
    assert due() == []
    erasures.postpone(asked)  # an older view changes nothing
    finish(erasures, lease)
    assert due() == []
