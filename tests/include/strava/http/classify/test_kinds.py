"""Which error an answer is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

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
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
ROUTE_404 = b'{"message":"Record Not Found","errors":[{"resource":"resource","field":"path","code":"invalid"}]}'
GONE_404 = b'{"message":"Record Not Found","errors":[]}'


def body(message: str, resource: str = "", field: str = "", code: str = "") -> bytes:
    return json.dumps({"message": message, "errors": [{"resource": resource, "field": field, "code": code}]}).encode()


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
    status: int,
    answer: bytes,
    athlete_id: int | None,
    expected: type[IngestError],
    words: str,
    classified: Callable[..., Any],
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
def test_error_for_says_gone_only_of_one_thing_by_its_own_route(
    path: str, expected: type[IngestError], classified: Callable[..., Any]
) -> None:
    assert type(classified(404, GONE_404, path=path)) is expected
    assert type(classified(404, ROUTE_404, path=path)) is NotTheApi
    assert type(classified(404, GONE_404, path=path, headers=HTML)) is NotTheApi
    assert type(error_for(404, b"", path=path, whom="athlete 7", is_applications=False, now_epoch_s=NOW)) is NotTheApi


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 402, 403, 404, 410, 418])
def test_error_for_believes_nothing_that_a_page_says(status: int, classified: Callable[..., Any]) -> None:
    answer = body("Bad Request", "RefreshToken", "refresh_token", "invalid")

    assert type(classified(status, answer, headers=HTML)) is NotTheApi
    assert type(classified(status, b"<html>blocked</html>")) is NotTheApi


@pytest.mark.parametrize(
    ("request_id", "shown"),
    [("4f3c-AB12", " (request 4f3c-AB12):"), ("", ""), ("a b", ""), ("x" * 65, ""), ("<b>", "")],
)
def test_error_for_names_the_request_when_strava_does(
    request_id: str, shown: str, classified: Callable[..., Any]
) -> None:
    message = str(classified(404, GONE_404, headers={"X-Request-Id": request_id}))

    assert ("(request" in message) is bool(shown)
    assert shown in message


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
    recording: Callable[[str], Any],
    name: str,
    athlete_id: int | None,
    expected: type[IngestError],
    classified: Callable[..., Any],
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
    recording: Callable[[str], Any],
    path: str,
    athlete_id: int | None,
    expected: type[IngestError],
    classified: Callable[..., Any],
) -> None:
    response = recording(path)["response"]
    answer = response["body"] if isinstance(response["body"], str) else json.dumps(response["body"])

    error = classified(response["status"], answer.encode(), athlete_id=athlete_id, headers=response["headers"])

    assert type(error) is expected
