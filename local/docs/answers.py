"""Strava's error answers, as documented, recorded, or quoted by several public clients."""

from __future__ import annotations

import json
from dataclasses import dataclass

from include.strava.grant import NEWCOMER
from include.strava.http.session import of_athlete

OAUTH = "/oauth/token"
ACTIVITY = "/activities/1360128428"
SUBSCRIPTIONS = "/push_subscriptions"
ATHLETE_ID = 134815
JSON, HTML = "application/json; charset=utf-8", "text/html"


@dataclass(frozen=True, slots=True)
class DocumentedAnswer:
    """One answer, and its call."""

    when: str
    status: int
    body: bytes
    path: str
    whom: str
    is_applications: bool = False
    """Whether the call was made with the application's own credentials."""
    content_type: str = JSON


def _refused(message: str, *entries: tuple[str, str, str]) -> bytes:
    errors = [{"resource": resource, "field": field, "code": code} for resource, field, code in entries]
    return json.dumps({"message": message, "errors": errors}).encode()


def _at_token_endpoint(when: str, status: int, body: bytes, whom: str = NEWCOMER) -> DocumentedAnswer:
    return DocumentedAnswer(when, status, body, OAUTH, whom, is_applications=True)


def _to_application(when: str, status: int, body: bytes) -> DocumentedAnswer:
    return DocumentedAnswer(when, status, body, SUBSCRIPTIONS, "the application", is_applications=True)


def _to_athlete(
    when: str, status: int, body: bytes, path: str = ACTIVITY, content_type: str = JSON
) -> DocumentedAnswer:
    return DocumentedAnswer(when, status, body, path, of_athlete(ATHLETE_ID), content_type=content_type)


_STREAMS = f"{ACTIVITY}/streams"
_2018_LIMIT = b'{"errors":"Rate Limit Exceeded","status":429,"message":"Too Many Requests"}'

ANSWERS: tuple[DocumentedAnswer, ...] = (
    _at_token_endpoint("unknown client id", 400, _refused("Bad Request", ("Application", "client_id", "invalid"))),
    _at_token_endpoint("wrong client secret", 401, _refused("Authorization Error", ("Application", "", "invalid"))),
    _at_token_endpoint(
        "code used, expired or too fresh", 400, _refused("Bad Request", ("AuthorizationCode", "code", "invalid"))
    ),
    _at_token_endpoint("the same in 2018", 400, _refused("Bad Request", ("RequestToken", "code", "invalid"))),
    _at_token_endpoint("capacity reached", 403, _refused("Limit of connected athletes exceeded")),
    _at_token_endpoint(
        "refresh token void",
        400,
        _refused("Bad Request", ("RefreshToken", "refresh_token", "invalid")),
        of_athlete(ATHLETE_ID),
    ),
    _to_athlete("access token void", 401, _refused("Authorization Error", ("Athlete", "access_token", "invalid"))),
    _to_athlete("the same in 2020", 401, _refused("Authorization Error", ("Application", "", "invalid"))),
    _to_athlete(
        "reading not granted",
        401,
        _refused("Authorization Error", ("AccessToken", "activity:read_permission", "missing")),
    ),
    _to_athlete(
        "uploading not granted",
        401,
        _refused("Authorization Error", ("AccessToken", "write_permission", "missing")),
        "/uploads",
    ),
    _to_athlete("application switched off", 403, _refused("Forbidden", ("Application", "Status", "Inactive"))),
    _to_athlete("deleted or hidden", 404, _refused("Record Not Found", ("Activity", "id", "invalid"))),
    _to_athlete("no streams", 404, _refused("Resource Not Found"), _STREAMS),
    _to_athlete("the same in 2020", 404, b"", _STREAMS),
    _to_athlete("quota spent", 429, _refused("Rate Limit Exceeded", ("Application", "rate limit", "exceeded"))),
    _to_athlete("the same in 2018", 429, _2018_LIMIT),
    _to_application(
        "second subscription",
        400,
        _refused("Bad Request", ("PushSubscription", "", "already exists")),
    ),
    _to_application(
        "callback out of reach",
        400,
        _refused("Bad Request", ("PushSubscription", "callback url", "not verifiable")),
    ),
    _to_athlete("Strava is failing", 500, _refused("Internal Server Error")),
    _to_athlete("the same from a gateway", 502, b"<html><body>502 Bad Gateway</body></html>"),
    _to_athlete("redirect", 302, b""),
    _to_athlete("a route that there is not", 404, _refused("Record Not Found", ("resource", "path", "invalid"))),
    _to_athlete("a proxy's page", 404, b"<html>Not Found</html>", ACTIVITY, HTML),
    _to_athlete("a firewall's page", 403, b"<html>Blocked</html>", "/uploads", HTML),
    _to_athlete("a page with status 200", 200, b"<html>Maintenance</html>", ACTIVITY, HTML),
    _to_athlete("success of another shape", 200, b'{"id": "1360128428"}'),
    _to_athlete("success that is cut off", 200, b'{"id": 13601'),
)
"""Every answer in `docs/errors.md`."""
