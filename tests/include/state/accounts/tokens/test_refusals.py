"""When no token is given, and what a refused refresh does to the athlete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.clock import Clock
from include.crypto.key_file import KeyFileCipher
from include.errors import (
    ApplicationInactive,
    BadRequest,
    CipherError,
    IngestError,
    NotConnected,
    ScopeMissing,
    StravaUnavailable,
    TokenRefused,
)
from include.state.accounts.athletes import Athletes, AthleteStatus
from include.state.accounts.narrowing import Narrowing
from include.state.accounts.tokens import Tokens
from include.store.store import Store
from include.strava.models import Athlete
from local.testbed.manual_clock import ManualClock
from tests.include.state.accounts.tokens.athlete import ATHLETE, access_token, status_of

LIFETIME_S = 21_600
READ = frozenset({"read", "activity:read"})


@pytest.mark.parametrize(
    ("granted", "wanted", "allowed"),
    [
        pytest.param({"activity:read"}, "activity:read", True, id="the same"),
        pytest.param({"activity:read_all"}, "activity:read", True, id="all includes some"),
        pytest.param({"activity:read"}, "activity:read_all", False, id="some is not all"),
        pytest.param({"activity:read_all"}, "activity:write", False, id="reading is not writing"),
        pytest.param({"read"}, "activity:read", False, id="another kind"),
        pytest.param(set(), "read", False, id="nothing"),
    ],
)
def test_scope_is_checked_before_anything_else(
    tokens: Tokens, athletes: Athletes, strava: Any, granted: set[str], wanted: str, allowed: bool
) -> None:
    narrowing = Narrowing(ATHLETE, READ, removes=False)
    athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), frozenset(granted), narrowing)

    if allowed:
        assert tokens.access_token(ATHLETE, scope=wanted) == "ACCESS-SECRET-0"
    else:
        with pytest.raises(ScopeMissing, match=f"athlete 42 did not grant {wanted}") as caught:
            tokens.access_token(ATHLETE, scope=wanted)
        assert caught.value.scope == wanted
    assert strava.calls == 0


@pytest.mark.parametrize("status", [AthleteStatus.REVOKED, AthleteStatus.NEEDS_REAUTH])
def test_no_token_is_given_when_the_athlete_is_not_active(
    tokens: Tokens, athletes: Athletes, strava: Any, status: AthleteStatus
) -> None:
    athletes.mark(ATHLETE, status)

    with pytest.raises(NotConnected, match=f"athlete 42 is {status}"):
        access_token(tokens)
    assert strava.calls == 0


def test_no_token_is_given_when_it_was_destroyed(tokens: Tokens, athletes: Athletes) -> None:
    athletes.mark(ATHLETE, AthleteStatus.REVOKED)
    athletes.mark(ATHLETE, AthleteStatus.ACTIVE)

    with pytest.raises(NotConnected, match="connect again"):
        access_token(tokens)


def test_no_token_is_given_when_the_athlete_is_unknown(tokens: Tokens) -> None:
    with pytest.raises(NotConnected, match="athlete 43"):
        tokens.access_token(43, scope="read")


def test_athlete_needs_to_connect_again_when_the_refresh_is_refused(
    tokens: Tokens, athletes: Athletes, strava: Any, pass_time: Callable[[float], None]
) -> None:
    pass_time(LIFETIME_S)
    strava.newest = 99  # somebody outside has refreshed: ours is dead

    with pytest.raises(TokenRefused, match="athlete 42") as caught:
        access_token(tokens)

    assert "SECRET" not in str(caught.value)
    assert (status_of(athletes), strava.calls) == (AthleteStatus.NEEDS_REAUTH, 1)
    with pytest.raises(NotConnected):
        access_token(tokens)
    athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)
    assert access_token(tokens) == "ACCESS-SECRET-99"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(StravaUnavailable("down"), id="Strava is down"),
        pytest.param(ApplicationInactive("off"), id="the application is switched off"),
        pytest.param(BadRequest("client secret"), id="the client secret is wrong"),
    ],
)
def test_athlete_stays_active_when_the_fault_is_not_the_athletes(
    tokens: Tokens, athletes: Athletes, strava: Any, clock: ManualClock, error: IngestError
) -> None:
    clock.advance(LIFETIME_S)
    before = clock.now_epoch_s
    strava.failing_with = error
    with pytest.raises(type(error)):
        access_token(tokens)
    strava.failing_with = None

    assert status_of(athletes) is AthleteStatus.ACTIVE
    assert access_token(tokens) == "ACCESS-SECRET-1"
    assert clock.now_epoch_s == before  # the lease was given back: nobody had to wait


def test_missing_key_is_no_fault_of_the_athlete(
    athletes: Athletes, store: Store, clock: Clock, strava: Any, tmp_path: Path, pass_time: Callable[[float], None]
) -> None:
    tokens = Tokens(store, KeyFileCipher(tmp_path / "other.key"), clock, strava.refresh, wait=pass_time)

    with pytest.raises(CipherError):
        access_token(tokens)

    assert status_of(athletes) is AthleteStatus.ACTIVE
