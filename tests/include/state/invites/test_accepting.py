"""An invitation is accepted by one athlete, in time, and its secret is not stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import BeingErased, VersionConflict
from include.state.consent.terms import Terms
from include.state.invites import Invite, Invites, invite_id_of
from include.state.links import CopyOptions
from include.store.sqlite import SqliteStore
from include.store.store import Key, Store
from tests.include.state.meanwhile import Meanwhile

LIFETIME_S = 7 * 86_400
SECRET = "a-secret-that-only-the-link-has"
NAMES = ("Rex", "Zoë 🐕")
CARRIED = CopyOptions(heartrate=False, trim_m=200, allow_private=True, title="{parent}: {title}", sports=("Run",))


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


def test_invitation_of_an_athlete_who_is_erased_is_not_kept(
    invites: Invites, store: Store, erase: Callable[[int], None]
) -> None:
    erase(11)

    with pytest.raises(BeingErased, match="athlete 11"):
        invites.create(SECRET, 11, NAMES, CARRIED)

    assert store.get(Key("invites", invite_id_of(SECRET))) is None
    assert invites.create(SECRET, 12, NAMES, CARRIED).parent_id == 12


def test_invitation_is_stored_under_the_hash_of_its_secret_with_all_that_was_chosen(invites: Invites) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED, starts_at_epoch_s=5, form_id="a form")

    assert invite == Invite(
        hashlib.sha256(SECRET.encode()).hexdigest(),
        11,
        NAMES,
        CARRIED,
        1_700_000_000 + LIFETIME_S,
        starts_at_epoch_s=5,
        form_id="a form",
        version=1,
    )
    assert invite.is_open
    assert invites.create("another secret", 11, NAMES, CARRIED).starts_at_epoch_s == 0


@pytest.mark.parametrize(
    ("starts_at_epoch_s", "from_epoch_s"),
    [pytest.param(0, None, id="from the confirmation on"), pytest.param(5, 5, id="from a day on")],
)
def test_child_agrees_to_what_the_invitation_says(
    invites: Invites, starts_at_epoch_s: int, from_epoch_s: int | None
) -> None:
    invite = invites.create(SECRET, 11, NAMES, CARRIED, starts_at_epoch_s=starts_at_epoch_s)

    assert invite.terms == Terms(NAMES, from_epoch_s, allow_private=True, title="{parent}: {title}", sports=("Run",))


def test_accepted_invitations_are_found_by_their_child_until_they_expire(
    invites: Invites, pass_time: Callable[[float], None]
) -> None:
    first, second, _ = (invites.create(secret, 11, NAMES, CARRIED) for secret in ("first", "second", "third"))
    pass_time(60)
    for invite, child_id in ((first, 22), (second, 33)):
        accepted = invites.accept(invite.invite_id, child_id)
        assert accepted == replace(invite, child_id=child_id, accepted_at_epoch_s=1_700_000_060, version=2)
        assert not accepted.is_open
        assert list(invites.of_child(child_id)) == [accepted]
    assert len(list(invites.of_parent(11))) == 3

    pass_time(LIFETIME_S - 60)
    assert list(invites.of_child(22)) == []


def test_forgotten_invitation_is_gone_used_or_not(invites: Invites) -> None:
    used, unused, other = (invites.create(secret, 11, NAMES, CARRIED) for secret in ("used", "unused", "other"))
    invites.accept(used.invite_id, 22)

    for _ in range(2):
        invites.forget(used.invite_id)
        invites.forget(unused.invite_id)

    assert [invites.get(each.invite_id) for each in (used, unused)] == [None, None]
    assert list(invites.of_parent(11)) == [other]


def test_open_invitations_come_by_their_expiry(invites: Invites, pass_time: Callable[[float], None]) -> None:
    made = []
    for number in range(8):
        made.append(invites.create(f"secret {number}", 11, NAMES, CARRIED))
        pass_time(60)

    assert invites.open_of_parent(11) == made


@pytest.mark.parametrize(
    ("other", "gets_it"), [pytest.param(33, False, id="another"), pytest.param(22, True, id="same")]
)
def test_child_that_accepts_while_a_child_does_gets_it_only_if_it_is_the_same(
    invites: Invites, store: Store, clock: Clock, other: int, gets_it: bool
) -> None:
    invite_id = invites.create(SECRET, 11, NAMES, CARRIED).invite_id
    raced = Meanwhile(store, "invites", lambda: invites.accept(invite_id, other))

    accepted = Invites(raced, clock).accept(invite_id, 22)

    assert (accepted is not None) is gets_it
    found = invites.find(SECRET)
    assert found is not None
    assert found.child_id == other
