"""Connecting a Strava account, page by page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer
from werkzeug.test import TestResponse

from include.errors import IngestError, OutcomeUnknown, StravaUnavailable
from include.settings import Settings
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


def begin(client: FlaskClient, **choices: str) -> dict[str, str]:
    """Follow the start page's button and answer what Strava's consent page is asked."""
    answer = client.get("/connect", query_string=choices)
    assert answer.status_code == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def come_back(client: FlaskClient, state: str, scope: str = "read,activity:read", **query: str) -> TestResponse:
    """Strava's redirect, and ours after it."""
    query = {"state": state, "code": "code-of-strava", "scope": scope} | query
    return client.get("/callback", query_string=query, follow_redirects=True)


def refusal(status: int, message: str, **fault: str) -> dict[str, Any]:
    return {"status": status, "document": {"message": message, "errors": [fault] if fault else []}}


def test_start_page_offers_the_choices_and_starts_with_the_least(client: FlaskClient) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert "Connect with Strava" in answer.text
    assert set(re.findall(r'<input type="checkbox" name="(\w+)"', answer.text)) == {"private", "receive"}
    assert "checked" not in answer.text


@pytest.mark.parametrize(
    ("choices", "scopes"),
    [
        pytest.param({}, "activity:read,read", id="least"),
        pytest.param({"private": "1"}, "activity:read,activity:read_all,read", id="private"),
        pytest.param({"receive": "1"}, "activity:read,activity:write,read", id="receive"),
        pytest.param({"private": "1", "receive": "1"}, "activity:read,activity:read_all,activity:write,read", id="all"),
        pytest.param({"private": "", "scope": "profile:write"}, "activity:read,read", id="hostile"),
    ],
)
def test_connect_asks_strava_for_what_was_chosen(
    client: FlaskClient, settings: Settings, choices: dict[str, str], scopes: str
) -> None:
    asked = begin(client, **choices)

    assert asked.pop("state")
    assert asked == {
        "client_id": settings.strava_client_id,
        "redirect_uri": f"{settings.public_url}/callback",
        "response_type": "code",
        "approval_prompt": "force",
        "scope": scopes,
    }


def test_connect_leads_to_the_configured_strava(client: FlaskClient, settings: Settings) -> None:
    assert client.get("/connect").location.startswith(f"{settings.strava_oauth_url}/authorize?")


@pytest.mark.parametrize(
    ("public_url", "secure"),
    [
        pytest.param("https://ingest.example.org", True, id="https"),
        pytest.param("http://127.0.0.1:8000", False, id="http"),
    ],
)
def test_cookie_stays_in_the_browser_and_with_this_site(
    app: Flask, client: FlaskClient, settings: Settings, public_url: str, secure: bool
) -> None:
    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, settings=replace(settings, public_url=public_url))

    cookie = client.get("/connect").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=600" in cookie
    assert ("Secure" in cookie) is secure


def test_athlete_is_stored_when_strava_confirms(client: FlaskClient, athletes: Athletes, strava: Any) -> None:
    answer = come_back(client, begin(client)["state"])

    assert answer.status_code == 200
    assert "Hello, Ada &lt;b&gt;" in answer.text
    assert f'href="https://www.strava.com/athletes/{ATHLETE_ID}">View on Strava</a>' in answer.text
    athlete = athletes.get(ATHLETE_ID)
    assert athlete is not None
    assert athlete.scopes == {"read", "activity:read"}
    assert [form["code"] for form in strava.forms] == ["code-of-strava"]


def test_code_does_not_stay_in_the_address_bar(client: FlaskClient) -> None:
    query = {"state": begin(client)["state"], "code": "code-of-strava", "scope": "activity:read"}

    answer = client.get("/callback", query_string=query)

    assert (answer.status_code, answer.location) == (303, "/me")


@pytest.mark.parametrize(
    ("scope", "sentences"),
    [
        pytest.param("read,activity:read", ["without your privacy zones", "will not receive copies"], id="least"),
        pytest.param("read activity:read activity:read_all", ["private ones and full tracks included"], id="private"),
        pytest.param("activity:read,activity:write", ["This account may receive copies"], id="receive"),
        pytest.param("activity:write", ["will not be read", "This account may receive copies"], id="receive-only"),
    ],
)
def test_page_says_what_was_allowed_after_connecting(client: FlaskClient, scope: str, sentences: list[str]) -> None:
    page = come_back(client, begin(client, private="1", receive="1")["state"], scope).text

    assert [sentence for sentence in sentences if sentence not in page] == []


def test_athlete_connects_again_with_other_scopes_when_asked_twice(client: FlaskClient, athletes: Athletes) -> None:
    come_back(client, begin(client)["state"])
    come_back(client, begin(client, private="1")["state"], "read,activity:read,activity:read_all")

    athlete = athletes.get(ATHLETE_ID)
    assert athlete is not None
    assert "activity:read_all" in athlete.scopes


def test_nothing_is_connected_when_the_athlete_declines(client: FlaskClient, athletes: Athletes, strava: Any) -> None:
    state = begin(client)["state"]

    answer = client.get("/callback", query_string={"state": state, "error": "access_denied"})

    assert answer.status_code == 403
    assert "Nothing was connected" in answer.text
    assert 'href="/"' in answer.text
    assert (athletes.get(ATHLETE_ID), strava.forms) == (None, [])


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param("", id="none"),
        pytest.param("read", id="profile-only"),
        pytest.param("read,activity:read_all", id="private-without-webhooks"),
        pytest.param("read,activity:reading", id="look-alike"),
    ],
)
def test_nothing_is_connected_when_a_needed_scope_is_missing(
    client: FlaskClient, athletes: Athletes, strava: Any, scope: str
) -> None:
    answer = come_back(client, begin(client)["state"], scope)

    assert answer.status_code == 403
    assert "A permission is missing" in answer.text
    assert "View data about your activities" in answer.text
    assert (athletes.get(ATHLETE_ID), strava.forms) == (None, [])


def assert_stale(answer: TestResponse, strava: Any, exchanges: int = 0) -> None:
    assert answer.status_code == 400
    assert "no longer valid" in answer.text or "One more step" in answer.text
    assert len(strava.forms) == exchanges


def test_link_is_stale_when_it_is_used_again(client: FlaskClient, strava: Any) -> None:
    state = begin(client)["state"]
    assert come_back(client, state).status_code == 200

    assert_stale(come_back(client, state), strava, exchanges=1)


def test_link_is_stale_when_another_browser_brings_it_back(app: Flask, client: FlaskClient, strava: Any) -> None:
    state = begin(client)["state"]
    other = app.test_client()
    other.environ_base["wsgi.url_scheme"] = "https"

    assert_stale(come_back(other, state), strava)
    begin(other)
    assert_stale(come_back(other, state), strava)
    assert come_back(client, state).status_code == 200, "the athlete's own browser still may"


@pytest.mark.parametrize(
    ("waited_s", "status"), [pytest.param(598, 200, id="in-time"), pytest.param(601, 400, id="too-late")]
)
def test_link_is_valid_for_ten_minutes(client: FlaskClient, now: Any, waited_s: int, status: int) -> None:
    state = begin(client)["state"]
    now.epoch_s += waited_s

    assert come_back(client, state).status_code == status


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda state: "", id="empty"),
        pytest.param(lambda state: state[:-1], id="cut"),
        pytest.param(lambda state: state.partition(".")[0], id="unsigned"),
        pytest.param(lambda state: "ž" + state, id="not-ascii"),
        pytest.param(lambda state: URLSafeSerializer("guess", salt="oauth-state").dumps("nonce"), id="forged"),
    ],
)
def test_link_is_stale_when_the_state_was_changed(
    client: FlaskClient, strava: Any, spoil: Callable[[str], str]
) -> None:
    assert_stale(come_back(client, spoil(begin(client)["state"])), strava)


def test_link_is_stale_when_the_code_is_missing(client: FlaskClient, strava: Any) -> None:
    assert_stale(come_back(client, begin(client)["state"], code=""), strava)


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
            "Strava has switched this application off",
            id="inactive",
        ),
        pytest.param(refusal(429, "Rate Limit Exceeded"), 503, "Strava does not answer at the moment", id="throttled"),
        pytest.param({"status": 200, "document": []}, 503, "Strava does not answer at the moment", id="strange"),
        pytest.param(
            {"status": 200, "document": {"access_token": SECRETS[0], "refresh_token": SECRETS[1], "expires_at": 1}},
            502,
            "Strava gave an unexpected answer",
            id="no-athlete",
        ),
        pytest.param(
            {"fault": StravaUnavailable("503")}, 503, "Strava does not answer at the moment", id="unavailable"
        ),
        pytest.param(
            {"fault": OutcomeUnknown("cut off")}, 503, "Strava does not answer at the moment", id="broken-off"
        ),
    ],
)
def test_nothing_is_connected_and_the_page_says_why_when_strava_refuses(
    client: FlaskClient, athletes: Athletes, strava: Any, answer: dict[str, Any], status: int, title: str
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
    app: Flask, client: FlaskClient, strava: Any, caplog: pytest.LogCaptureFixture
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

    answer = client.get("/connect")

    assert answer.status_code == 500
    assert "It is not your fault" in answer.text
    assert "disk" not in answer.text


def test_page_says_that_something_is_broken_when_a_rule_is_broken(app: Flask, client: FlaskClient) -> None:
    def broken() -> SqliteStore:
        raise IngestError("internal words")

    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], store=broken)

    answer = client.get("/connect")

    assert answer.status_code == 500
    assert "internal words" not in answer.text


def test_recorded_token_answer_connects_the_athlete(
    client: FlaskClient, athletes: Athletes, strava: Any, recorded: Path
) -> None:
    recording = recorded / "dblock-strava-ruby-client/oauth/token_authorization_code.json"
    strava.document = json.loads(recording.read_text())["response"]["body"]
    theirs = strava.document["athlete"]

    assert come_back(client, begin(client)["state"]).status_code == 200
    athlete = athletes.get(theirs["id"])
    assert athlete is not None
    assert athlete.firstname == theirs["firstname"] != ""
