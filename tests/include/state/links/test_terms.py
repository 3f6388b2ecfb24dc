"""The terms of a link: in force, agreed to, and wished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.state.consent.feed import MOST_ENTRIES, FeedEntry, LinkAction, Side
from include.state.consent.terms import Terms
from include.state.links import CopyOptions, Link, LinkStatus

LINK = Link(11, 22, ("Rex", "Bello"), CopyOptions(power=False, allow_private=True, title="{sport}", sports=("Run",)))
TERMS = Terms(("Rex", "Bello"), None, allow_private=True, title="{sport}", sports=("Run",))
OTHERS = Terms(("Mia",), 7, allow_private=False, title="{title}", sports=("Ride", "Run"))


@pytest.mark.parametrize(
    ("consent_epoch_s", "starts_at_epoch_s", "from_epoch_s"),
    [
        pytest.param(None, 0, None, id="from the confirmation on"),
        pytest.param(None, 5, 5, id="from a day on, not confirmed"),
        pytest.param(6, 5, 5, id="from a day on"),
        pytest.param(6, 0, 0, id="from the beginning on"),
    ],
)
def test_terms_in_force_are_those_of_the_link(
    consent_epoch_s: int | None, starts_at_epoch_s: int, from_epoch_s: int | None
) -> None:
    link = replace(LINK, parent_consent_epoch_s=consent_epoch_s, starts_at_epoch_s=starts_at_epoch_s)

    assert link.terms == replace(TERMS, starts_at_epoch_s=from_epoch_s)


def test_child_has_agreed_to_the_terms_in_force_unless_it_agreed_to_others() -> None:
    assert LINK.agreed_terms == TERMS
    assert replace(LINK, agreed=OTHERS).agreed_terms == OTHERS


def test_link_is_wished_as_it_is_unless_the_parent_has_proposed_something() -> None:
    options = replace(LINK.options, allow_private=False, title="{title}", sports=("Ride", "Run"))

    assert LINK.wished is LINK
    proposed = replace(LINK, proposal=OTHERS)
    assert proposed.wished == replace(proposed, names=("Mia",), options=options, starts_at_epoch_s=7)
    assert replace(proposed.wished, proposal=None).terms == OTHERS


@pytest.mark.parametrize(
    ("starts_at_epoch_s", "consent_epoch_s", "start_epoch_s"),
    [
        pytest.param(7, None, 7, id="from a day on, not confirmed"),
        pytest.param(7, 6, 7, id="from a day on"),
        pytest.param(0, 6, 0, id="from the beginning on"),
        pytest.param(None, 6, 5, id="as the confirmation has set it"),
        pytest.param(None, None, 0, id="from the confirmation that is to come"),
    ],
)
def test_start_of_new_terms_is_kept_from_the_confirmation_where_they_name_none(
    starts_at_epoch_s: int | None, consent_epoch_s: int | None, start_epoch_s: int
) -> None:
    link = replace(LINK, parent_consent_epoch_s=consent_epoch_s, starts_at_epoch_s=5)

    assert link.with_terms(replace(TERMS, starts_at_epoch_s=starts_at_epoch_s)) == replace(
        link, starts_at_epoch_s=start_epoch_s
    )


@pytest.mark.parametrize("status", LinkStatus)
@pytest.mark.parametrize("parent", [None, 5])
@pytest.mark.parametrize("child", [None, 6])
def test_copies_are_made_when_both_have_agreed_and_nobody_paused_or_ended_it(
    status: LinkStatus, parent: int | None, child: int | None
) -> None:
    link = replace(LINK, status=status, parent_consent_epoch_s=parent, child_consent_epoch_s=child)

    assert link.makes_copies is (status is LinkStatus.ACTIVE and parent == 5 and child == 6)


def test_entry_is_the_latest_in_the_feed_of_the_link() -> None:
    link = LINK.with_entry(5.9, Side.CHILD, LinkAction.PAUSED).with_entry(
        6, Side.PARENT, LinkAction.CHANGED, ("names",)
    )

    assert link == LINK  # nothing else has changed: a link is compared without its feed
    assert link.feed == (
        FeedEntry(5, Side.CHILD, LinkAction.PAUSED),
        FeedEntry(6, Side.PARENT, LinkAction.CHANGED, ("names",)),
    )
    for number in range(MOST_ENTRIES):
        link = link.with_entry(number, Side.CHILD, LinkAction.PAUSED)
    assert [entry.at_epoch_s for entry in link.feed] == list(range(MOST_ENTRIES))
