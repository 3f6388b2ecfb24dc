"""A client of the simulated Strava, whose tokens and budget are told what to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from include.errors import (
    NotConnected,
    QuotaSpent,
)
from include.strava.client import Bucket, Priority, StravaClient
from include.strava.http.session import StravaSession


class Tokens:
    """Hands out `tokens` in order, the next one after each rejection."""

    def __init__(self) -> None:
        self.tokens = ["first", "second"]
        self.scopes: list[tuple[int, str]] = []
        self.rejected: list[tuple[int, str]] = []

    def access_token(self, athlete_id: int, *, scope: str) -> str:
        self.scopes.append((athlete_id, scope))
        if not self.tokens:
            raise NotConnected(f"athlete {athlete_id} has to connect again")
        return self.tokens[0]

    def reject(self, athlete_id: int, access_token: str) -> None:
        self.rejected.append((athlete_id, access_token))
        self.tokens.pop(0)


class Gate:
    """Counts what is reserved and observed; refuses when `room` is used up."""

    def __init__(self) -> None:
        self.room = 1000
        self.reserved: list[tuple[Bucket, Priority]] = []
        self.observed: list[Mapping[str, str]] = []

    def reserve(self, bucket: Bucket, priority: Priority) -> None:
        if len(self.reserved) >= self.room:
            raise QuotaSpent("spent", until_epoch_s=1_700_001_000.0)
        self.reserved.append((bucket, priority))

    def observe(self, headers: Mapping[str, str]) -> None:
        self.observed.append(headers)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def client(strava: Any, session: StravaSession, tokens: Tokens, gate: Gate) -> StravaClient:
    return StravaClient(session, strava.url, tokens, gate, Priority.LIVE)
