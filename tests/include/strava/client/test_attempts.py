"""What surrounds each attempt: the token, the budget, what Strava reports of it."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import (
    NotConnected,
    QuotaSpent,
    StravaUnavailable,
    TokenRefused,
)
from include.strava.client import StravaClient

pytestmark = pytest.mark.network

UNAUTHORISED = {
    "message": "Authorization Error",
    "errors": [{"resource": "Athlete", "field": "access_token", "code": "invalid"}],
}


def test_call_is_repeated_with_a_fresh_token_when_the_first_is_refused(
    strava: Any, reply: Any, client: StravaClient, tokens: Any, gate: Any
) -> None:
    strava.will(reply(401, UNAUTHORISED), reply(body={"id": 7}))

    assert client.athlete(7).athlete_id == 7
    assert tokens.rejected == [(7, "first")]
    assert [request.headers["authorization"] for request in strava.received] == ["Bearer first", "Bearer second"]
    assert len(gate.reserved) == len(gate.observed) == 2


def test_call_raises_token_refused_when_the_fresh_token_is_refused_too(
    strava: Any, reply: Any, client: StravaClient, tokens: Any
) -> None:
    strava.will(reply(401, UNAUTHORISED))

    with pytest.raises(TokenRefused):
        client.athlete(7)
    assert len(strava.received) == 2
    assert tokens.rejected == [(7, "first")]


def test_call_is_not_repeated_when_the_renewal_gives_the_same_token(
    strava: Any, reply: Any, client: StravaClient, tokens: Any
) -> None:
    tokens.tokens = ["same", "same"]
    strava.will(reply(401, UNAUTHORISED))

    with pytest.raises(TokenRefused):
        client.athlete(7)
    assert len(strava.received) == 1


def test_call_raises_what_the_renewal_raises(strava: Any, reply: Any, client: StravaClient, tokens: Any) -> None:
    tokens.tokens = ["only"]
    strava.will(reply(401, UNAUTHORISED))

    with pytest.raises(NotConnected):
        client.athlete(7)


def test_call_is_not_made_when_the_budget_is_spent(strava: Any, reply: Any, client: StravaClient, gate: Any) -> None:
    gate.room = 0
    strava.will(reply())

    with pytest.raises(QuotaSpent):
        client.athlete(7)
    assert strava.received == []


def test_every_attempt_is_counted_when_strava_fails(
    strava: Any, reply: Any, client: StravaClient, gate: Any, pauses: list[float]
) -> None:
    strava.will(reply(500))

    with pytest.raises(StravaUnavailable):
        client.athlete(7)
    assert (len(gate.reserved), len(gate.observed), len(pauses)) == (2, 2, 1)


def test_headers_are_observed_when_strava_says_too_many(
    strava: Any, reply: Any, client: StravaClient, gate: Any
) -> None:
    headers = {"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "201,2000"}
    strava.will(reply(429, {"errors": "Rate Limit Exceeded"}, headers))

    with pytest.raises(QuotaSpent) as caught:
        client.athlete(7)
    assert caught.value.until_epoch_s == 1_700_006_400.0
    assert gate.observed[0]["X-RateLimit-Usage"] == "201,2000"
