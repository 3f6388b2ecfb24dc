"""Whether Strava still accepts an athlete's pair is proved by renewing it, and what that leaves in the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.crypto.cipher import Cipher
from include.errors import NotConnected, StravaUnavailable
from include.state.accounts.athletes import AthleteRow, Athletes, AthleteStatus, athlete_key
from include.state.accounts.token_pair import SealedTokens, TokenPair
from include.state.accounts.tokens import Tokens
from include.store.codec import decode
from include.store.store import Store
from tests.include.state.accounts.tokens.athlete import ATHLETE, access_token, status_of

NOW = 1_700_000_000


def row_of(athletes: Athletes) -> AthleteRow:
    row = athletes.get(ATHLETE)
    assert row is not None
    return row


def stored(store: Store, cipher: Cipher) -> tuple[TokenPair, SealedTokens]:
    item = store.get(athlete_key(ATHLETE))
    assert item is not None
    tokens = decode(SealedTokens, item.fields)
    return tokens.open(cipher, ATHLETE), replace(tokens, sealed=None)


@pytest.mark.parametrize("status", [AthleteStatus.ACTIVE, AthleteStatus.NEEDS_REAUTH])
def test_accepted_athlete_has_a_new_pair_and_is_active(
    tokens: Tokens, athletes: Athletes, store: Store, cipher: Cipher, strava: Any, status: AthleteStatus
) -> None:
    athletes.mark(ATHLETE, status)
    athletes.note_refused(ATHLETE)

    assert tokens.prove(ATHLETE) is True

    row = row_of(athletes)
    assert (row.status, row.refused_at_epoch_s, strava.calls) == (AthleteStatus.ACTIVE, None, 1)
    renewed = TokenPair("ACCESS-SECRET-1", "REFRESH-SECRET-1")
    assert stored(store, cipher) == (renewed, SealedTokens(expires_at_epoch_s=NOW + 21_600))
    assert access_token(tokens) == "ACCESS-SECRET-1"


def test_refused_athlete_keeps_the_pair_and_the_time_of_the_first_refusal(
    tokens: Tokens, athletes: Athletes, store: Store, cipher: Cipher, strava: Any, pass_time: Callable[[float], None]
) -> None:
    before = stored(store, cipher)
    strava.newest = 99  # somebody outside has refreshed: ours is dead
    pass_time(60.5)
    assert [tokens.prove(ATHLETE), row_of(athletes).refused_at_epoch_s] == [False, NOW + 60]
    pass_time(60)
    assert [tokens.prove(ATHLETE), row_of(athletes).refused_at_epoch_s] == [False, NOW + 60]

    assert status_of(athletes) is AthleteStatus.NEEDS_REAUTH
    assert stored(store, cipher) == before


def test_refusal_after_an_acceptance_is_the_first_one_again(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    strava.newest = 99
    tokens.prove(ATHLETE)
    strava.newest = 0
    assert tokens.prove(ATHLETE)
    strava.newest = 99
    pass_time(60)

    assert not tokens.prove(ATHLETE)
    assert row_of(athletes).refused_at_epoch_s == NOW + 60


@pytest.mark.parametrize("athlete_id", [pytest.param(ATHLETE, id="disconnected"), pytest.param(43, id="unknown")])
def test_nothing_is_proved_where_no_pair_is_stored(
    tokens: Tokens, athletes: Athletes, strava: Any, athlete_id: int
) -> None:
    athletes.mark(ATHLETE, AthleteStatus.REVOKED)

    with pytest.raises(NotConnected, match=f"athlete {athlete_id} has no tokens here: ask the athlete to connect"):
        tokens.prove(athlete_id)

    assert (strava.calls, status_of(athletes)) == (0, AthleteStatus.REVOKED)


def test_silence_of_strava_proves_nothing(tokens: Tokens, athletes: Athletes, strava: Any) -> None:
    strava.failing_with = StravaUnavailable("down")

    with pytest.raises(StravaUnavailable):
        tokens.prove(ATHLETE)

    assert (status_of(athletes), row_of(athletes).refused_at_epoch_s) == (AthleteStatus.ACTIVE, None)
