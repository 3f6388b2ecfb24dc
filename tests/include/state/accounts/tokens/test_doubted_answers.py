"""A refresh whose answer is in doubt: both refresh tokens are kept until an answer without doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.crypto.cipher import Cipher
from include.errors import (
    TokenEndpointFault,
    TokenRefused,
)
from include.state.accounts.athletes import Athletes, AthleteStatus, athlete_key
from include.state.accounts.token_pair import SealedTokens, TokenPair
from include.state.accounts.tokens import Tokens
from include.store.codec import decode
from include.store.store import Store
from include.strava.grant import TokenGrant
from tests.include.state.accounts.tokens.athlete import ATHLETE, access_token, status_of

LIFETIME_S = 21_600


def doubted(grant: TokenGrant) -> TokenGrant:
    return replace(grant, doubts=("the time when it expires",))


def nobodys(grant: TokenGrant) -> TokenGrant:
    return replace(doubted(grant), access_token="ACCESS-NOBODYS", refresh_token="REFRESH-NOBODYS")


def without_access_token(grant: TokenGrant) -> TokenGrant:
    return replace(doubted(grant), access_token="", expires_at_epoch_s=0)


def test_pair_of_a_doubted_answer_is_used_and_renewed_when_strava_knows_it(
    tokens: Tokens, strava: Any, pass_time: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    pass_time(LIFETIME_S)
    strava.answers = [doubted, doubted]
    for number in (1, 2, 3):
        assert access_token(tokens) == access_token(tokens) == f"ACCESS-SECRET-{number}"
        pass_time(LIFETIME_S)

    assert strava.calls == 3
    assert caplog.text.count("token refresh of athlete 42 is doubtful (the time when it expires)") == 2
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize("answers", [1, 3])
def test_former_refresh_token_is_used_when_strava_does_not_know_the_doubted_one(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None], answers: int
) -> None:
    """Something else answered: Any has rotated nothing. What answers so again takes its own token, too."""
    pass_time(LIFETIME_S)
    genuine = strava.refresh

    def another(athlete_id: int, refresh_token: str) -> TokenGrant:
        return nobodys(strava.grant())

    tokens._refresh = another
    for _ in range(answers):
        assert access_token(tokens) == "ACCESS-NOBODYS"
        tokens.reject(ATHLETE, "ACCESS-NOBODYS")
    tokens._refresh = genuine

    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert status_of(athletes) is AthleteStatus.ACTIVE
    assert strava.calls == 2  # the doubted one was refused first


def test_athlete_needs_to_connect_again_when_doubted_and_former_are_refused(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.answers = [nobodys]
    access_token(tokens)
    tokens.reject(ATHLETE, "ACCESS-NOBODYS")

    with pytest.raises(TokenRefused, match="athlete 42"):
        access_token(tokens)

    assert (status_of(athletes), strava.calls) == (AthleteStatus.NEEDS_REAUTH, 3)


def test_refresh_token_is_kept_when_no_access_token_came_with_it(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.answers = [without_access_token]
    with pytest.raises(TokenEndpointFault, match="gave athlete 42 no access token"):
        access_token(tokens)

    assert access_token(tokens) == "ACCESS-SECRET-2"
    assert status_of(athletes) is AthleteStatus.ACTIVE


def test_answer_without_a_doubt_ends_the_doubt(
    tokens: Tokens, store: Store, cipher: Cipher, strava: Any, pass_time: Callable[[float], None]
) -> None:
    def kept() -> TokenPair:
        item = store.get(athlete_key(ATHLETE))
        assert item is not None
        return decode(SealedTokens, item.fields).open(cipher, ATHLETE)

    strava.answers = [doubted]
    formers = []
    for _ in range(2):
        pass_time(LIFETIME_S)
        access_token(tokens)
        formers.append(kept().former_refresh_token)

    assert formers == ["REFRESH-SECRET-0", None]


def test_missing_access_token_is_reported_though_the_row_changed_meanwhile(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.answers = [without_access_token]
    strava.while_busy.append(lambda: athletes.note_disconnect(ATHLETE))

    with pytest.raises(TokenEndpointFault, match="gave athlete 42 no access token"):
        access_token(tokens)

    assert access_token(tokens) == "ACCESS-SECRET-2"
