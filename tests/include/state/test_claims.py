"""Claims of what is about to be made: each counts for a minute, and never against itself."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest

from include.clock import Clock
from include.state.claims import Claims
from include.store.store import Key, Store
from tests.include.state.meanwhile import Meanwhile

ADA, CLAIM_S = 11, 60
PassTime = Callable[[float], None]


@pytest.fixture
def claims(store: Store, clock: Clock) -> Claims:
    return Claims(store, clock)


def take(claims: Claims, claimed: str, *, most: int = 100, kind: str = "children", athlete_id: int = ADA) -> list[str]:
    """Take a claim for which there is room; returns what the others have claimed."""
    given: list[str] = []

    def standing(recent: Collection[str]) -> Collection[str]:
        given.extend(recent)
        return recent

    assert claims.take(kind, athlete_id, claimed, most=most, standing=standing)
    return sorted(given)


def test_claim_counts_for_a_minute_after_it_was_taken(claims: Claims, pass_time: PassTime) -> None:
    assert take(claims, "first") == []
    pass_time(30)
    assert take(claims, "second") == ["first"]
    pass_time(CLAIM_S - 31)
    assert take(claims, "third") == ["first", "second"]
    pass_time(1)
    assert take(claims, "fourth") == ["second", "third"]
    pass_time(CLAIM_S)
    assert take(claims, "fifth") == []


def test_claim_taken_again_counts_from_then_on_and_not_against_itself(claims: Claims, pass_time: PassTime) -> None:
    take(claims, "first")
    pass_time(CLAIM_S - 1)
    assert take(claims, "first", most=1) == []
    pass_time(CLAIM_S - 1)
    assert take(claims, "second") == ["first"]


def test_claims_of_another_kind_or_athlete_do_not_count(claims: Claims) -> None:
    take(claims, "first")

    assert take(claims, "second", kind="invitations") == take(claims, "second", athlete_id=ADA + 1) == []


@pytest.mark.parametrize(
    ("standing", "has_room"),
    [
        pytest.param({"a"}, True, id="room for one more"),
        pytest.param({"a", "b"}, False, id="full"),
        pytest.param({"a", "b", "c"}, False, id="above the limit"),
        pytest.param({"a", "new"}, True, id="full with the one that is claimed"),
    ],
)
def test_claim_is_taken_only_where_there_is_room(
    claims: Claims, store: Store, clock: Clock, standing: set[str], has_room: bool
) -> None:
    assert claims.take("children", ADA, "new", most=2, standing=lambda _recent: standing) is has_room

    row = store.get(Key("brakes", f"children.{ADA}"))
    assert (row is not None) is has_room
    if row is not None:
        now = int(clock())
        assert (row.fields, row.expires_at_epoch_s) == ({"claims": {"new": now}}, now + CLAIM_S)


def test_claim_that_another_takes_between_read_and_write_is_kept_and_counted(store: Store, clock: Clock) -> None:
    claims = Claims(store, clock)
    raced = Meanwhile(store, "brakes", lambda: take(claims, "first"))

    assert take(Claims(raced, clock), "second") == ["first"]
    assert take(claims, "third") == ["first", "second"]
