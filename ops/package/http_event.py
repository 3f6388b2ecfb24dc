"""The event that Lambda gets from an HTTP API for a request."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode


def http_event(
    method: str,
    path: str,
    body: bytes = b"",
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
) -> dict[str, Any]:
    """The event of a request, payload version 2.0."""
    host = "abc123.execute-api.eu-central-1.amazonaws.com"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "headers": {"host": host, "x-forwarded-proto": "https", "x-forwarded-port": "443", **(headers or {})},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "domainName": host,
            "stage": "$default",
        },
        "isBase64Encoded": bool(body),
    }
    if cookies:
        event["cookies"] = list(cookies)
    if body:
        event["headers"]["content-length"] = str(len(body))
        event["body"] = base64.b64encode(body).decode()
    return event
