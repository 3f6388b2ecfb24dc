"""The page on which an athlete lets an application in."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.strava_simulator.world.applications import Application

GOOD = {
    "client_id": "10001",
    "redirect_uri": "http://localhost:8080/oauth/callback",
    "response_type": "code",
    "scope": "activity:read_all,activity:write",
    "state": "a/b c",
}


def test_page_offers_every_athlete_and_scope_with_read_required(world: Any) -> None:
    world.athlete(athlete_id=7, firstname="Ann", lastname="<b>")
    world.athlete(athlete_id=8, firstname="Ben")
    page = world.client.get("/oauth/authorize", query_string=GOOD).text
    assert re.findall(r'<option value="(\d+)">', page) == ["7", "8"]
    assert re.findall(r'value="([a-z_:]+)" checked( disabled)?', page) == [
        ("read", " disabled"),
        ("activity:read_all", ""),
        ("activity:write", ""),
    ]
    assert "Strava simulator" in page
    assert "Ann &lt;b&gt;" in page


def test_page_says_what_to_do_when_nobody_has_an_account(world: Any) -> None:
    page = world.client.get("/oauth/authorize", query_string=GOOD)
    assert page.status_code == 200
    assert "POST /simulator/athletes" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"client_id": "999"}, "client_id", id="unknown client"),
        pytest.param({"client_id": "9" * 40}, "client_id", id="huge client"),
        pytest.param({"client_id": "x"}, "client_id", id="client is text"),
        pytest.param({"redirect_uri": ""}, "redirect_uri", id="no redirect"),
        pytest.param({"redirect_uri": "https://evil.test/"}, "redirect_uri", id="other domain"),
        pytest.param({"redirect_uri": "https://notlocalhost/"}, "redirect_uri", id="domain as mere ending"),
        pytest.param({"redirect_uri": "https://localhost@evil.test/"}, "redirect_uri", id="domain as user"),
        pytest.param({"redirect_uri": "javascript://localhost/%0aalert(1)"}, "redirect_uri", id="other scheme"),
        pytest.param({"redirect_uri": "http://[::1/"}, "redirect_uri", id="broken address"),
        pytest.param({"response_type": "token"}, "response_type", id="implicit"),
        pytest.param({"approval_prompt": "never"}, "approval_prompt", id="prompt"),
        pytest.param({"scope": ""}, "scope", id="no scope"),
        pytest.param({"scope": "activity:read,activity:delete"}, "scope", id="unknown scope"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_authorize_is_refused_without_redirect_when_request_is_wrong(
    world: Any, method: str, change: dict[str, str], field: str
) -> None:
    form = {"athlete_id": world.athlete(), "decision": "authorize"} if method == "POST" else None
    response = world.client.open("/oauth/authorize", method=method, query_string={**GOOD, **change}, data=form)
    assert response.status_code == 400
    assert f"<code>{field}</code>" in response.text
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("https://app.example.org/x", id="domain"),
        pytest.param("https://www.app.example.org/x", id="subdomain"),
        pytest.param("http://127.0.0.1:5000/", id="loopback"),
        pytest.param("http://localhost/", id="localhost"),
    ],
)
def test_authorize_allows_callback_domain_and_this_machine(make_world: Any, uri: str) -> None:
    world = make_world(application=Application(callback_domain="app.example.org"))
    world.athlete()
    assert world.client.get("/oauth/authorize", query_string={**GOOD, "redirect_uri": uri}).status_code == 200


def test_authorize_redirects_with_state_code_and_ticked_scopes(world: Any) -> None:
    form = {"athlete_id": world.athlete(), "decision": "authorize", "scope": ["activity:write"]}
    uri = "http://localhost/cb?keep=1"
    response = world.client.post("/oauth/authorize", query_string={**GOOD, "redirect_uri": uri}, data=form)
    assert response.status_code == 302
    where = urlsplit(response.headers["Location"])
    assert re.fullmatch(r"keep=1&state=a%2Fb%20c&code=[0-9a-f]{40}&scope=read,activity:write", where.query)


def test_authorize_grants_read_alone_when_everything_is_unticked(world: Any) -> None:
    form = {"athlete_id": world.athlete(), "decision": "authorize"}
    response = world.client.post("/oauth/authorize", query_string=GOOD, data=form)
    assert parse_qs(urlsplit(response.headers["Location"]).query)["scope"] == ["read"]


def test_authorize_takes_scopes_separated_by_blanks(world: Any) -> None:
    form = {"athlete_id": world.athlete(), "decision": "authorize", "scope": ["activity:read"]}
    query = {**GOOD, "scope": "read activity:read"}
    response = world.client.post("/oauth/authorize", query_string=query, data=form)
    assert parse_qs(urlsplit(response.headers["Location"]).query)["scope"] == ["read,activity:read"]


def test_cancel_redirects_with_error_and_no_code(world: Any) -> None:
    form = {"athlete_id": world.athlete(), "decision": "cancel", "scope": ["activity:write"]}
    response = world.client.post("/oauth/authorize", query_string=GOOD, data=form)
    assert response.headers["Location"] == f"{GOOD['redirect_uri']}?state=a%2Fb%20c&error=access_denied"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"scope": ["activity:read"]}, id="scope that was not asked for"),
        pytest.param({"athlete_id": "77"}, id="unknown athlete"),
        pytest.param({"athlete_id": "Ann"}, id="athlete is text"),
        pytest.param({"decision": ""}, id="no decision"),
    ],
)
def test_authorize_is_refused_when_form_is_forged(world: Any, form: dict[str, Any]) -> None:
    given = {"athlete_id": world.athlete(), "decision": "authorize", **form}
    assert world.client.post("/oauth/authorize", query_string=GOOD, data=given).status_code == 400


def test_authorize_is_refused_when_capacity_is_taken_up(make_world: Any) -> None:
    world = make_world(application=Application(athlete_capacity=1))
    first, second = world.athlete(), world.athlete()
    world.connect(first)
    response = world.authorize(second)
    assert response.status_code == 403
    assert "Limit of connected athletes exceeded" in response.text
    assert world.authorize(first).status_code == 302, "an athlete who is connected may connect again"


def test_exchange_is_refused_when_another_athlete_took_the_last_place(make_world: Any) -> None:
    world = make_world(application=Application(athlete_capacity=1))
    first, second = (world.code(world.athlete()) for _ in range(2))
    assert world.token(grant_type="authorization_code", code=first).status_code == 200
    response = world.token(grant_type="authorization_code", code=second)
    assert response.status_code == 403
    assert response.get_json()["message"] == "Limit of connected athletes exceeded"


def test_capacity_is_free_again_when_an_athlete_disconnected(make_world: Any) -> None:
    world = make_world(application=Application(athlete_capacity=1))
    first, second = world.athlete(), world.athlete()
    world.connect(first)
    assert world.control("DELETE", f"athletes/{first}/connections/{world.application.client_id}").status_code == 204
    world.connect(second)
