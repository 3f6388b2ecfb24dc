"""The way to Strava and back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@pytest.fixture
def begin() -> Callable[..., dict[str, str]]:
    """Follow the start page's button and answer what Strava's consent page is asked."""

    def begin(client: FlaskClient, **choices: str) -> dict[str, str]:
        answer = client.get("/connect", query_string=choices)
        assert answer.status_code == 303
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}

    return begin


@pytest.fixture
def come_back() -> Callable[..., TestResponse]:
    """Strava's redirect, and ours after it."""

    def come_back(client: FlaskClient, state: str, scope: str = "read,activity:read", **query: str) -> TestResponse:
        query = {"state": state, "code": "code-of-strava", "scope": scope} | query
        return client.get("/callback", query_string=query, follow_redirects=True)

    return come_back
