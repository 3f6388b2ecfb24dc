"""Since when Strava is out: one row, one question in a window."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.clock import Clock
from include.state.application.outages import KEPT_S, Outage, Outages
from include.store.store import Store

WINDOW_S = 900


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
