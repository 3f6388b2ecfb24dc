"""Turns at an athlete's list, taken by one process at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.listings import Listing, ListingClaim, Listings, MonthShown
from include.store.store import Store
from local.testbed.manual_clock import ManualClock
from tests.include.state.meanwhile import Meanwhile

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


@pytest.mark.parametrize(
    ("passed_s", "is_due"),
    [
        pytest.param(HOUR_S - 1, False, id="just before"),
        pytest.param(HOUR_S, True, id="to the second"),
        pytest.param(HOUR_S + 1, True, id="later"),
    ],
)
def test_athlete_is_listed_again_when_the_last_listing_is_so_old(
    listings: Listings, clock: ManualClock, passed_s: float, is_due: bool
) -> None:
    first = listings.take(7, HOUR_S)
    clock.advance(passed_s)

    claim = listings.take(7, HOUR_S)

    assert first == ListingClaim(Listing(7), clock() - passed_s, 1)
    assert claim == (ListingClaim(Listing(7, clock() - passed_s), clock(), 2) if is_due else None)
    assert listings.get(7) == Listing(7, clock() if is_due else clock() - passed_s)


def test_finished_listing_counts_from_when_it_was_claimed(listings: Listings, clock: ManualClock) -> None:
    claim = listings.take(7, HOUR_S)
    assert claim is not None
    clock.advance(60)
    listings.finish(claim, replace(claim.listing, looked_for=(3,)))

    assert listings.get(7) == Listing(7, clock() - 60, looked_for=(3,))


@pytest.mark.parametrize(
    ("waited_s", "counts_as_listed_s_ago"),
    [pytest.param(HOUR_S, HOUR_S, id="just due"), pytest.param(10 * HOUR_S, HOUR_S, id="long overdue")],
)
def test_released_listing_is_due_again_after_those_that_were_due_before(
    listings: Listings, clock: ManualClock, waited_s: float, counts_as_listed_s_ago: float
) -> None:
    first = listings.take(7, HOUR_S)
    assert first is not None
    listings.finish(first, replace(first.listing, looked_for=(3,)))
    clock.advance(waited_s)
    claim = listings.take(7, HOUR_S)
    assert claim is not None

    listings.release(claim, HOUR_S)

    assert listings.get(7) == Listing(7, clock() - counts_as_listed_s_ago, looked_for=(3,))


def test_released_listing_of_a_shorter_wait_is_due_when_it_was_before(listings: Listings, clock: ManualClock) -> None:
    listings.take(7, HOUR_S)
    clock.advance(60)
    claim = listings.take(7, 60)
    assert claim is not None

    listings.release(claim, HOUR_S)

    assert listings.get(7).listed_at_epoch_s == clock() - 60


def test_other_process_that_claims_first_gets_the_listing(store: Store, clock: Clock, listings: Listings) -> None:
    others: list[ListingClaim | None] = []
    raced = Meanwhile(store, "listings", lambda: others.append(listings.take(7, HOUR_S)))

    assert Listings(raced, clock).take(7, HOUR_S) is None
    assert others == [ListingClaim(Listing(7), clock(), 1)]


def test_late_end_of_a_listing_brings_no_erased_athlete_back(listings: Listings) -> None:
    claim = listings.take(7, HOUR_S)
    assert claim is not None
    listings.forget(7)

    listings.finish(claim, replace(claim.listing, looked_for=(3,)))
    listings.release(claim, HOUR_S)

    assert listings.get(7) == Listing(7)


def test_listing_of_one_athlete_is_nobody_elses(listings: Listings) -> None:
    assert listings.take(7, HOUR_S) is not None
    assert listings.take(8, HOUR_S) is not None
    listings.forget(7)
    assert listings.take(8, HOUR_S) is None
