"""Who is connected, and what becomes of the token pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import NotConnected, ScopeMissing, UnexpectedShape, VersionConflict
from include.state.accounts.athletes import AthleteRow, Athletes, AthleteStatus, athlete_key
from include.state.accounts.narrowing import Narrowing
from include.state.accounts.wishes import Wish, WishKind
from include.store.store import Store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId

READ = frozenset({"read", "activity:read"})


def grant(athlete_id: int = 42, name: str = "Zoë", suffix: str = "1") -> TokenGrant:
    athlete = Athlete(AthleteId(athlete_id), name, "O'Brien 🐕")
    return TokenGrant(f"ACCESS-SECRET-{suffix}", f"REFRESH-SECRET-{suffix}", 1_700_021_600, athlete)


def test_get_answers_none_when_the_athlete_never_connected(athletes: Athletes) -> None:
    assert athletes.get(42) is None
    assert list(athletes.all()) == []


def test_connect_stores_profile_scopes_and_time(athletes: Athletes) -> None:
    row = athletes.connect(grant(), READ)

    assert replace(row, session_series="") == AthleteRow(
        AthleteId(42), "Zoë", "O'Brien 🐕", READ, AthleteStatus.ACTIVE, 1_700_000_000, 1_700_000_000, 1
    )
    assert athletes.get(42) == row


def test_connecting_again_updates_but_keeps_first_time_and_settings(
    athletes: Athletes, store: Store, pass_time: Callable[[float], None]
) -> None:
    athletes.connect(grant(), READ)
    item = store.get(athlete_key(42))
    assert item is not None
    store.put(item.key, {**item.fields, "settings": {"units": "metric"}}, expected_version=item.version)
    athletes.mark(42, AthleteStatus.NEEDS_REAUTH)
    pass_time(1000)

    row = athletes.connect(grant(name="Zoé", suffix="2"), READ | {"activity:write"})

    assert (row.firstname, row.scopes, row.status) == ("Zoé", READ | {"activity:write"}, AthleteStatus.ACTIVE)
    assert row.connected_at_epoch_s == 1_700_000_000
    item = store.get(athlete_key(42))
    assert item is not None
    assert item.fields["settings"] == {"units": "metric"}


@pytest.mark.parametrize(
    ("passed_s", "later_s"), [pytest.param(1000, 1000, id="later"), pytest.param(0, 1, id="same-second")]
)
def test_connecting_again_has_a_later_time_of_authorisation(
    athletes: Athletes, pass_time: Callable[[float], None], passed_s: int, later_s: int
) -> None:
    athletes.connect(grant(), READ)
    pass_time(passed_s)

    row = athletes.connect(grant(suffix="2"), READ)

    assert (row.connected_at_epoch_s, row.authorised_at_epoch_s) == (1_700_000_000, 1_700_000_000 + later_s)


def test_grant_that_lacks_what_is_on_record_is_not_stored(athletes: Athletes, store: Store) -> None:
    athletes.connect(grant(), READ | {"activity:write"})
    before = store.get(athlete_key(42))

    for narrowing in (None, Narrowing(43, READ | {"activity:write"}, removes=True), Narrowing(42, READ, removes=True)):
        with pytest.raises(ScopeMissing, match="athlete 42 did not grant activity:write"):
            athletes.connect(grant(suffix="2"), READ, narrowing)

    assert store.get(athlete_key(42)) == before


@pytest.mark.parametrize("removes", [pytest.param(False, id="keep"), pytest.param(True, id="remove")])
def test_grant_is_narrowed_by_the_athletes_own_choice(athletes: Athletes, removes: bool) -> None:
    athletes.connect(grant(), READ | {"activity:write"})

    row = athletes.connect(grant(suffix="2"), READ, Narrowing(42, frozenset({"activity:write"}), removes=removes))

    assert (row.scopes, row.unwanted_scopes) == (READ, {"activity:write"} if removes else set())


def test_removal_is_not_noted_as_done_when_another_connection_came_meanwhile(athletes: Athletes) -> None:
    athletes.connect(grant(), READ | {"activity:write"})
    seen = athletes.connect(grant(), READ, Narrowing(42, frozenset({"activity:write"}), removes=True))
    later = athletes.connect(grant(), READ)

    athletes.note_removed(seen)

    assert athletes.get(42) == later
    athletes.note_removed(later)
    row = athletes.get(42)
    assert row is not None
    assert row.unwanted_scopes == set()


def test_disconnected_athlete_connects_with_whatever_is_granted(athletes: Athletes) -> None:
    athletes.connect(grant(), READ | {"activity:write"})
    athletes.mark(42, AthleteStatus.REVOKED)

    assert athletes.connect(grant(suffix="2"), READ).scopes == READ


def test_authorisation_is_as_old_as_the_connection_when_a_row_of_an_older_version_lacks_its_time(
    athletes: Athletes, store: Store
) -> None:
    athletes.connect(grant(), READ)
    item = store.get(athlete_key(42))
    assert item is not None
    older = {name: value for name, value in item.fields.items() if name != "authorised_at_epoch_s"}
    store.put(item.key, older, expected_version=item.version)

    row = athletes.get(42)

    assert row is not None
    assert row.authorised_at_epoch_s == row.connected_at_epoch_s == 1_700_000_000


def test_connect_is_refused_when_the_grant_names_no_athlete(athletes: Athletes) -> None:
    with pytest.raises(UnexpectedShape):
        athletes.connect(TokenGrant("ACCESS-SECRET", "REFRESH-SECRET", 1), READ)


def test_all_answers_every_athlete_in_order_of_id(athletes: Athletes) -> None:
    for athlete_id in (2**53 + 1, 7, 42):
        athletes.connect(grant(athlete_id), READ)
    athletes.mark(7, AthleteStatus.REVOKED)

    assert [(row.athlete_id, str(row.status)) for row in athletes.all()] == [
        (7, "revoked"),
        (42, "active"),
        (2**53 + 1, "active"),
    ]


@pytest.mark.parametrize("status", [pytest.param(status, id=status) for status in AthleteStatus])
def test_mark_sets_the_status(athletes: Athletes, status: AthleteStatus) -> None:
    athletes.connect(grant(), READ)

    marked = athletes.mark(42, status)

    assert marked.status is status
    assert athletes.get(42) == marked


@pytest.mark.parametrize(
    ("status", "has_tokens"),
    [
        pytest.param(AthleteStatus.REVOKED, False, id="revoked"),
        pytest.param(AthleteStatus.NEEDS_REAUTH, True, id="needs reauth"),
    ],
)
def test_only_revoking_destroys_the_token_pair(
    athletes: Athletes, store: Store, status: AthleteStatus, has_tokens: bool
) -> None:
    athletes.connect(grant(), READ)

    athletes.mark(42, status)

    item = store.get(athlete_key(42))
    assert item is not None
    assert (item.fields["tokens"] is not None) == has_tokens


def test_mark_is_refused_when_the_athlete_is_unknown(athletes: Athletes) -> None:
    with pytest.raises(NotConnected, match="athlete 42"):
        athletes.mark(42, AthleteStatus.REVOKED)


def test_revoke_destroys_the_token_pair_and_keeps_the_rest(athletes: Athletes, store: Store) -> None:
    connected = athletes.connect(grant(), READ)

    revoked = athletes.revoke(connected)

    item = store.get(athlete_key(42))
    assert item is not None
    assert item.fields["tokens"] is None
    assert (revoked.status, revoked.scopes, revoked.version) == (AthleteStatus.REVOKED, READ, connected.version + 1)
    assert athletes.get(42) == revoked


def test_revoke_is_refused_when_the_athlete_connected_again_since(athletes: Athletes) -> None:
    seen = athletes.connect(grant(), READ)
    again = athletes.connect(grant(suffix="2"), READ)

    with pytest.raises(VersionConflict, match="athlete 42"):
        athletes.revoke(seen)
    assert athletes.get(42) == again


def test_no_token_is_in_the_file_or_in_a_repr(athletes: Athletes, store: Store, path: Path) -> None:
    row = athletes.connect(grant(), READ)
    item = store.get(athlete_key(42))
    files = b"".join(found.read_bytes() for found in path.parent.iterdir() if found.is_file())

    assert b"O'Brien" in files
    assert b"SECRET" not in files
    assert "SECRET" not in f"{row!r} {item!r} {athletes!r} {grant()!r}"


# --- wishes ---------------------------------------------------------------------------------------


def test_wish_stands_until_it_is_replaced_or_withdrawn(athletes: Athletes) -> None:
    athletes.connect(grant(), READ)
    athletes.note_wish(42, WishKind.WIDEN, READ)
    wish = athletes.note_wish(42, WishKind.ERASE)

    assert athletes.get(42).wish == wish == Wish(WishKind.ERASE, 1_700_000_000)  # type: ignore[union-attr]  # it is there
    athletes.withdraw_wish(42)
    athletes.withdraw_wish(42)
    assert athletes.get(42).wish is None  # type: ignore[union-attr]  # it is there


def test_wish_of_an_athlete_who_is_not_known_is_refused(athletes: Athletes) -> None:
    with pytest.raises(NotConnected, match="42"):
        athletes.note_wish(42, WishKind.ERASE)
    athletes.withdraw_wish(42)

    assert athletes.get(42) is None


def test_ended_sessions_take_their_wish_along_and_leave_the_rest(athletes: Athletes) -> None:
    before = athletes.connect(grant(), READ)
    athletes.note_wish(42, WishKind.ERASE)

    athletes.end_sessions(42)
    athletes.end_sessions(43)

    row = athletes.get(42)
    assert row is not None
    assert row.session_series != before.session_series
    assert replace(row, session_series=before.session_series, version=before.version) == before
