"""How often a session sends a call again, and until when."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from include.errors import (
    IngestError,
    OutcomeUnknown,
    StravaUnavailable,
)
from include.state.accounts.tokens import LEASE_S as TOKEN_LEASE_S
from include.state.activities.ledger import LEASE_S as ACTIVITY_LEASE_S
from include.state.copies.ledger import LEASE_S as COPY_LEASE_S
from include.strava.http.session import DEADLINES_S, Call, StravaSession

pytestmark = pytest.mark.network

GET = Call("GET", "/activities/5", "athlete 7")
POST = Call("POST", "/uploads", "athlete 7", form={"name": "Run"})
DELETE = Call("DELETE", "/push_subscriptions/5")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500}, id="500"),
        pytest.param({"status": 503, "body": b"<html>busy</html>"}, id="503"),
        pytest.param({"breaks": "dropped"}, id="dropped"),
        pytest.param({"breaks": "truncated", "body": b'{"id": '}, id="truncated"),
        pytest.param({"body": b"no gzip", "headers": {"Content-Encoding": "gzip"}}, id="undecodable"),
    ],
)
@pytest.mark.parametrize("call", [pytest.param(GET, id="GET"), pytest.param(DELETE, id="DELETE")])
def test_send_repeats_an_idempotent_call_when_strava_fails(
    strava: Any, reply: Any, session: StravaSession, pauses: list[float], fault: dict[str, Any], call: Call
) -> None:
    strava.will(reply(**fault), reply(200, b"done"))

    assert session.send(strava.url, call).body == b"done"
    assert len(strava.received) == 2
    assert len(pauses) == 1
    assert 0 <= pauses[0] <= 1


@pytest.mark.parametrize("fault", [{"status": 502}, {"breaks": "dropped"}])
def test_send_gives_up_after_one_repetition(
    strava: Any, reply: Any, session: StravaSession, fault: dict[str, Any]
) -> None:
    strava.will(reply(**fault))

    with pytest.raises(StravaUnavailable, match="later"):
        session.send(strava.url, GET)
    assert len(strava.received) == 2


SLOW = [
    pytest.param({"breaks": "silent"}, id="silent"),
    pytest.param({"breaks": "drips"}, id="status line and headers drip"),
    pytest.param({"breaks": "drips body", "body": b"[]" * 2000}, id="body drips"),
]


@pytest.mark.parametrize("fault", SLOW)
@pytest.mark.parametrize(
    ("call", "deadline_s", "expected"),
    [
        pytest.param(GET, 0.4, StravaUnavailable, id="GET"),
        pytest.param(POST, 0.4, OutcomeUnknown, id="POST"),
        pytest.param(replace(GET, is_long=True), 0.8, StravaUnavailable, id="streams"),
    ],
)
def test_send_ends_by_its_deadline_when_the_answer_is_slow(
    strava: Any,
    reply: Any,
    hasty_session: StravaSession,
    fault: dict[str, Any],
    call: Call,
    deadline_s: float,
    expected: type[IngestError],
) -> None:
    strava.will(reply(**fault))
    began_s = time.monotonic()

    with pytest.raises(expected):
        hasty_session.send(strava.url, call)

    assert deadline_s - 0.1 < time.monotonic() - began_s < deadline_s + 1
    assert len(strava.received) == 1


@pytest.mark.parametrize("fault", SLOW)
def test_send_reads_the_next_answer_whole_after_a_slow_one(
    strava: Any, reply: Any, hasty_session: StravaSession, fault: dict[str, Any]
) -> None:
    strava.will(reply(**fault), reply(200, b"x" * 200_000))
    with pytest.raises(StravaUnavailable):
        hasty_session.send(strava.url, GET)

    assert hasty_session.send(strava.url, GET).body == b"x" * 200_000


def test_deadlines_stay_below_the_leases_that_calls_are_made_under() -> None:
    assert DEADLINES_S[0] < TOKEN_LEASE_S
    assert DEADLINES_S[0] + DEADLINES_S[1] < ACTIVITY_LEASE_S
    assert DEADLINES_S[1] < COPY_LEASE_S


@pytest.mark.parametrize("seconds", [5, 19])
def test_send_waits_as_long_as_strava_asks_when_the_deadline_allows(
    strava: Any, reply: Any, pauses: list[float], seconds: int
) -> None:
    strava.will(reply(503, headers={"Retry-After": str(seconds)}), reply(200, b"done"))

    with StravaSession(lambda: 0.0, sleep=pauses.append) as session:
        assert session.send(strava.url, GET).body == b"done"
    assert pauses == [seconds]


@pytest.mark.parametrize(
    ("header", "asked_s"), [("21", 21), ("Thu, 01 Jan 1970 00:10:00 GMT", 600), ("9" * 30, 21_600)]
)
def test_send_gives_up_at_once_when_strava_asks_for_more_than_the_deadline(
    strava: Any, reply: Any, pauses: list[float], header: str, asked_s: float
) -> None:
    strava.will(reply(503, headers={"Retry-After": header}))

    with StravaSession(lambda: 0.0, sleep=pauses.append) as session, pytest.raises(StravaUnavailable) as caught:
        session.send(strava.url, GET)
    assert (caught.value.retry_after_s, pauses, len(strava.received)) == (asked_s, [], 1)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param({"breaks": "dropped"}, OutcomeUnknown, id="dropped"),
        pytest.param({"breaks": "truncated"}, OutcomeUnknown, id="truncated"),
        pytest.param({"status": 500}, OutcomeUnknown, id="500"),
        pytest.param({"status": 504}, OutcomeUnknown, id="504"),
        pytest.param({"status": 520}, OutcomeUnknown, id="520"),
        pytest.param({"status": 524, "body": b"<html>"}, OutcomeUnknown, id="524"),
        pytest.param({"status": 503}, StravaUnavailable, id="503 takes nothing"),
    ],
)
def test_send_never_repeats_a_post_when_it_breaks(
    strava: Any,
    reply: Any,
    session: StravaSession,
    pauses: list[float],
    fault: dict[str, Any],
    expected: type[IngestError],
) -> None:
    strava.will(reply(**fault))

    with pytest.raises(IngestError) as caught:
        session.send(strava.url, POST)
    assert type(caught.value) is expected
    assert (len(strava.received), pauses) == (1, [])


@pytest.mark.parametrize("call", [pytest.param(GET, id="GET"), pytest.param(POST, id="POST")])
def test_send_says_unavailable_when_nobody_listens(closed_url: str, session: StravaSession, call: Call) -> None:
    with pytest.raises(StravaUnavailable):
        session.send(closed_url, call)
