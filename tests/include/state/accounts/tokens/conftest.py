"""A connected athlete, and a token endpoint that rotates."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import (
    IngestError,
    TokenRefused,
)
from include.state.accounts.athletes import Athletes
from include.state.accounts.tokens import Tokens
from include.store.store import Store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId

ATHLETE = AthleteId(42)
LIFETIME_S = 21_600
READ = frozenset({"read", "activity:read"})


@dataclass
class Strava:
    """A token endpoint that rotates at every refresh and refuses every refresh token but the newest."""

    clock: Clock
    newest: int = 0
    calls: int = 0
    answers: list[Callable[[TokenGrant], TokenGrant]] = field(default_factory=list)
    """What becomes of the next answers on their way."""
    failing_with: IngestError | None = None
    while_busy: list[Callable[[], object]] = field(default_factory=list)
    """What happens between Strava's answer and its arrival, once."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def grant(self, athlete: Athlete | None = None) -> TokenGrant:
        return TokenGrant(
            f"ACCESS-SECRET-{self.newest}", f"REFRESH-SECRET-{self.newest}", int(self.clock()) + LIFETIME_S, athlete
        )

    def refresh(self, athlete_id: int, refresh_token: str) -> TokenGrant:
        with self.lock:
            self.calls += 1
            if self.failing_with is not None:
                raise self.failing_with
            if refresh_token != f"REFRESH-SECRET-{self.newest}":
                raise TokenRefused("the refresh token is no longer valid")
            self.newest += 1
            grant = self.grant()
        if self.answers:
            grant = self.answers.pop(0)(grant)
        if self.while_busy:
            self.while_busy.pop()()
        return grant


@pytest.fixture
def strava(clock: Clock) -> Strava:
    return Strava(clock)


@pytest.fixture
def athletes(store: Store, cipher: Cipher, clock: Clock, strava: Strava) -> Athletes:
    athletes = Athletes(store, cipher, clock)
    athletes.connect(strava.grant(Athlete(ATHLETE, "Zoë", "")), READ)
    return athletes


@pytest.fixture
def tokens(
    athletes: Athletes, store: Store, cipher: Cipher, clock: Clock, strava: Strava, pass_time: Callable[[float], None]
) -> Tokens:
    """Tokens of a connected athlete, whose workers wait by moving the clock."""
    return Tokens(store, cipher, clock, strava.refresh, wait=pass_time)
