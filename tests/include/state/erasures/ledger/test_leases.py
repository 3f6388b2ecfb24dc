"""One worker per erasure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.errors import LeaseLost, VersionConflict
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, Erasures
from include.store.store import Key, Store

ANN, REX = 42, 43
LEASE_S, NEXT_TRY_S = 300, 900
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


def test_lease_is_the_erasure_as_stored_with_the_next_number(erasures: Erasures, clock: Clock) -> None:
    asked = erasures.ask_now(ANN, ATHLETE)

    lease = erasures.acquire(ANN)

    assert lease == replace(asked, fence=1, lease_until_epoch_s=clock() + LEASE_S, version=2)
    assert erasures.get(ANN) == lease


def test_erasure_is_given_a_link_once(erasures: Erasures, store: Store) -> None:
    asked = erasures.ask_now(ANN, ATHLETE)
    assert len(asked.link_id) == 32
    row = {**asked.to_fields(), "link_id": ""}
    store.put(Key("erasures", str(ANN)), row, expected_version=asked.version)

    with erasures.held(ANN) as first:
        assert first is not None
    with erasures.held(ANN) as second:
        assert second is not None

    assert len(first.link_id) == 32
    assert (second.link_id, second.fence) == (first.link_id, first.fence + 1)
    assert first.link_id != asked.link_id


@pytest.mark.parametrize(
    ("left_s", "is_renewed"),
    [(LEASE_S / 2 + 0.5, False), (LEASE_S / 2, True), (0.5, True)],
)
def test_lease_is_renewed_for_its_full_length_once_half_of_it_is_over(
    erasures: Erasures, clock: Clock, pass_time: Callable[[float], None], left_s: float, is_renewed: bool
) -> None:
    lease = begin(erasures, ANN)
    pass_time(LEASE_S - left_s)

    renewed = erasures.renew(lease)

    until_epoch_s = clock() + LEASE_S if is_renewed else lease.lease_until_epoch_s
    version = lease.version + is_renewed
    assert renewed == replace(lease, lease_until_epoch_s=until_epoch_s, version=version) == erasures.get(ANN)


def test_step_renews_the_lease_and_the_last_one_releases_it(
    erasures: Erasures, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    lease = begin(erasures, ANN)
    pass_time(LEASE_S - 1)

    advanced = erasures.advance(lease)
    assert advanced == replace(lease, lease_until_epoch_s=clock() + LEASE_S, version=lease.version + 1)
    settled = erasures.settle(advanced)

    assert settled == replace(advanced, lease_until_epoch_s=0.0, version=advanced.version + 1) == erasures.get(ANN)
    assert erasures.acquire(ANN) is not None


def test_end_of_a_block_leaves_the_lease_of_the_worker_that_took_over(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    erasures.ask_now(ANN, ATHLETE)
    with erasures.held(ANN):
        pass_time(LEASE_S)
        second = erasures.acquire(ANN)

    assert second is not None
    assert erasures.get(ANN) == second


def test_end_of_a_block_that_settled_the_erasure_writes_nothing(erasures: Erasures) -> None:
    erasures.ask_now(ANN, ATHLETE)
    with erasures.held(ANN) as lease:
        assert lease is not None
        settled = erasures.settle(lease.confirmed())

    assert erasures.get(ANN) == settled


def test_end_of_a_block_leaves_a_request_that_was_joined_meanwhile(erasures: Erasures) -> None:
    erasures.ask(ANN, ErasureGrounds(EVENT, 5))
    with erasures.held(ANN):
        erasures.ask(ANN, ErasureGrounds(ATHLETE, 6))

    left = erasures.get(ANN)
    assert left is not None
    assert (left.grounds.reason, left.lease_until_epoch_s) == (ATHLETE, 0.0)


def test_no_lease_is_given_on_an_erasure_that_is_over(erasures: Erasures) -> None:
    finish(erasures, begin(erasures, ANN))
    with erasures.held(ANN) as lease:
        assert lease is None

    erasures.admit(ANN)
    assert erasures.acquire(ANN) is None


def test_lost_lease_is_named_with_what_to_do(erasures: Erasures, pass_time: Callable[[float], None]) -> None:
    lease = begin(erasures, ANN)
    pass_time(LEASE_S)

    with pytest.raises(LeaseLost) as caught:
        erasures.check(lease)

    assert str(caught.value) == (
        "the lease 1 on the erasure of athlete 42 ran out, was taken over, or the athlete has connected again: stop, "
        "another run does the rest"
    )


@pytest.mark.parametrize("passed_s", [LEASE_S - 1, LEASE_S])
def test_erasure_is_due_when_its_lease_ends(
    erasures: Erasures, pass_time: Callable[[float], None], passed_s: int
) -> None:
    erasures.ask_now(REX, ATHLETE)
    erasures.ask_now(ANN, ATHLETE)
    pass_time(NEXT_TRY_S)
    erasures.acquire(ANN)
    pass_time(passed_s)

    assert sorted(erasure.athlete_id for erasure in erasures.due()) == ([ANN, REX] if passed_s == LEASE_S else [REX])


def test_queued_erasure_is_due_a_window_later_and_otherwise_as_it_was(
    erasures: Erasures, pass_time: Callable[[float], None]
) -> None:
    asked = erasures.ask_now(ANN, ATHLETE)
    pass_time(1000.9)

    erasures.postpone(asked)

    later = asked.began_at_epoch_s + 1000 + NEXT_TRY_S
    assert erasures.get(ANN) == replace(asked, next_try_epoch_s=later, version=asked.version + 1)
    pass_time(NEXT_TRY_S - 1)
    assert list(erasures.due()) == []
    pass_time(1)
    assert [erasure.athlete_id for erasure in erasures.due()] == [ANN]
