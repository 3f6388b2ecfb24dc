"""Answers that Strava, its gateways or proxies before them may give instead of the documented ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_JSON = "application/json; charset=utf-8"
_HTML = "text/html"
_PAGE = "<html><head><title>Temporarily unavailable</title></head><body>token=0123456789abcdef0123456789</body></html>"


def _refusal(message: str, *entry: str) -> str:
    errors = [dict(zip(("resource", "field", "code"), entry, strict=True))] if entry else []
    return json.dumps({"message": message, "errors": errors})


def _json(status: int, body: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "body": body, "content_type": _JSON, **more}


def _page(status: int, **more: Any) -> dict[str, Any]:
    return {"status": status, "body": _PAGE, "content_type": _HTML, **more}


ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "404, no such route": _json(404, _refusal("Record Not Found", "resource", "path", "invalid")),
    "404, a page": _page(404),
    "404, nothing at all": {"status": 404, "content_type": ""},
    "404, as of a thing that is gone": _json(404, _refusal("Record Not Found")),
    "404, the same without a body": _json(404, ""),
    "410": _json(410, _refusal("Gone")),
    "200, a page": _page(200),
    "200, empty": _json(200, ""),
    "200, null": _json(200, "null"),
    "200, an empty list": _json(200, "[]"),
    "200, an empty object": _json(200, "{}"),
    "200, some word": _json(200, '{"message":"ok"}'),
    "200, an id as text": _json(200, '{"id":"1","activity_id":"2","access_token":null}'),
    "200, a token pair of nobody's": _json(200, '{"access_token":"feed","refresh_token":"beef","expires_at":1}'),
    "200, half an answer": _json(200, '{"id": 1, "name": "Morn', cut_at=12),
    "200, half an answer that says it is whole": _json(200, '{"id": 1, "na'),
    "200, not a number": _json(200, '{"id": NaN}'),
    "200, only brackets": _json(200, "[" * 5000),
    "200, JSON that says it is a page": {"status": 200, "body": "{}", "content_type": _HTML},
    "204": _json(204, ""),
    "301": _json(301, "", headers={"Location": "https://elsewhere.example/"}),
    "302 to a page": _page(302, headers={"Location": "https://elsewhere.example/login"}),
    "400, a page": _page(400),
    "400 without a reason": _json(400, _refusal("Bad Request")),
    "401, a page": _page(401),
    "403, a page": _page(403),
    "403 without a reason": _json(403, _refusal("Forbidden")),
    "403, application switched off": _json(403, _refusal("Forbidden", "Application", "Status", "Inactive")),
    "408": _page(408),
    "429, a page": _page(429, headers={"Retry-After": "60"}),
    "500": _json(500, _refusal("Internal Server Error")),
    "502": _page(502),
    "503, asks to wait": _page(503, headers={"Retry-After": "30"}),
    "524": _page(524),
    "no answer": {"drops": True},
    "headers drip": _json(200, "{}", head_bytes_per_s=0.5),
    "body drips": _json(200, "{" + " " * 400 + "}", body_bytes_per_s=1),
}
"""Each answer's name, and the line of the simulator's script that gives it."""
