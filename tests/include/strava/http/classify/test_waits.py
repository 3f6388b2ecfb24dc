"""How long an error says to wait."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from include.errors import (
    QuotaSpent,
)

NOW = 1_700_000_123.0
NEXT_WINDOW = 1_700_001_000.0
NEXT_DAY = 1_700_006_400.0
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}


def body(message: str, resource: str = "", field: str = "", code: str = "") -> bytes:
    return json.dumps({"message": message, "errors": [{"resource": resource, "field": field, "code": code}]}).encode()


@pytest.mark.parametrize(
    ("status", "headers", "until"),
    [
        pytest.param(429, {"Retry-After": "1"}, NEXT_WINDOW, id="sooner than the window"),
        pytest.param(429, {"retry-after": "3600"}, NOW + 3600, id="later than the window"),
        pytest.param(429, {"Retry-After": "soon"}, NEXT_WINDOW, id="no number"),
    ],
)
def test_error_for_waits_for_the_budget_as_long_as_strava_asks(
    status: int, headers: dict[str, str], until: float, classified: Callable[..., Any]
) -> None:
    error = classified(status, b"", headers=headers)

    assert isinstance(error, QuotaSpent)
    assert error.until_epoch_s == until


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        pytest.param("30", 30, id="seconds"),
        pytest.param("0", 0, id="none"),
        pytest.param("-30", 0, id="negative"),
        pytest.param("30.5", 0, id="a fraction"),
        pytest.param("1e3", 0, id="an exponent"),
        pytest.param("9" * 400, 21_600, id="without end"),
        pytest.param("86400", 21_600, id="a day"),
        pytest.param("Tue, 14 Nov 2023 22:25:23 GMT", 600, id="a date"),
        pytest.param("Tue, 14 Nov 2023 22:25:23 -0000", 600, id="a date without a zone"),
        pytest.param("Tue, 14 Nov 2023 22:00:00 GMT", 0, id="a date gone by"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 21_600, id="the last date"),
        pytest.param("soon", 0, id="a word"),
        pytest.param("\u0663\u0660", 0, id="digits of another script"),
        pytest.param("", 0, id="nothing"),
    ],
)
@pytest.mark.parametrize("status", [503, 200, 302])
def test_error_for_says_how_long_strava_asks_to_wait_within_bounds(
    status: int, text: str, wait_s: float, classified: Callable[..., Any]
) -> None:
    error = classified(status, b"<html>", headers=HTML | {"Retry-After": text})

    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("answer", "headers", "until"),
    [
        pytest.param(body("Rate Limit Exceeded", "Application", "rate limit", "exceeded"), {}, NEXT_WINDOW, id="body"),
        pytest.param(
            b'{"errors":"Rate Limit Exceeded","status":429,"message":"Too Many Requests"}',
            {"X-RateLimit-Limit": "600,30000", "x-ratelimit-usage": "600,30000"},
            NEXT_DAY,
            id="errors is a string, day spent",
        ),
        pytest.param(b"", {"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "200,1999"}, NEXT_WINDOW, id="window"),
        pytest.param(
            b"", {"X-ReadRateLimit-Limit": "100,1000", "X-ReadRateLimit-Usage": "3,1000"}, NEXT_DAY, id="read day"
        ),
        pytest.param(b"", {"X-RateLimit-Limit": ",", "X-RateLimit-Usage": ","}, NEXT_WINDOW, id="malformed headers"),
        pytest.param(body("Daily Rate Limit Exceeded"), {}, NEXT_DAY, id="body says daily"),
        pytest.param(b"", {}, NEXT_WINDOW, id="nothing said"),
    ],
)
def test_error_for_says_until_when_the_budget_is_spent(
    answer: bytes, headers: dict[str, str], until: float, classified: Callable[..., Any]
) -> None:
    error = classified(429, answer, headers=headers)

    assert isinstance(error, QuotaSpent)
    assert error.until_epoch_s == until
