"""What a session sends, and what it answers."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from include.errors import (
    NotTheApi,
    OutcomeUnknown,
    QuotaSpent,
    RetryLater,
    StravaUnavailable,
    UnexpectedShape,
)
from include.strava.http.session import BearerAuth, Call, StravaSession

pytestmark = pytest.mark.network

GET = Call("GET", "/activities/5", "athlete 7")
POST = Call("POST", "/uploads", "athlete 7", form={"name": "Run"})


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
