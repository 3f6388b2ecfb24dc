"""How much of a wish is agreed to: whatever the wish, no more is copied than the child has said yes to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.copying.matching import match
from include.linking.terms import differing, within
from include.state.consent.terms import Terms

NAMES = ("Rex", "REX", "#rex", "Rexi", "Uncle Bob", "Uncle-Bob", "UncleBob", "Bob", "Zoë", "zoe", "太郎", "Anna-Lena")
SPORTS = ("Run", "Ride", "Swim")
AGREED = Terms(("Rex", "Rexi"), 1_700_000_000, allow_private=True, title="{title}", sports=("Run", "Ride"))

terms = st.builds(
    Terms,
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple),
    starts_at_epoch_s=st.none() | st.integers(0, 3),
    allow_private=st.booleans(),
    title=st.sampled_from(("{title}", "{sport}")),
    sports=st.lists(st.sampled_from(SPORTS), max_size=3, unique=True).map(tuple),
)
titles = st.lists(st.sampled_from((*NAMES, "#UncleBob", "run", "with", "'s")), max_size=4).map(" ".join)


def copies(on: Terms, title: str, sport: str, start: int, *, is_private: bool) -> bool:
    """Whether such an activity is copied by these terms; a confirmation comes after all of them."""
    return (
        match(title, on.names) is not None
        and (not on.sports or sport in on.sports)
        and on.starts_at_epoch_s is not None
        and start >= on.starts_at_epoch_s
        and (on.allow_private or not is_private)
    )


@given(terms, terms, terms, titles, st.sampled_from(SPORTS), st.integers(0, 3), st.booleans())
def test_nothing_is_copied_that_the_child_has_not_agreed_to(
    first: Terms, second: Terms, agreed: Terms, title: str, sport: str, start: int, is_private: bool
) -> None:
    in_force = agreed
    for wished in (first, second):
        in_force = within(wished, agreed, in_force)
        assert in_force.title == agreed.title
        if copies(in_force, title, sport, start, is_private=is_private):
            assert copies(agreed, title, sport, start, is_private=is_private)


@given(terms, terms)
def test_wish_that_is_agreed_to_holds_as_it_was_wished(wished: Terms, agreed: Terms) -> None:
    narrowed = within(wished, agreed, agreed)
    assert within(narrowed, agreed, agreed) == within(narrowed, agreed, narrowed) == narrowed
    assert within(agreed, agreed, narrowed) == agreed, "and the way back to what was agreed stays open"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"names": ("Rex",)}, id="fewer names"),
        pytest.param({"names": ("rex", "REXI")}, id="names spelled otherwise"),
        pytest.param({"starts_at_epoch_s": 1_700_000_001}, id="later first day"),
        pytest.param({"allow_private": False}, id="no private activities"),
        pytest.param({"sports": ("Ride",)}, id="fewer sports"),
    ],
)
def test_narrower_wish_is_within_what_was_agreed(change: dict[str, object]) -> None:
    wished = replace(AGREED, **change)
    assert within(wished, AGREED, AGREED) == wished


@pytest.mark.parametrize(
    ("agreed", "wished"),
    [
        pytest.param({}, {"names": ("Rex", "Rexi", "Bello")}, id="another name"),
        pytest.param({}, {"names": ("Bello",)}, id="only other names"),
        pytest.param({}, {"starts_at_epoch_s": 1_699_999_999}, id="earlier first day"),
        pytest.param({"starts_at_epoch_s": None}, {"starts_at_epoch_s": 5}, id="a day before the confirmation"),
        pytest.param({"allow_private": False}, {"allow_private": True}, id="private activities"),
        pytest.param({}, {"title": "{sport}"}, id="another title"),
        pytest.param({}, {"sports": ("Run", "Ride", "Swim")}, id="another sport"),
        pytest.param({}, {"sports": ()}, id="all sports"),
        pytest.param({}, {"sports": ("Swim",)}, id="only other sports"),
    ],
)
def test_wider_wish_leaves_what_was_agreed_in_force(agreed: dict[str, object], wished: dict[str, object]) -> None:
    before = replace(AGREED, **agreed)
    assert within(replace(before, **wished), before, before) == before


def test_mixed_wish_holds_as_far_as_it_narrows() -> None:
    wished = replace(AGREED, names=("Bello", "Rexi"), allow_private=False, title="{sport}", sports=("Swim", "Ride"))
    narrowed = replace(AGREED, names=("Rexi",), allow_private=False, sports=("Ride",))
    assert within(wished, AGREED, AGREED) == narrowed
    assert differing(narrowed, wished) == ("names", "title", "sports")


def test_fingerprint_tells_terms_apart_and_is_the_same_for_the_same() -> None:
    others = [replace(AGREED, names=("Rex",)), replace(AGREED, starts_at_epoch_s=None), replace(AGREED, sports=())]
    assert len({each.fingerprint for each in (AGREED, *others)}) == 4
    assert replace(AGREED).fingerprint == AGREED.fingerprint
