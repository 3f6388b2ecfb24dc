"""Connecting, again and with other scopes: what is stored, refused and withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import BeingErased, ScopeMissing, UnexpectedShape
from include.state.accounts.athletes import (
    Athletes,
    AthleteStatus,
)
from include.state.accounts.narrowing import Narrowing
from include.state.accounts.notices import Notice, NoticeKind, Notices
from include.state.accounts.token_pair import SealedTokens, TokenPair
from include.state.accounts.wishes import WishKind
from include.state.erasures.entry import EraseReason, ErasureStage
from include.state.erasures.ledger import Erasures
from include.store.codec import decode
from include.store.store import Store
from include.strava.grant import TokenGrant
from include.strava.models import AthleteId
from tests.include.state.accounts.athletes.grants import NOW, READ, WRITE, fields, grant, row
from tests.include.state.meanwhile import Meanwhile

PassTime = Callable[[float], None]


def test_granted_pair_is_stored_with_its_expiry_in_place_of_the_one_before(
    athletes: Athletes, store: Store, cipher: Cipher
) -> None:
    athletes.connect(grant(), READ)
    athletes.connect(grant(suffix="2"), READ)

    tokens = decode(SealedTokens, fields(store))
    assert tokens.open(cipher, 42) == TokenPair("ACCESS-SECRET-2", "REFRESH-SECRET-2")
    assert (tokens.expires_at_epoch_s, tokens.lease_until_epoch_s) == (NOW + 21_600, 0.0)


def test_connecting_again_clears_what_was_noted_about_the_connection_before(
    athletes: Athletes, pass_time: PassTime
) -> None:
    before = athletes.connect(grant(), READ)
    athletes.note_disconnect(42)
    athletes.note_wish(42, WishKind.ERASE)
    athletes.mark(42, AthleteStatus.NEEDS_REAUTH)
    athletes.note_refused(42)
    pass_time(60)

    after = athletes.connect(grant(), READ)

    assert after.session_series not in ("", before.session_series)
    kept = {"session_series": after.session_series, "authorised_at_epoch_s": NOW + 60, "version": after.version}
    assert after == row(athletes) == replace(before, **kept)


@pytest.mark.parametrize("granted", [pytest.param(READ, id="the same"), pytest.param(WRITE | READ, id="more")])
def test_connection_that_loses_nothing_needs_no_choice(athletes: Athletes, granted: frozenset[str]) -> None:
    athletes.connect(grant(), READ)

    assert athletes.connect(grant(), granted).scopes == granted


def test_grant_without_the_bare_read_scope_loses_nothing(athletes: Athletes) -> None:
    athletes.connect(grant(), READ)

    assert athletes.connect(grant(), READ - {"read"}).scopes == {"activity:read"}


def test_lost_scopes_are_named_to_the_athlete_and_one_of_them_to_the_caller(athletes: Athletes) -> None:
    athletes.connect(grant(), READ | WRITE)

    with pytest.raises(ScopeMissing) as caught:
        athletes.connect(grant(), frozenset({"read"}))

    assert caught.value.scope == "activity:read"
    assert str(caught.value) == (
        "athlete 42 did not grant activity:read, activity:write this time and did not choose to give it up: "
        "request the scopes that were granted before, or ask the athlete"
    )


def test_scopes_given_up_stay_unwanted_until_they_are_granted_again(athletes: Athletes) -> None:
    athletes.connect(grant(), READ | WRITE)
    unwanted = [athletes.connect(grant(), READ, Narrowing(42, WRITE, removes=True)).unwanted_scopes]
    unwanted.append(athletes.connect(grant(), READ).unwanted_scopes)
    given_up = Narrowing(42, frozenset({"activity:read"}), removes=True)
    unwanted.append(athletes.connect(grant(), frozenset({"read"}), given_up).unwanted_scopes)
    unwanted.append(athletes.connect(grant(), READ).unwanted_scopes)
    unwanted.append(athletes.connect(grant(), READ | WRITE).unwanted_scopes)

    assert unwanted == [WRITE, WRITE, WRITE | {"activity:read"}, WRITE, frozenset()]


def test_choice_of_another_athlete_removes_nothing(athletes: Athletes) -> None:
    athletes.connect(grant(), READ | WRITE)

    connected = athletes.connect(grant(), READ | WRITE, Narrowing(43, WRITE, removes=True))

    assert (connected.scopes, connected.unwanted_scopes) == (READ | WRITE, frozenset())


def test_grant_that_names_no_athlete_is_refused_with_the_next_step(athletes: Athletes) -> None:
    with pytest.raises(UnexpectedShape, match=r"named no athlete .*: ask the athlete to connect again"):
        athletes.connect(TokenGrant("ACCESS-SECRET", "REFRESH-SECRET", 1), READ)

    assert list(athletes.all()) == []


def test_athlete_who_is_being_erased_cannot_connect(
    athletes: Athletes, store: Store, erase: Callable[[int], None]
) -> None:
    athletes.connect(grant(), READ)
    erase(42)
    before = fields(store)

    with pytest.raises(BeingErased, match="athlete 42"):
        athletes.connect(grant(suffix="2"), READ)

    assert fields(store) == before


@pytest.mark.parametrize(
    ("reason", "notices"),
    [
        pytest.param(
            EraseReason.ATHLETE,
            [Notice(AthleteId(42), f"erasure_withdrawn.{NOW}", NoticeKind.ERASURE_WITHDRAWN, NOW)],
            id="by the athlete, who is told",
        ),
        pytest.param(EraseReason.OPERATOR, [], id="by an operator"),
        pytest.param(EraseReason.DEAUTHORISATION, [], id="by an event"),
    ],
)
def test_connecting_withdraws_an_erasure_that_has_not_begun(
    athletes: Athletes, store: Store, clock: Clock, reason: EraseReason, notices: list[Notice]
) -> None:
    erasures = Erasures(store, clock)
    erasures.ask_now(42, reason)

    athletes.connect(grant(), READ)

    erasure = erasures.get(42)
    assert erasure is not None
    assert erasure.stage is ErasureStage.WITHDRAWN
    assert list(Notices(store, clock).of_athlete(42)) == notices


def test_erasure_that_begins_while_the_athlete_connects_is_not_overtaken(
    store: Store, cipher: Cipher, clock: Clock, athletes: Athletes, erase: Callable[[int], None]
) -> None:
    athletes.connect(grant(), READ)
    raced = Meanwhile(store, "athletes", lambda: erase(42))

    with pytest.raises(BeingErased):
        Athletes(raced, cipher, clock).connect(grant(suffix="2"), READ)
