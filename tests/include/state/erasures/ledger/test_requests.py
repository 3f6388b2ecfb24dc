"""Who asked for an erasure, which request prevails, and who may write for the athlete meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.errors import BeingErased, LeaseLost, VersionConflict
from include.state.erasures.ledger import EraseReason, ErasureGrounds, Erasures, ErasureStage
from tests.include.state.erasures.ledger.under_way import begin, finish

ANN, REX = 42, 43
OPERATOR, ATHLETE, EVENT = EraseReason.OPERATOR, EraseReason.ATHLETE, EraseReason.DEAUTHORISATION
S = ErasureStage
DAYS_30_S = 30 * 86_400


def test_nobody_is_erased_at_first(erasures: Erasures) -> None:
    assert erasures.get(ANN) is None
    assert not erasures.forbid_writing(ANN, REX)
    assert list(erasures.all()) == []
    assert erasures.acquire(ANN) is None


@pytest.mark.parametrize(
    ("reason", "forbidden"),
    [
        pytest.param(ATHLETE, True, id="athlete"),
        pytest.param(OPERATOR, True, id="operator"),
        pytest.param(EVENT, False, id="event"),
    ],
)
def test_wish_of_a_person_forbids_writing_at_once_and_an_event_only_when_confirmed(
    erasures: Erasures, reason: EraseReason, forbidden: bool
) -> None:
    erasures.ask_now(ANN, reason)
    assert (erasures.forbid_writing(ANN), erasures.forbid_writing(REX)) == (forbidden, False)

    lease = erasures.acquire(ANN)
    assert lease is not None
    erasures.advance(lease.confirmed())
    assert erasures.forbid_writing(REX, ANN)


def test_writing_is_forbidden_from_the_beginning_until_30_days_after_the_end(
    erasures: Erasures, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    begin(erasures, ANN)
    pass_time(DAYS_30_S * 2)
    assert erasures.forbid_writing(REX, ANN)

    lease = erasures.acquire(ANN)
    assert lease is not None
    finish(erasures, lease, clock())
    pass_time(DAYS_30_S - 1)
    assert [found.stage for found in erasures.all()] == [S.FINISHED]
    assert erasures.forbid_writing(ANN)

    pass_time(2)
    assert not erasures.forbid_writing(ANN)


# --- asking --------------------------------------------------------------------------------------


def test_open_erasure_is_joined(erasures: Erasures, pass_time: Callable[[float], None]) -> None:
    first = begin(erasures, ANN)
    pass_time(10)
    assert erasures.ask_now(ANN, ATHLETE) == first


@pytest.mark.parametrize(
    ("wishes", "left"),
    [
        pytest.param(
            [ErasureGrounds(EVENT, 5), ErasureGrounds(ATHLETE, 3)],
            ErasureGrounds(ATHLETE, 3),
            id="a person's word after an event",
        ),
        pytest.param(
            [ErasureGrounds(ATHLETE, 3), ErasureGrounds(EVENT, 5)],
            ErasureGrounds(ATHLETE, 3),
            id="an event after a person's word",
        ),
        pytest.param(
            [ErasureGrounds(EVENT, 5), ErasureGrounds(EVENT, 9)], ErasureGrounds(EVENT, 9), id="a later event"
        ),
        pytest.param(
            [ErasureGrounds(EVENT, 9), ErasureGrounds(EVENT, 5)],
            ErasureGrounds(EVENT, 9),
            id="an event that comes late",
        ),
        pytest.param(
            [ErasureGrounds(OPERATOR, 3), ErasureGrounds(ATHLETE, 5)], ErasureGrounds(OPERATOR, 5), id="two persons"
        ),
    ],
)
def test_wish_that_joins_another_keeps_the_stronger_word_and_the_later_time(
    erasures: Erasures, wishes: list[ErasureGrounds], left: ErasureGrounds
) -> None:
    for grounds in wishes:
        joined = erasures.ask(ANN, grounds)

    assert (joined.stage, joined.grounds) == (S.ASKED, left)
    assert erasures.get(ANN) == joined


@pytest.mark.parametrize("connected", [pytest.param(True, id="connected again"), pytest.param(False, id="not")])
def test_next_erasure_begins_later_even_in_the_same_second(erasures: Erasures, connected: bool) -> None:
    first = begin(erasures, ANN)
    finish(erasures, first)
    if connected:
        erasures.admit(ANN)
        assert not erasures.forbid_writing(ANN)

    second = erasures.ask_now(ANN, OPERATOR)

    assert second.stage is S.ASKED
    assert second.began_at_epoch_s == first.began_at_epoch_s + 1
    with pytest.raises(LeaseLost):
        erasures.check(first)


def test_event_of_whatever_time_keeps_no_wish_of_a_person_away(erasures: Erasures, clock: Clock) -> None:
    year_9999 = 253_402_300_799
    erasures.ask(ANN, ErasureGrounds(EVENT, year_9999))
    erasures.withdraw(ANN)

    asked = erasures.ask(ANN, ErasureGrounds(OPERATOR, int(clock())))
    erasures.withdraw(ANN)

    assert asked.stage is S.ASKED
    assert erasures.ask_now(ANN, ATHLETE).grounds == ErasureGrounds(ATHLETE, int(clock()) + 1)


@pytest.mark.parametrize("end", [pytest.param(S.FINISHED, id="erased"), pytest.param(S.WITHDRAWN, id="withdrawn")])
def test_wish_of_a_person_that_is_delivered_again_is_answered_already(erasures: Erasures, end: ErasureStage) -> None:
    grounds = erasures.ask_now(ANN, ATHLETE).grounds
    if end is S.WITHDRAWN:
        erasures.withdraw(ANN)
    else:
        finish(erasures, begin(erasures, ANN, ATHLETE))

    again = erasures.ask(ANN, grounds)

    assert again.stage is end
    assert (
        erasures.ask(ANN, replace(again.grounds, asked_at_epoch_s=again.grounds.asked_at_epoch_s + 1)).stage is S.ASKED
    )


def test_event_after_the_erasure_does_not_take_the_barrier_down(erasures: Erasures) -> None:
    finish(erasures, begin(erasures, ANN))

    assert erasures.ask(ANN, ErasureGrounds(EVENT, 2**40)).stage is S.FINISHED
    assert erasures.forbid_writing(ANN)


# --- connecting ----------------------------------------------------------------------------------


def test_athlete_is_admitted_exactly_while_nothing_is_being_removed(erasures: Erasures) -> None:
    erasures.admit(ANN)
    erasures.ask_now(ANN, ATHLETE)
    erasures.admit(ANN)
    lease = begin(erasures, ANN)

    with pytest.raises(BeingErased, match="connect again when that is done"):
        erasures.admit(ANN)
    erasures.withdraw(ANN)
    assert erasures.check(lease).stage is S.UNDER_WAY

    finish(erasures, lease)
    erasures.admit(ANN)
    assert not erasures.forbid_writing(ANN)


def test_worker_loses_an_erasure_that_is_withdrawn(erasures: Erasures) -> None:
    erasures.ask_now(ANN, ATHLETE)
    with erasures.held(ANN) as lease:
        assert lease is not None
        erasures.withdraw(ANN)

        with pytest.raises(LeaseLost, match="has connected again"):
            erasures.check(lease)
        with pytest.raises(VersionConflict):
            erasures.advance(lease.confirmed())
    present = erasures.get(ANN)
    assert present is not None
    assert present.stage is S.WITHDRAWN
