"""Turns at an athlete's list, taken by one process at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.listings import Listing, Listings, MonthShown
from include.store.store import Store

HOUR_S = 3600


@pytest.fixture
def listings(store: Store, clock: Clock) -> Listings:
    return Listings(store, clock)


def test_athlete_who_was_never_listed_has_a_turn_at_once(listings: Listings) -> None:
    turn = listings.take(7, HOUR_S)
    assert turn is not None
    assert turn.listing == Listing(7)


def test_turn_is_taken_once_in_an_hour_even_if_its_process_dies(listings: Listings) -> None:
    assert listings.take(7, HOUR_S) is not None
    assert listings.take(7, HOUR_S) is None


def test_turn_that_is_given_back_can_be_taken_again(listings: Listings) -> None:
    turn = listings.take(7, HOUR_S)
    assert turn is not None
    listings.release(turn, HOUR_S)
    assert listings.take(7, HOUR_S) is not None


def test_finished_turn_is_remembered_with_all_it_found(listings: Listings, clock: Clock) -> None:
    turn = listings.take(7, HOUR_S)
    assert turn is not None
    listings.finish(
        turn,
        replace(
            turn.listing,
            older_before_epoch_s=99,
            older_from_epoch_s=1.5,
            looked_for=(3, 4),
            looked_at=((5, "a.b"),),
            older_newer_part=MonthShown(6, 7.5),
        ),
    )
    assert listings.get(7) == Listing(7, clock(), 99, 1.5, (3, 4), ((5, "a.b"),), older_newer_part=MonthShown(6, 7.5))
    assert listings.take(7, HOUR_S) is None


def test_late_end_of_a_turn_changes_nothing_about_the_next_one(listings: Listings) -> None:
    late = listings.take(7, HOUR_S)
    assert late is not None
    next_turn = listings.take(7, 0)
    assert next_turn is not None
    listings.finish(next_turn, replace(next_turn.listing, older_before_epoch_s=5))
    listings.finish(late, replace(late.listing, older_before_epoch_s=9))
    listings.release(late, 0)
    assert listings.get(7).older_before_epoch_s == 5


def test_one_of_many_processes_gets_the_turn(listings: Listings) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda _: listings.take(7, HOUR_S), range(8)))
    assert sum(turn is not None for turn in turns) == 1


def test_athlete_who_is_forgotten_was_never_listed(listings: Listings) -> None:
    listings.take(7, HOUR_S)
    for _ in range(2):
        listings.forget(7)
    assert listings.get(7) == Listing(7)
