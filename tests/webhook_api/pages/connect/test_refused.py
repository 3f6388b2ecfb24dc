"""What a page says when nothing was connected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import IngestError, OutcomeUnknown, StravaUnavailable
from include.state.accounts.athletes import Athletes
from include.store.sqlite import SqliteStore
from webhook_api.edge import EXTENSION

ATHLETE_ID = 134815
SECRETS = (
    "access-token-that-nobody-may-see",
    "refresh-token-that-nobody-may-see",
    "client-secret-that-nobody-may-see",
    "cookie-key-that-nobody-may-see",
    "code-of-strava",
)


def refusal(status: int, message: str, **fault: str) -> dict[str, Any]:
    return {"status": status, "document": {"message": message, "errors": [fault] if fault else []}}


@pytest.mark.parametrize(
    ("answer", "status", "title"),
    [
        pytest.param(
            refusal(400, "Bad Request", resource="AuthorizationCode", field="code", code="invalid"),
            400,
            "Strava did not accept the sign-in",
            id="code-used",
        ),
        pytest.param(
            refusal(400, "Bad Request", resource="RequestToken", field="code", code="invalid"),
            400,
            "Strava did not accept the sign-in",
            id="code-used-in-2018",
        ),
        pytest.param(
            refusal(403, "Limit of connected athletes exceeded"), 403, "No more athletes can be connected", id="full"
        ),
        pytest.param(
            refusal(403, "Forbidden", resource="Application", field="Status", code="Inactive"),
            503,
            "Strava has switched this service off",
            id="inactive",
        ),
        pytest.param(refusal(429, "Rate Limit Exceeded"), 503, "Strava is not answering", id="throttled"),
        pytest.param({"status": 200, "document": []}, 503, "Strava is not answering", id="strange"),
        pytest.param(
            {"status": 200, "document": {"access_token": SECRETS[0], "refresh_token": SECRETS[1], "expires_at": 1}},
            502,
            "Strava gave an unexpected answer",
            id="no-athlete",
        ),
        pytest.param({"fault": StravaUnavailable("503")}, 503, "Strava is not answering", id="unavailable"),
        pytest.param({"fault": OutcomeUnknown("cut off")}, 503, "Strava is not answering", id="broken-off"),
    ],
)
def test_nothing_is_connected_and_the_page_says_why_when_strava_refuses(
    client: FlaskClient,
    athletes: Athletes,
    strava: Any,
    answer: dict[str, Any],
    status: int,
    title: str,
    *,
    begin: Callable[..., Any],
    come_back: Callable[..., Any],
) -> None:
    for name, value in answer.items():
        setattr(strava, name, value)

    page = come_back(client, begin(client)["state"])

    assert (page.status_code, page.content_type) == (status, "text/html; charset=utf-8")
    assert f"<h1>{title}</h1>" in page.text
    assert athletes.get(ATHLETE_ID) is None


@pytest.mark.parametrize(
    "path", [pytest.param("/nothing", id="unknown"), pytest.param("/static/../app.py", id="outside-of-static")]
)
def test_page_does_not_exist_when_the_address_is_unknown(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_page_says_so_when_it_cannot_be_used_that_way(client: FlaskClient) -> None:
    assert client.post("/").status_code == 405


def test_nobody_sees_a_secret_on_any_page(
    app: Flask,
    client: FlaskClient,
    strava: Any,
    caplog: pytest.LogCaptureFixture,
    begin: Callable[..., Any],
    come_back: Callable[..., Any],
) -> None:
    caplog.set_level("DEBUG")
    pages = [client.get("/"), client.get("/connect"), client.get("/nothing"), client.get("/health")]
    pages.append(come_back(client, begin(client)["state"]))
    pages.append(come_back(client, begin(client)["state"], "read"))
    strava.status, strava.document = 400, {"message": "Bad Request", "errors": [{"resource": "AuthorizationCode"}]}
    pages.append(come_back(client, begin(client)["state"]))

    seen = caplog.text + "".join(page.text + str(page.headers) for page in pages)
    assert [secret for secret in SECRETS if secret in seen] == []


@given(query=st.dictionaries(st.sampled_from(["state", "code", "scope", "error"]), st.text(max_size=30)))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_callback_is_a_page_for_any_query(client: FlaskClient, query: dict[str, str]) -> None:
    answer = client.get("/callback", query_string=query)

    assert answer.status_code in {400, 403}
    assert "<script" not in answer.text


def test_page_says_that_something_is_broken_when_nobody_expected_it(app: Flask, client: FlaskClient) -> None:
    def broken() -> SqliteStore:
        raise OSError("the disk is gone")

    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], store=broken)

    answer = client.get("/invite/secret")

    assert answer.status_code == 500
    assert "It is not your fault" in answer.text
    assert "disk" not in answer.text


def test_page_says_that_something_is_broken_when_a_rule_is_broken(app: Flask, client: FlaskClient) -> None:
    def broken() -> SqliteStore:
        raise IngestError("internal words")

    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], store=broken)

    answer = client.get("/invite/secret")

    assert answer.status_code == 500
    assert "internal words" not in answer.text
