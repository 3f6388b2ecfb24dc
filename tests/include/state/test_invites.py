"""An invitation is accepted by one athlete, in time, and its secret is not stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import VersionConflict
from include.state.invites import LIFETIME_S, Invites
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


def test_withdrawn_invitation_is_gone_for_good(invites: Invites) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)

    assert invites.withdraw(invite.invite_id)
    assert not invites.withdraw(invite.invite_id)

    assert (invites.find(SECRET), invites.open_of_parent(11)) == (None, [])
    assert invites.accept(invite.invite_id, 22) is None


def test_accepted_invitation_is_not_withdrawn(invites: Invites) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED)
    accepted = invites.accept(invite.invite_id, 22)

    assert not invites.withdraw(invite.invite_id)
    assert invites.find(SECRET) == accepted


def test_invitation_of_an_older_version_can_still_be_accepted(invites: Invites, store: Store) -> None:
    invite = invites.create(SECRET, 11, NAMES, CopyOptions())
    key = Key("invites", invite.invite_id)
    item = store.get(key)
    assert item is not None
    older = {name: value for name, value in item.fields.items() if name != "starts_at_epoch_s"}
    older["carried"] = {"heartrate": True, "power": True, "temperature": True, "trim_m": 0, "allow_private": False}
    store.put(key, older, expected_version=item.version, expires_at_epoch_s=item.expires_at_epoch_s)

    accepted = invites.accept(invite.invite_id, 22)
    assert accepted is not None
    assert (accepted.options, accepted.starts_at_epoch_s) == (CopyOptions(), 0)
