"""What a request leaves in the row: a repeated one nothing, a new one its own time and link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, Erasures, ErasureStage
from tests.include.state.erasures.ledger.under_way import begin, finish

ANN, REX = 42, 43
OPERATOR, ATHLETE, EVENT = EraseReason.OPERATOR, EraseReason.ATHLETE, EraseReason.DEAUTHORISATION
S = ErasureStage
DAYS_30_S = 30 * 86_400


def test_request_of_a_person_is_stored_with_its_time_and_a_link(erasures: Erasures, clock: Clock) -> None:
    asked = erasures.ask_now(ANN, ATHLETE)

    now = int(clock())
    first = Erasure.first(ANN, ErasureGrounds(ATHLETE, now), now)
    assert asked == replace(first, link_id=asked.link_id, version=1) == erasures.get(ANN)
    assert asked.link_id


@pytest.mark.parametrize(
    "grounds",
    [
        pytest.param(ErasureGrounds(ATHLETE, 5), id="the same"),
        pytest.param(ErasureGrounds(ATHLETE, 4), id="an older one"),
        pytest.param(ErasureGrounds(EVENT, 9), id="an event"),
    ],
)
@pytest.mark.parametrize("end", [pytest.param(None, id="open"), pytest.param(S.FINISHED, id="erased")])
def test_request_that_adds_nothing_writes_nothing(
    erasures: Erasures, grounds: ErasureGrounds, end: ErasureStage | None
) -> None:
    before = erasures.ask(ANN, ErasureGrounds(ATHLETE, 5))
    if end is not None:
        lease = erasures.acquire(ANN)
        assert lease is not None
        before = erasures.settle(lease.finished(9))

    assert erasures.ask(ANN, grounds) == before == erasures.get(ANN)


@pytest.mark.parametrize(
    ("first", "second", "is_asked"),
    [
        pytest.param(ErasureGrounds(EVENT, 5), ErasureGrounds(EVENT, 5), True, id="an event, again"),
        pytest.param(ErasureGrounds(EVENT, 5), ErasureGrounds(EVENT, 4), True, id="an older event"),
        pytest.param(ErasureGrounds(OPERATOR, 5), ErasureGrounds(EVENT, 4), True, id="an event after a person"),
        pytest.param(ErasureGrounds(EVENT, 5), ErasureGrounds(OPERATOR, 4), True, id="a person after an event"),
        pytest.param(ErasureGrounds(OPERATOR, 5), ErasureGrounds(ATHLETE, 4), False, id="a person's older word"),
        pytest.param(ErasureGrounds(OPERATOR, 5), ErasureGrounds(ATHLETE, 5), False, id="a person's, at once"),
        pytest.param(ErasureGrounds(OPERATOR, 5), ErasureGrounds(ATHLETE, 6), True, id="a person's later word"),
    ],
)
def test_request_after_a_withdrawn_one_begins_anew_with_its_own_link_unless_it_is_answered(
    erasures: Erasures, first: ErasureGrounds, second: ErasureGrounds, is_asked: bool
) -> None:
    before = erasures.ask(ANN, first)
    erasures.withdraw(ANN)

    asked = erasures.ask(ANN, second)

    if is_asked:
        assert (asked.stage, asked.grounds) == (S.ASKED, second)
        assert asked.link_id not in ("", before.link_id)
    else:
        assert (asked.stage, asked.grounds, asked.link_id) == (S.WITHDRAWN, first, before.link_id)


def test_person_who_asks_twice_in_a_second_is_heard_twice(erasures: Erasures, clock: Clock) -> None:
    now = int(clock())

    assert erasures.ask_now(ANN, ATHLETE).grounds == ErasureGrounds(ATHLETE, now)
    assert erasures.ask_now(ANN, ATHLETE).grounds == ErasureGrounds(ATHLETE, now + 1)


@pytest.mark.parametrize("stage", [S.UNDER_WAY, S.WITHDRAWN])
def test_erasure_that_is_under_way_or_withdrawn_is_not_withdrawn(erasures: Erasures, stage: ErasureStage) -> None:
    if stage is S.UNDER_WAY:
        begin(erasures, ANN)
    else:
        erasures.ask_now(ANN, ATHLETE)
        erasures.withdraw(ANN)
    before = erasures.get(ANN)

    erasures.withdraw(ANN)

    assert erasures.get(ANN) == before


def test_nobody_is_withdrawn_or_admitted_where_nothing_was_asked(erasures: Erasures) -> None:
    erasures.withdraw(ANN)
    erasures.admit(ANN)

    assert erasures.get(ANN) is None


def test_erased_athlete_who_connects_again_is_withdrawn_and_a_wish_stays(erasures: Erasures) -> None:
    erasures.ask_now(REX, ATHLETE)
    wish = erasures.get(REX)
    erased = finish(erasures, begin(erasures, ANN))

    erasures.admit(ANN)
    erasures.admit(REX)

    assert erasures.get(ANN) == replace(erased, stage=S.WITHDRAWN, version=erased.version + 1)
    assert erasures.get(REX) == wish


@pytest.mark.parametrize("stage", [S.FINISHED, S.WITHDRAWN])
def test_row_is_kept_for_30_days_after_the_end_and_an_open_one_for_good(
    erasures: Erasures, pass_time: Callable[[float], None], stage: ErasureStage
) -> None:
    erasures.ask_now(REX, EVENT)
    erasures.ask_now(ANN, ATHLETE)
    if stage is S.FINISHED:
        finish(erasures, begin(erasures, ANN))
    else:
        erasures.withdraw(ANN)

    pass_time(DAYS_30_S - 1)
    assert erasures.get(ANN) is not None
    pass_time(2)
    assert [found.athlete_id for found in erasures.all()] == [REX]


def test_data_is_cleared_away_for_one_of_several_athletes_only_once_the_erasure_has_begun(erasures: Erasures) -> None:
    erasures.ask_now(ANN, OPERATOR)
    assert not erasures.clear_away(REX, ANN)

    begin(erasures, ANN)
    assert erasures.clear_away(REX, ANN)
    assert not erasures.clear_away(REX)
    assert not erasures.clear_away()
