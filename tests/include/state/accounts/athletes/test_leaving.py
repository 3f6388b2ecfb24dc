"""Athletes who are looked up, and athletes who go."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import NotConnected, VersionConflict
from include.state.accounts.athletes import (
    Athletes,
    AthleteStatus,
    without_sessions,
)
from include.state.accounts.wishes import Wish, WishKind
from include.store.store import Store
from tests.include.state.accounts.athletes.grants import NOW, READ, fields, grant, row
from tests.include.state.meanwhile import Meanwhile


def test_athletes_are_looked_up_together_without_those_who_are_not_known(athletes: Athletes) -> None:
    rows = {athlete_id: athletes.connect(grant(athlete_id), READ) for athlete_id in (42, 43, 44)}

    assert athletes.get_all([43, 42, 99, 43]) == {42: rows[42], 43: rows[43]}
    assert athletes.get_all([]) == {}


@pytest.mark.parametrize(
    ("status", "is_connected"),
    [(AthleteStatus.ACTIVE, True), (AthleteStatus.NEEDS_REAUTH, True), (AthleteStatus.REVOKED, False)],
)
def test_athlete_is_connected_until_the_access_has_ended(
    athletes: Athletes, status: AthleteStatus, is_connected: bool
) -> None:
    athletes.connect(grant(), READ)

    assert athletes.mark(42, status).is_connected is is_connected


@pytest.mark.parametrize(
    ("status", "is_forgotten"),
    [(AthleteStatus.ACTIVE, False), (AthleteStatus.NEEDS_REAUTH, True), (AthleteStatus.REVOKED, True)],
)
def test_only_an_athlete_whose_access_has_ended_is_forgotten(
    athletes: Athletes, status: AthleteStatus, is_forgotten: bool
) -> None:
    athletes.connect(grant(), READ)
    athletes.connect(grant(43), READ)
    marked = athletes.mark(42, status)

    assert [athletes.forget(42) for _ in range(2)] == [is_forgotten] * 2
    assert athletes.get(42) == (None if is_forgotten else marked)
    assert athletes.get(43) is not None


def test_athlete_who_connects_again_while_being_forgotten_stays(
    athletes: Athletes, store: Store, cipher: Cipher, clock: Clock
) -> None:
    athletes.connect(grant(), READ)
    athletes.mark(42, AthleteStatus.REVOKED)
    raced = Meanwhile(store, "athletes", lambda: athletes.connect(grant(), READ))

    assert not Athletes(raced, cipher, clock).forget(42)
    assert row(athletes).status is AthleteStatus.ACTIVE


def test_unknown_athlete_is_neither_marked_nor_revoked_nor_noted(athletes: Athletes) -> None:
    seen = athletes.connect(grant(), READ)
    athletes.mark(42, AthleteStatus.REVOKED)
    athletes.forget(42)

    with pytest.raises(NotConnected, match=r"athlete 42 is not known here, .* marked revoked: check the number"):
        athletes.mark(42, AthleteStatus.REVOKED)
    with pytest.raises(VersionConflict, match="read the row again and decide again"):
        athletes.revoke(seen)
    athletes.note_removed(seen)
    assert list(athletes.all()) == []


def test_revoked_athlete_has_no_wish_left(athletes: Athletes) -> None:
    athletes.connect(grant(), READ)
    athletes.note_wish(42, WishKind.DISCONNECT)

    revoked = athletes.revoke(row(athletes))

    assert (revoked.wish, revoked.is_connected) == (None, False)
    assert row(athletes) == revoked


def test_fields_without_sessions_have_another_series_and_no_wish(athletes: Athletes, store: Store) -> None:
    athletes.connect(grant(), READ)
    athletes.note_wish(42, WishKind.DISCONNECT)
    before = fields(store)

    after, again = without_sessions(before), without_sessions(before)

    assert len({series["session_series"] for series in (before, after, again)} - {""}) == 3
    assert after == before | {"session_series": after["session_series"], "wish": None}


def test_what_is_noted_at_once_is_kept_of_both(athletes: Athletes, store: Store, cipher: Cipher, clock: Clock) -> None:
    athletes.connect(grant(), READ)
    raced = Meanwhile(store, "athletes", lambda: athletes.note_disconnect(42))

    Athletes(raced, cipher, clock).note_wish(42, WishKind.ERASE)

    assert (row(athletes).disconnect_asked_at_epoch_s, row(athletes).wish) == (NOW, Wish(WishKind.ERASE, NOW))
