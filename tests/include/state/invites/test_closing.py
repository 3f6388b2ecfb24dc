"""An invitation is declined or withdrawn by either side, and reopened for a day by the side that closed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.consent.feed import Side
from include.state.invites import Closing, Invites
from include.state.links import CopyOptions
from include.store.store import Key, Store
from tests.include.state.meanwhile import Meanwhile

LIFETIME_S, CLOSED_KEPT_S, UNDO_S = 7 * 86_400, 30 * 86_400, 86_400
SECRET = "a-secret-that-only-the-link-has"
NAMES = ("Rex", "Zoë 🐕")
CARRIED = CopyOptions(heartrate=False, trim_m=200, allow_private=True, title="{parent}: {title}", sports=("Run",))


@pytest.mark.parametrize("by", [Side.PARENT, Side.CHILD])
def test_closed_invitation_is_accepted_by_nobody_and_told_of_beyond_its_week(
    invites: Invites, pass_time: Callable[[float], None], by: Side
) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)

    assert invites.close(invite.invite_id, by, "a browser")
    first = invites.find(SECRET)
    pass_time(60)
    assert invites.close(invite.invite_id, by, "a browser")

    assert invites.find(SECRET) == first
    assert invites.open_of_parent(11) == []
    assert invites.accept(invite.invite_id, 22) is None
    pass_time(LIFETIME_S)
    assert [each.closing.by for each in invites.of_parent(11) if each.closing] == [by]
    pass_time(CLOSED_KEPT_S)
    assert list(invites.of_parent(11)) == []


@pytest.mark.parametrize("first", [Side.PARENT, Side.CHILD])
def test_invitation_that_both_sides_have_closed_is_opened_again_by_neither(
    invites: Invites, pass_time: Callable[[float], None], first: Side
) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id
    second = Side.CHILD if first is Side.PARENT else Side.PARENT
    invites.close(invite_id, first)
    pass_time(60)
    assert invites.close(invite_id, second)
    assert [invites.reopen(invite_id, each) for each in (first, second)] == [False, False]
    assert invites.accept(invite_id, 22) is None


def test_closed_invitation_is_opened_again_for_a_day_by_whoever_closed_it(
    invites: Invites, pass_time: Callable[[float], None]
) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)
    invites.close(invite.invite_id, Side.CHILD, "a browser")
    pass_time(UNDO_S - 1)

    assert not invites.reopen(invite.invite_id, Side.CHILD, "another browser")
    assert not invites.reopen(invite.invite_id, Side.PARENT, "a browser")
    assert [invites.reopen(invite.invite_id, Side.CHILD, "a browser") for _ in range(2)] == [True, True]

    again = invites.find(SECRET)
    assert again is not None
    assert replace(again, version=invite.version) == invite
    pass_time(LIFETIME_S - UNDO_S)
    assert invites.open_of_parent(11) == [again]
    pass_time(1)
    assert invites.find(SECRET) is None


@pytest.mark.parametrize(
    ("closed_after_s", "asked_after_s"),
    [
        pytest.param(0, UNDO_S, id="after a day"),
        pytest.param(LIFETIME_S - 60, 60, id="after its week"),
    ],
)
def test_closed_invitation_stays_closed(
    invites: Invites, pass_time: Callable[[float], None], closed_after_s: int, asked_after_s: int
) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)
    pass_time(closed_after_s)
    invites.close(invite.invite_id, Side.PARENT)
    pass_time(asked_after_s)
    assert not invites.reopen(invite.invite_id, Side.PARENT)
    assert invites.accept(invite.invite_id, 22) is None


def test_accepted_invitation_is_not_withdrawn(invites: Invites) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)
    accepted = invites.accept(invite.invite_id, 22)

    assert not invites.close(invite.invite_id, Side.PARENT)
    assert invites.find(SECRET) == accepted


def test_what_does_not_exist_is_neither_closed_nor_reopened_nor_accepted(invites: Invites, store: Store) -> None:
    assert not invites.close("nothing", Side.PARENT)
    assert not invites.reopen("nothing", Side.PARENT)
    assert invites.accept("nothing", 22) is None
    assert store.get(Key("invites", "nothing")) is None


def test_invitation_that_is_not_closed_needs_no_reopening(invites: Invites) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)
    assert invites.reopen(invite.invite_id, Side.PARENT)
    assert invites.find(SECRET) == invite

    accepted = invites.accept(invite.invite_id, 22)
    assert invites.reopen(invite.invite_id, Side.PARENT)
    assert invites.find(SECRET) == accepted


def test_closed_invitation_tells_who_closed_it_when_and_how_long_that_can_be_undone(
    invites: Invites, store: Store, pass_time: Callable[[float], None]
) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)
    pass_time(60)
    invites.close(invite.invite_id, Side.CHILD, "a browser")

    now, good_until = 1_700_000_060, invite.expires_at_epoch_s
    by_child = Closing(Side.CHILD, now, now + UNDO_S, good_until, "a browser")
    assert invites.find(SECRET) == replace(invite, closing=by_child, version=2)
    pass_time(60)
    invites.close(invite.invite_id, Side.PARENT)
    by_both = replace(by_child, undo_until_epoch_s=now + 60)
    assert invites.find(SECRET) == replace(invite, closing=by_both, version=3)
    pass_time(60)
    invites.close(invite.invite_id, Side.PARENT)
    assert invites.find(SECRET) == replace(invite, closing=by_both, version=3)
    item = store.get(Key("invites", invite.invite_id))
    assert item is not None
    assert item.expires_at_epoch_s == now + CLOSED_KEPT_S


def test_invitation_that_another_browser_declined_too_stays_closed(invites: Invites) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id
    for browser in ("a browser", "another"):
        assert invites.close(invite_id, Side.CHILD, browser)

    assert [invites.reopen(invite_id, Side.CHILD, browser) for browser in ("a browser", "another")] == [False, False]


def test_invitation_closed_a_second_time_after_its_undo_ran_out_cannot_be_undone_later(
    invites: Invites, pass_time: Callable[[float], None]
) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id
    invites.close(invite_id, Side.CHILD, "a browser")
    pass_time(UNDO_S + 60)
    invites.close(invite_id, Side.PARENT)

    closed = invites.find(SECRET)
    assert closed is not None
    assert closed.closing is not None
    assert closed.closing.undo_until_epoch_s == 1_700_000_000 + UNDO_S


def test_invitation_that_is_accepted_while_it_is_withdrawn_stays_accepted(
    invites: Invites, store: Store, clock: Clock
) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id
    raced = Meanwhile(store, "invites", lambda: invites.accept(invite_id, 22))

    assert not Invites(raced, clock).close(invite_id, Side.PARENT)
    accepted = invites.find(SECRET)
    assert accepted is not None
    assert (accepted.child_id, accepted.closing) == (22, None)


def test_invitation_that_the_other_side_closes_too_while_it_is_reopened_stays_closed(
    invites: Invites, store: Store, clock: Clock
) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id
    invites.close(invite_id, Side.PARENT)
    raced = Meanwhile(store, "invites", lambda: invites.close(invite_id, Side.CHILD, "a browser"))

    assert not Invites(raced, clock).reopen(invite_id, Side.PARENT)
    assert invites.accept(invite_id, 22) is None
