"""Strava's answers that are no success, as documented, recorded, or quoted by several public clients."""

from __future__ import annotations

import json
from dataclasses import dataclass

OAUTH = "/oauth/token"
ACTIVITY = "/activities/1360128428"
SUBSCRIPTIONS = "/push_subscriptions"
ATHLETE_ID = 134815


@dataclass(frozen=True, slots=True)
class DocumentedAnswer:
    """One answer, and to which call; `athlete_id` is None where the application calls with its own credentials."""

    when: str
    status: int
    body: bytes
    path: str
    athlete_id: int | None
    content_type: str = "application/json; charset=utf-8"


def _refused(message: str, *entries: tuple[str, str, str]) -> bytes:
    errors = [{"resource": resource, "field": field, "code": code} for resource, field, code in entries]
    return json.dumps({"message": message, "errors": errors}).encode()


def _to_application(when: str, status: int, body: bytes, path: str = OAUTH) -> DocumentedAnswer:
    return DocumentedAnswer(when, status, body, path, None)


def _to_athlete(when: str, status: int, body: bytes, path: str = ACTIVITY) -> DocumentedAnswer:
    return DocumentedAnswer(when, status, body, path, ATHLETE_ID)


_STREAMS = f"{ACTIVITY}/streams"
_2018_LIMIT = b'{"errors":"Rate Limit Exceeded","status":429,"message":"Too Many Requests"}'

ANSWERS: tuple[DocumentedAnswer, ...] = (
    _to_application("unknown client id", 400, _refused("Bad Request", ("Application", "client_id", "invalid"))),
    _to_application("wrong client secret", 401, _refused("Authorization Error", ("Application", "", "invalid"))),
    _to_application(
        "code used, expired or too fresh", 400, _refused("Bad Request", ("AuthorizationCode", "code", "invalid"))
    ),
    _to_application("the same in 2018", 400, _refused("Bad Request", ("RequestToken", "code", "invalid"))),
    _to_application("capacity reached", 403, _refused("Limit of connected athletes exceeded")),
    _to_application("refresh token void", 400, _refused("Bad Request", ("RefreshToken", "refresh_token", "invalid"))),
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
        SUBSCRIPTIONS,
    ),
    _to_application(
        "callback out of reach",
        400,
        _refused("Bad Request", ("PushSubscription", "callback url", "not verifiable")),
        SUBSCRIPTIONS,
    ),
    _to_athlete("Strava is failing", 500, _refused("Internal Server Error")),
    _to_athlete("the same from a gateway", 502, b"<html><body>502 Bad Gateway</body></html>"),
    _to_athlete("redirect", 302, b""),
    _to_athlete("a route that there is not", 404, _refused("Record Not Found", ("resource", "path", "invalid"))),
    DocumentedAnswer("a proxy's page", 404, b"<html>Not Found</html>", ACTIVITY, ATHLETE_ID, "text/html"),
    DocumentedAnswer("a firewall's page", 403, b"<html>Blocked</html>", "/uploads", ATHLETE_ID, "text/html"),
    DocumentedAnswer("a page with status 200", 200, b"<html>Maintenance</html>", ACTIVITY, ATHLETE_ID, "text/html"),
    _to_athlete("success of another shape", 200, b'{"id": "1360128428"}'),
    _to_athlete("success that is cut off", 200, b'{"id": 13601'),
)
"""Every answer that has a line in `docs/errors.md`."""
