"""Since when Strava is out: one row, one question in a window."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.clock import Clock
from include.state.application.outages import Outage, Outages
from include.store.store import Key, Store
from local.testbed.manual_clock import ManualClock
from tests.include.state.meanwhile import Meanwhile

WINDOW_S, KEPT_S = 900, 1800


@pytest.fixture
def outages(store: Store, clock: Clock) -> Outages:
    return Outages(store, clock)


def test_nothing_stands_until_an_outage_begins_and_after_it_ends(outages: Outages, clock: Clock) -> None:
    before = outages.current()
    outages.begin("503")
    during = outages.current()
    for _ in range(2):
        outages.end()

    now = int(clock())
    assert (before, during, outages.current()) == (None, Outage(now, "503", now), None)


def test_outage_that_is_found_again_began_when_it_was_found_first(
    outages: Outages, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    began = int(clock())
    outages.begin("503")
    pass_time(60)

    assert outages.begin("timeout") == Outage(began, "503", began + 60) == outages.current()


def test_one_asks_in_each_window(outages: Outages, clock: Clock, pass_time: Callable[[float], None]) -> None:
    to_the_next_window = WINDOW_S - clock() % WINDOW_S
    outages.begin("503")
    asked = [outages.ask()]
    for seconds in (to_the_next_window - 1, 1, 1, WINDOW_S):
        pass_time(seconds)
        asked.append(outages.ask())

    assert asked == [False, False, True, False, True]


def test_nobody_asks_where_nothing_stands(outages: Outages) -> None:
    assert outages.ask() is False


def test_outage_that_nobody_asks_about_is_over(outages: Outages, pass_time: Callable[[float], None]) -> None:
    outages.begin("503")
    pass_time(KEPT_S)

    assert outages.current() is None


def test_others_are_asked_once_in_a_window_by_one_alone(
    outages: Outages, store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    asked = [[Outages(store, clock).ask_others() for _ in range(2)]]
    for _ in range(2):
        pass_time(WINDOW_S)
        asked.append([outages.ask_others() for _ in range(2)])

    assert asked == [[True, False]] * 3
    assert outages.current() is None


def test_outage_that_is_checked_stays_as_it_began(
    outages: Outages, clock: ManualClock, pass_time: Callable[[float], None]
) -> None:
    began = int(clock())
    outages.begin("503")
    for _ in range(3):
        pass_time(WINDOW_S + 0.5)
        assert outages.ask()
        assert outages.current() == Outage(began, "503", int(clock()))

    pass_time(KEPT_S - 2)
    assert outages.current() is not None


def test_check_in_the_second_in_which_a_window_opens_is_its_check(outages: Outages, clock: ManualClock) -> None:
    clock.now_epoch_s = clock() // WINDOW_S * WINDOW_S
    outages.begin("503")
    assert not outages.ask()
    clock.advance(WINDOW_S)
    assert [outages.ask(), outages.ask()] == [True, False]


def test_others_are_checked_once_in_a_window_that_opens_in_that_second(outages: Outages, clock: ManualClock) -> None:
    clock.now_epoch_s = clock() // WINDOW_S * WINDOW_S
    asked = [outages.ask_others(), outages.ask_others()]
    clock.advance(WINDOW_S - 1)
    asked.append(outages.ask_others())
    clock.advance(1)

    assert [*asked, outages.ask_others()] == [True, False, False, True]


def test_other_process_that_claims_the_check_first_gets_it(outages: Outages, store: Store, clock: ManualClock) -> None:
    outages.begin("503")
    clock.advance(WINDOW_S)
    claimed: list[bool] = []

    def raced(claim: Callable[[Outages], bool]) -> bool:
        return claim(Outages(Meanwhile(store, "outages", lambda: claimed.append(claim(outages))), clock))

    assert [raced(Outages.ask), raced(Outages.ask_others)] == [False, False]
    clock.advance(WINDOW_S)
    assert not raced(Outages.ask_others)
    assert claimed == [True, True, True]


def test_claim_to_check_others_is_gone_two_windows_later(outages: Outages, store: Store, clock: ManualClock) -> None:
    clock.advance(0.9)
    outages.ask_others()

    row = store.get(Key("outages", "others"))
    assert row is not None
    assert (row.fields, row.expires_at_epoch_s) == ({"asked_at_epoch_s": int(clock())}, int(clock()) + KEPT_S)


def test_outage_that_begins_again_while_it_ends_is_over(outages: Outages, store: Store, clock: ManualClock) -> None:
    outages.begin("503")
    Outages(Meanwhile(store, "outages", lambda: outages.begin("timeout")), clock).end()
    assert outages.current() is None


def test_outage_that_two_find_at_once_began_when_the_first_found_it(
    outages: Outages, store: Store, clock: ManualClock
) -> None:
    began = int(clock())
    raced = Outages(Meanwhile(store, "outages", lambda: outages.begin("503")), clock)

    assert raced.begin("timeout") == outages.current() == Outage(began, "503", began)
