"""Connecting a Strava account, page by page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from include.settings import Settings
from include.state.accounts.athletes import Athletes
from webhook_api.edge import EXTENSION

ATHLETE_ID = 134815


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
    client: FlaskClient, settings: Settings, choices: dict[str, str], scopes: str, begin: Callable[..., Any]
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


def test_athlete_is_stored_when_strava_confirms(
    client: FlaskClient, athletes: Athletes, strava: Any, begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
    answer = come_back(client, begin(client)["state"])

    assert answer.status_code == 200
    assert "Hello, <bdi>Ada &lt;b&gt;</bdi>" in answer.text
    assert f'href="https://www.strava.com/athletes/{ATHLETE_ID}">View on Strava</a>' in answer.text
    athlete = athletes.get(ATHLETE_ID)
    assert athlete is not None
    assert athlete.scopes == {"read", "activity:read"}
    assert [form["code"] for form in strava.forms] == ["code-of-strava"]


def test_code_does_not_stay_in_the_address_bar(client: FlaskClient, begin: Callable[..., Any]) -> None:
    query = {"state": begin(client)["state"], "code": "code-of-strava", "scope": "activity:read"}

    answer = client.get("/callback", query_string=query)

    assert (answer.status_code, answer.location) == (303, "/me")


@pytest.mark.parametrize(
    ("scope", "sentences"),
    [
        pytest.param("read,activity:read", ["without the parts inside", "receives no copies"], id="least"),
        pytest.param("read activity:read activity:read_all", ["private ones and full tracks included"], id="private"),
        pytest.param("activity:read,activity:write", ["This account may receive copies"], id="receive"),
        pytest.param(
            "activity:write", ["Your own activities are not read", "This account may receive copies"], id="receive-only"
        ),
    ],
)
def test_page_says_what_was_allowed_after_connecting(
    client: FlaskClient, scope: str, sentences: list[str], begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
    page = come_back(client, begin(client, private="1", receive="1")["state"], scope).text

    assert [sentence for sentence in sentences if sentence not in page] == []


def test_athlete_connects_again_with_other_scopes_when_asked_twice(
    client: FlaskClient, athletes: Athletes, begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
    come_back(client, begin(client)["state"])
    come_back(client, begin(client, private="1")["state"], "read,activity:read,activity:read_all")

    athlete = athletes.get(ATHLETE_ID)
    assert athlete is not None
    assert "activity:read_all" in athlete.scopes


def test_nothing_is_connected_when_the_athlete_declines(
    client: FlaskClient, athletes: Athletes, strava: Any, begin: Callable[..., Any]
) -> None:
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
    client: FlaskClient,
    athletes: Athletes,
    strava: Any,
    scope: str,
    begin: Callable[..., Any],
    come_back: Callable[..., Any],
) -> None:
    answer = come_back(client, begin(client)["state"], scope)

    assert answer.status_code == 403
    assert "A permission is missing" in answer.text
    assert "View data about your activities" in answer.text
    assert (athletes.get(ATHLETE_ID), strava.forms) == (None, [])


def test_recorded_token_answer_connects_the_athlete(
    client: FlaskClient,
    athletes: Athletes,
    strava: Any,
    recorded: Path,
    begin: Callable[..., Any],
    come_back: Callable[..., Any],
) -> None:
    recording = recorded / "dblock-strava-ruby-client/oauth/token_authorization_code.json"
    strava.document = json.loads(recording.read_text())["response"]["body"]
    theirs = strava.document["athlete"]

    assert come_back(client, begin(client)["state"]).status_code == 200
    athlete = athletes.get(theirs["id"])
    assert athlete is not None
    assert athlete.firstname == theirs["firstname"] != ""


def test_start_page_remembers_what_a_signed_in_athlete_allows(new_browser: Callable[[], Any]) -> None:
    browser = new_browser()
    browser.connect(134815, "Ada", "activity:read,activity:read_all")

    page = browser.client.get("/").text

    assert page.count(" checked>") == 1
    assert 'aria-describedby="private-hint" checked' in page
