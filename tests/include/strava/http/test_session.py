from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from include.errors import (
    IngestError,
    NotTheApi,
    OutcomeUnknown,
    QuotaSpent,
    RetryLater,
    StravaUnavailable,
    UnexpectedShape,
)
from include.state.accounts.tokens import LEASE_S as TOKEN_LEASE_S
from include.state.activities.ledger import LEASE_S as ACTIVITY_LEASE_S
from include.state.copies.ledger import LEASE_S as COPY_LEASE_S
from include.strava.http.session import DEADLINES_S, BearerAuth, Call, StravaSession

pytestmark = pytest.mark.network

GET = Call("GET", "/activities/5", "athlete 7")
POST = Call("POST", "/uploads", "athlete 7", form={"name": "Run"})
DELETE = Call("DELETE", "/push_subscriptions/5")


def test_send_gives_status_headers_body_and_path(strava: Any, reply: Any, session: StravaSession) -> None:
    strava.will(reply(201, b"hello", {"X-RateLimit-Usage": "1,2"}))

    answer = session.send(strava.url, GET)

    assert (answer.status, answer.body, answer.path) == (201, b"hello", "/api/v3/activities/5")
    assert answer.headers["X-RateLimit-Usage"] == "1,2"
    assert answer.received_at_epoch_s == 1_700_000_123.0


def test_send_puts_the_token_in_the_header_alone(strava: Any, reply: Any, session: StravaSession) -> None:
    strava.will(reply())

    session.send(strava.url, Call("GET", "/athlete", "athlete 7", query={"page": 1}, auth=BearerAuth("t0ken")))

    assert strava.received[0].headers["authorization"] == "Bearer t0ken"
    assert strava.received[0].query == {"page": "1"}


def test_send_takes_no_credentials_from_netrc(
    strava: Any, reply: Any, session: StravaSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    strava.will(reply())

    session.send(strava.url, GET)

    assert "authorization" not in strava.received[0].headers


def test_send_reaches_this_machine_past_a_proxy(
    strava: Any, reply: Any, session: StravaSession, closed_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_url)
    monkeypatch.setenv("http_proxy", closed_url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    strava.will(reply(200, b"here"))

    assert session.send(strava.url, GET).body == b"here"


def test_send_keeps_no_cookies_between_athletes(strava: Any, reply: Any, session: StravaSession) -> None:
    strava.will(reply(headers={"Set-Cookie": "_strava3_session=first; path=/"}))

    session.send(strava.url, GET)
    session.send(strava.url, GET)

    assert "cookie" not in strava.received[1].headers


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_send_follows_no_redirect(strava: Any, reply: Any, session: StravaSession, status: int) -> None:
    strava.will(reply(status, b"", {"Location": f"{strava.url}/elsewhere"}))

    answer = session.send(strava.url, GET)

    assert answer.status == status
    assert len(strava.received) == 1
    with pytest.raises(NotTheApi, match="redirect"):
        answer.checked()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_send_answers_at_once_when_strava_refuses(
    strava: Any, reply: Any, session: StravaSession, pauses: list[float], status: int
) -> None:
    strava.will(reply(status))

    assert session.send(strava.url, GET).status == status
    assert (len(strava.received), pauses) == (1, [])


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


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b"x" * 1_000_001, {}, id="long"),
        pytest.param(gzip.compress(b"\0" * 5_000_000), {"Content-Encoding": "gzip"}, id="gzip bomb"),
    ],
)
def test_send_cuts_off_an_endless_body(
    strava: Any, reply: Any, session: StravaSession, body: bytes, headers: Mapping[str, str]
) -> None:
    strava.will(reply(200, body, headers))

    with pytest.raises(UnexpectedShape, match="1000000 bytes"):
        session.send(strava.url, GET)


def test_send_reads_a_body_of_the_largest_size(strava: Any, reply: Any, session: StravaSession) -> None:
    strava.will(reply(200, b"x" * 1_000_000))

    assert len(session.send(strava.url, GET).body) == 1_000_000


def test_send_asks_before_and_reports_after_every_attempt(strava: Any, reply: Any, session: StravaSession) -> None:
    strava.will(
        reply(500, headers={"X-RateLimit-Usage": "1,1"}),
        reply(200, headers={"X-RateLimit-Usage": "3,3"}),
    )
    seen: list[object] = []

    session.send(
        strava.url,
        GET,
        before=lambda: seen.append("asked"),
        after=lambda headers: seen.append(headers["X-RateLimit-Usage"]),
    )

    assert seen == ["asked", "1,1", "asked", "3,3"]


def test_send_makes_no_call_when_the_budget_refuses(strava: Any, reply: Any, session: StravaSession) -> None:
    def refuse() -> None:
        raise QuotaSpent("spent", until_epoch_s=1.0)

    strava.will(reply())

    with pytest.raises(QuotaSpent):
        session.send(strava.url, GET, before=refuse)
    assert strava.received == []


def test_log_of_the_library_holds_no_query(
    strava: Any, reply: Any, session: StravaSession, caplog: pytest.LogCaptureFixture
) -> None:
    strava.will(reply())
    caplog.set_level(logging.DEBUG)

    session.send(strava.url, Call("GET", "/push_subscriptions", query={"client_secret": "hush"}))

    assert "/push_subscriptions" in caplog.text
    assert "hush" not in caplog.text


@pytest.mark.parametrize(
    ("status", "expected"),
    [(503, StravaUnavailable), *((status, OutcomeUnknown) for status in (502, 520, 521, 522, 523, 524))],
)
def test_fault_at_an_upload_names_the_request_and_the_wait_that_strava_asks_for(
    strava: Any, reply: Any, session: StravaSession, status: int, expected: type[RetryLater]
) -> None:
    strava.will(reply(status, headers={"Retry-After": "700", "X-Request-Id": "4f3c"}))

    with pytest.raises(RetryLater, match=rf"{status} to /api/v3/uploads for athlete 7 \(request 4f3c\)") as caught:
        session.send(strava.url, POST)
    assert type(caught.value) is expected
    assert caught.value.retry_after_s == 700
