"""An invitation is accepted by one athlete, in time, and its secret is not stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import VersionConflict
from include.state.consent.feed import UNDO_S, Side
from include.state.invites import CLOSED_KEPT_S, LIFETIME_S, Invites
from include.state.links import CopyOptions
from include.store.sqlite import SqliteStore
from include.store.store import Key, Store

SECRET = "a-secret-that-only-the-link-has"
NAMES = ("Rex", "Zoë 🐕")
CARRIED = CopyOptions(heartrate=False, trim_m=200, allow_private=True, title="{parent}: {title}", sports=("Run",))


@pytest.fixture
def invites(store: Store, clock: Clock) -> Invites:
    return Invites(store, clock)


def test_invitation_reads_as_created(invites: Invites) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED, starts_at_epoch_s=1_700_000_000)

    assert invites.find(SECRET) == invites.get(invite.invite_id) == invite
    assert invite.starts_at_epoch_s == 1_700_000_000
    assert (invite.parent_id, invite.names, invite.options, invite.child_id) == (11, NAMES, CARRIED, None)


def test_secret_is_not_stored(invites: Invites, path: Path) -> None:
    invites.create(SECRET, 11, NAMES, CARRIED)

    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert SECRET.encode() not in stored


def test_nothing_is_found_for_another_secret(invites: Invites) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)

    assert [invites.find(secret) for secret in ("", SECRET[:-1], invite.invite_id, "\ud800\0", "x" * 100_000)] == [
        None
    ] * 5


def test_invitation_is_not_created_over_another(invites: Invites) -> None:
    invites.create(SECRET, 11, NAMES, CARRIED)

    with pytest.raises(VersionConflict):
        invites.create(SECRET, 12, NAMES, CARRIED)


def test_one_athlete_accepts_and_may_repeat_it(invites: Invites) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id

    first = invites.accept(invite_id, 22)

    assert first is not None
    assert first.child_id == 22
    assert invites.accept(invite_id, 33) is None
    assert invites.accept(invite_id, 22) == first == invites.find(SECRET)


@pytest.mark.parametrize(
    ("passed_s", "good"),
    [pytest.param(LIFETIME_S - 1, True, id="just in time"), pytest.param(LIFETIME_S, False, id="too late")],
)
def test_invitation_is_good_for_a_week(
    invites: Invites, pass_time: Callable[[float], None], passed_s: int, good: bool
) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id
    pass_time(passed_s)

    assert (invites.find(SECRET) is not None) is good
    assert (invites.accept(invite_id, 22) is not None) is good


def test_one_of_many_athletes_who_accept_at_once_gets_it(path: Path, store: Store, clock: Clock) -> None:
    invite_id = Invites(store, clock).create(SECRET, 11, NAMES, CARRIED).invite_id

    def accept(child_id: int) -> bool:
        own = SqliteStore(path, clock)
        try:
            return Invites(own, clock).accept(invite_id, child_id) is not None
        finally:
            own.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(accept, range(1, 9))) == 1


def test_open_invitations_of_a_parent_are_found_until_they_are_accepted_or_expire(
    invites: Invites, pass_time: Callable[[float], None]
) -> None:
    first = invites.create("first", 11, NAMES, CARRIED)
    pass_time(60)
    second = invites.create("second", 11, ("Mia",), CARRIED)
    invites.create("of another parent", 12, NAMES, CARRIED)
    used = invites.create("used", 11, NAMES, CARRIED)
    invites.accept(used.invite_id, 22)

    assert invites.open_of_parent(11) == [first, second]
    pass_time(LIFETIME_S - 60)
    assert invites.open_of_parent(11) == [second]
    assert invites.open_of_parent(99) == []


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


def test_invitation_of_an_older_version_can_still_be_accepted(invites: Invites, store: Store) -> None:
    invite = invites.create(SECRET, 11, NAMES, CopyOptions())
    key = Key("invites", invite.invite_id)
    item = store.get(key)
    assert item is not None
    older = {name: value for name, value in item.fields.items() if name in {"parent_id", "names", "carried"}}
    older["carried"] = {"heartrate": True, "power": True, "temperature": True, "trim_m": 0, "allow_private": False}
    store.put(key, older, expected_version=item.version, expires_at_epoch_s=item.expires_at_epoch_s)

    accepted = invites.accept(invite.invite_id, 22)
    assert accepted is not None
    assert (accepted.options, accepted.starts_at_epoch_s) == (CopyOptions(), 0)
