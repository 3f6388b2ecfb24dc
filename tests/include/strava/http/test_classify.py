from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import (
    ApplicationInactive,
    BadRequest,
    CapacityReached,
    Gone,
    IngestError,
    NotTheApi,
    QuotaSpent,
    ScopeMissing,
    StravaUnavailable,
    TokenRefused,
    UnexpectedShape,
)
from include.strava.http.classify import error_for

NOW = 1_700_000_123.0
NEXT_WINDOW = 1_700_001_000.0
NEXT_DAY = 1_700_006_400.0
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
ROUTE_404 = b'{"message":"Record Not Found","errors":[{"resource":"resource","field":"path","code":"invalid"}]}'
GONE_404 = b'{"message":"Record Not Found","errors":[]}'
SECRET = "0123456789abcdef0123456789abcdef01234567"


def body(message: str, resource: str = "", field: str = "", code: str = "") -> bytes:
    return json.dumps({"message": message, "errors": [{"resource": resource, "field": field, "code": code}]}).encode()


def classified(
    status: int,
    answer: bytes,
    *,
    path: str = "/api/v3/activities/5",
    athlete_id: int | None = 7,
    headers: Mapping[str, str] | None = None,
) -> IngestError:
    headers = JSON | dict(headers or {})
    return error_for(
        status,
        answer,
        path=path,
        whom="the application" if athlete_id is None else f"athlete {athlete_id}",
        is_applications=athlete_id is None,
        now_epoch_s=NOW,
        headers=headers,
    )


@pytest.mark.parametrize(
    ("status", "answer", "athlete_id", "expected", "words"),
    [
        pytest.param(
            400, body("Bad Request", "Application", "client_id", "invalid"), None, BadRequest, "STRAVA_CLIENT_ID",
            id="unknown client id",
        ),
        pytest.param(
            401, body("Authorization Error", "Application", "", "invalid"), None, BadRequest, "client secret is wrong",
            id="wrong secret",
        ),
        pytest.param(
            401, b'{"message":"Authorization Error","errors":[]}', None, BadRequest, "client secret is wrong",
            id="wrong secret at revoke",
        ),
        pytest.param(
            400, body("Bad Request", "AuthorizationCode", "code", "invalid"), None, BadRequest, "authorization code",
            id="used code",
        ),
        pytest.param(
            400, body("Bad Request", "RequestToken", "code", "invalid"), None, BadRequest, "authorization code",
            id="used code in 2018",
        ),
        pytest.param(
            400, body("Bad Request", "RefreshToken", "refresh_token", "invalid"), None, TokenRefused, "refresh token",
            id="dead refresh token",
        ),
        pytest.param(
            401, body("Authorization Error", "Athlete", "access_token", "invalid"), 7, TokenRefused, "access token",
            id="bad access token",
        ),
        pytest.param(
            401, body("Authorization Error", "Application", "", "invalid"), 7, TokenRefused, "access token",
            id="bad access token in 2020",
        ),
        pytest.param(401, b"", 7, TokenRefused, "connect again", id="401 without a body"),
        pytest.param(
            403, body("Forbidden", "Application", "Status", "Inactive"), 7, ApplicationInactive, "subscription",
            id="application inactive",
        ),
        pytest.param(
            403, body("Limit of connected athletes exceeded"), None, CapacityReached, "no further athletes",
            id="capacity",
        ),
        pytest.param(403, b'{"message":"Forbidden"}', 7, BadRequest, "Forbidden", id="other 403"),
        pytest.param(
            400, body("Bad Request", "PushSubscription", "", "already exists"), None, BadRequest, "Delete that one",
            id="second subscription",
        ),
        pytest.param(
            400, body("Bad Request", "PushSubscription", "callback url", "not verifiable"), None, BadRequest,
            "PUBLIC_URL", id="callback unreachable",
        ),
        pytest.param(
            400, body("Bad Request", "PushSubscription", "callback url", "GET hub.challenge?"), None, BadRequest,
            "PUBLIC_URL", id="callback without challenge",
        ),
        pytest.param(404, body("Record Not Found", "Activity", "id", "invalid"), 7, Gone, "hidden", id="gone"),
        pytest.param(404, b'{"message":"Resource Not Found","errors":[]}', 7, Gone, "hidden", id="no streams"),
        pytest.param(404, b"", 7, Gone, "hidden", id="404 without a body"),
        pytest.param(402, b'{"message":"Payment Required"}', 7, BadRequest, "Payment Required", id="other 4xx"),
        pytest.param(408, b"", 7, StravaUnavailable, "later", id="408"),
        pytest.param(500, b"<html>oops</html>", 7, StravaUnavailable, "later", id="500"),
        pytest.param(503, b"", None, StravaUnavailable, "later", id="503"),
        pytest.param(599, b"\xff\x00", 7, StravaUnavailable, "later", id="599"),
        pytest.param(302, b"", 7, NotTheApi, "redirect", id="redirect"),
        pytest.param(200, b'{"id": 1', 7, NotTheApi, "STRAVA_API_URL", id="cut off 200"),
        pytest.param(200, b'{"id": "1"}', 7, UnexpectedShape, "not what the API documents", id="other shape"),
        pytest.param(404, ROUTE_404, 7, NotTheApi, "STRAVA_API_URL", id="404 of a route that is none"),
        pytest.param(404, b"<html>Not found</html>", 7, NotTheApi, "STRAVA_API_URL", id="404 that is no JSON"),
    ],
)  # fmt: skip
def test_error_for_gives_the_class_and_the_next_step_when_strava_refuses(
    status: int, answer: bytes, athlete_id: int | None, expected: type[IngestError], words: str
) -> None:
    error = classified(status, answer, athlete_id=athlete_id)

    assert type(error) is expected
    assert words in str(error)
    assert f"Strava answered {status} to /api/v3/activities/5 for" in str(error)
    assert ("athlete 7" if athlete_id else "the application") in str(error)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/api/v3/activities/5", Gone, id="activity"),
        pytest.param("/activities/5", Gone, id="activity from 2027"),
        pytest.param("/api/v3/activities/5/streams", Gone, id="streams"),
        pytest.param("/api/v3/uploads/5", Gone, id="upload"),
        pytest.param("/api/v3/push_subscriptions/5", Gone, id="subscription"),
        pytest.param("/api/v3/athlete", NotTheApi, id="athlete"),
        pytest.param("/api/v3/athlete/activities", NotTheApi, id="list"),
        pytest.param("/api/v3/uploads", NotTheApi, id="uploading"),
        pytest.param("/api/v3/push_subscriptions", NotTheApi, id="subscriptions"),
        pytest.param("/oauth/token", NotTheApi, id="token endpoint"),
        pytest.param("/oauth/revoke", NotTheApi, id="revocation"),
    ],
)
def test_error_for_says_gone_only_of_one_thing_by_its_own_route(path: str, expected: type[IngestError]) -> None:
    assert type(classified(404, GONE_404, path=path)) is expected
    assert type(classified(404, ROUTE_404, path=path)) is NotTheApi
    assert type(classified(404, GONE_404, path=path, headers=HTML)) is NotTheApi
    assert type(error_for(404, b"", path=path, whom="athlete 7", is_applications=False, now_epoch_s=NOW)) is NotTheApi


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 402, 403, 404, 410, 418])
def test_error_for_believes_nothing_that_a_page_says(status: int) -> None:
    answer = body("Bad Request", "RefreshToken", "refresh_token", "invalid")

    assert type(classified(status, answer, headers=HTML)) is NotTheApi
    assert type(classified(status, b"<html>blocked</html>")) is NotTheApi


@pytest.mark.parametrize(
    ("request_id", "shown"),
    [("4f3c-AB12", " (request 4f3c-AB12):"), ("", ""), ("a b", ""), ("x" * 65, ""), ("<b>", "")],
)
def test_error_for_names_the_request_when_strava_does(request_id: str, shown: str) -> None:
    message = str(classified(404, GONE_404, headers={"X-Request-Id": request_id}))

    assert ("(request" in message) is bool(shown)
    assert shown in message


@pytest.mark.parametrize(
    ("status", "headers", "until"),
    [
        pytest.param(429, {"Retry-After": "1"}, NEXT_WINDOW, id="sooner than the window"),
        pytest.param(429, {"retry-after": "3600"}, NOW + 3600, id="later than the window"),
        pytest.param(429, {"Retry-After": "soon"}, NEXT_WINDOW, id="no number"),
    ],
)
def test_error_for_waits_for_the_budget_as_long_as_strava_asks(
    status: int, headers: dict[str, str], until: float
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
def test_error_for_says_how_long_strava_asks_to_wait_within_bounds(status: int, text: str, wait_s: float) -> None:
    error = classified(status, b"<html>", headers=HTML | {"Retry-After": text})

    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("field", "scope"),
    [
        pytest.param("activity:read_permission", "activity:read", id="read"),
        pytest.param("activity:read_all_permission", "activity:read_all", id="read all"),
        pytest.param("activity:write_permission", "activity:write", id="write"),
        pytest.param("write_permission", "activity:write", id="write as in 2014"),
        pytest.param("profile:read_all_permission", "profile:read_all", id="profile"),
    ],
)
def test_error_for_names_the_scope_when_one_is_missing(field: str, scope: str) -> None:
    error = classified(401, body("Authorization Error", "AccessToken", field, "missing"))

    assert isinstance(error, ScopeMissing)
    assert error.scope == scope
    assert f"did not grant {scope}" in str(error)


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
def test_error_for_says_until_when_the_budget_is_spent(answer: bytes, headers: dict[str, str], until: float) -> None:
    error = classified(429, answer, headers=headers)

    assert isinstance(error, QuotaSpent)
    assert error.until_epoch_s == until


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(body(SECRET, SECRET, SECRET, SECRET), id="known fields"),
        pytest.param(json.dumps({"error": f"token {SECRET} bad", "access_token": SECRET}).encode(), id="upload error"),
        pytest.param(SECRET.encode(), id="raw"),
        pytest.param(json.dumps({"errors": SECRET}).encode(), id="errors as text"),
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 418, 429, 500])
def test_error_for_keeps_secrets_out_when_strava_echoes_them(status: int, answer: bytes) -> None:
    error = classified(status, answer, path=f"/oauth/token?client_secret={SECRET}", athlete_id=None)

    assert SECRET not in str(error)
    assert SECRET not in repr(error)


def test_error_for_reads_plainly_when_the_reason_is_html() -> None:
    answer = {"error": "a.gpx duplicate of <a href='/activities/18106372042' target='_blank'>Secret Title</a>"}

    error = classified(400, json.dumps(answer).encode(), path="/api/v3/uploads")

    assert "a.gpx duplicate of activity 18106372042" in str(error)
    assert "Secret Title" not in str(error)


@given(
    status=st.integers(200, 599),
    answer=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
            lambda child: (
                st.lists(child, max_size=3)
                | st.dictionaries(st.sampled_from(["message", "errors", "resource", "field", "code", "error"]), child)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
        st.just(b"[" * 100_000),
    ),
    athlete_id=st.none() | st.integers(1),
)
def test_error_for_always_answers_with_one_bounded_line_when_the_body_is_anything(
    status: int, answer: bytes, athlete_id: int | None
) -> None:
    error = classified(status, answer, athlete_id=athlete_id)

    assert isinstance(error, IngestError)
    assert len(str(error)) <= 300
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("name", "athlete_id", "expected"),
    [
        pytest.param("push_subscription_already_exists", None, BadRequest, id="already exists"),
        pytest.param("push_subscription_callback_not_verifiable", None, BadRequest, id="not verifiable"),
        pytest.param("token_refresh_invalid", None, TokenRefused, id="refresh"),
        pytest.param("token_code_invalid_current", None, BadRequest, id="code"),
        pytest.param("token_wrong_secret", None, BadRequest, id="secret"),
        pytest.param("access_token_invalid", 7, TokenRefused, id="access token"),
        pytest.param("read_scope_missing", 7, ScopeMissing, id="scope"),
        pytest.param("application_inactive", 7, ApplicationInactive, id="inactive"),
        pytest.param("rate_limit_exceeded_structured", 7, QuotaSpent, id="rate limit"),
        pytest.param("streams_not_found", 7, Gone, id="streams"),
    ],
)
def test_error_for_knows_every_documented_error(
    recording: Callable[[str], Any], name: str, athlete_id: int | None, expected: type[IngestError]
) -> None:
    documented = {entry["name"]: entry for entry in recording("documented/errors.json")}[name]

    error = classified(documented["status"], json.dumps(documented["body"]).encode(), athlete_id=athlete_id)

    assert type(error) is expected


@pytest.mark.parametrize(
    ("path", "athlete_id", "expected"),
    [
        pytest.param("dblock-strava-ruby-client/oauth/token_invalid_code.json", None, BadRequest, id="code"),
        pytest.param("dblock-strava-ruby-client/oauth/token_invalid_client.json", None, BadRequest, id="client"),
        pytest.param("dblock-strava-ruby-client/client/authorization_error.json", 7, TokenRefused, id="token"),
        pytest.param("dblock-strava-ruby-client/client/not_found_error.json", 7, Gone, id="gone"),
        pytest.param("dblock-strava-ruby-client/client/activity_with_ratelimit_exceeded.json", 7, QuotaSpent, id="429"),
        pytest.param("strava-go.strava/upload_create_unauthorized.json", 7, ScopeMissing, id="scope"),
    ],
)
def test_error_for_knows_every_recorded_error(
    recording: Callable[[str], Any], path: str, athlete_id: int | None, expected: type[IngestError]
) -> None:
    response = recording(path)["response"]
    answer = response["body"] if isinstance(response["body"], str) else json.dumps(response["body"])

    error = classified(response["status"], answer.encode(), athlete_id=athlete_id, headers=response["headers"])

    assert type(error) is expected
