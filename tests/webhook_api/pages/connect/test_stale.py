"""A link back from Strava works once, for ten minutes, in the browser that began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer
from werkzeug.test import TestResponse

from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION
from webhook_api.pages.consent import STATE_COOKIE


def assert_stale(answer: TestResponse, strava: Any, exchanges: int = 0) -> None:
    assert answer.status_code == 400
    assert "no longer valid" in answer.text or "One more step" in answer.text
    assert len(strava.forms) == exchanges


def test_link_is_stale_when_it_is_used_again(
    client: FlaskClient, strava: Any, begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
    state = begin(client)["state"]
    assert come_back(client, state).status_code == 200

    assert_stale(come_back(client, state), strava, exchanges=1)


def test_link_is_stale_when_another_browser_brings_it_back(
    app: Flask, client: FlaskClient, strava: Any, begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
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
def test_link_is_valid_for_ten_minutes(
    client: FlaskClient,
    clock: ManualClock,
    waited_s: int,
    status: int,
    begin: Callable[..., Any],
    come_back: Callable[..., Any],
) -> None:
    state = begin(client)["state"]
    clock.now_epoch_s += waited_s

    assert come_back(client, state).status_code == status


def test_start_of_a_flow_needs_no_store_so_that_no_script_fills_it(app: Flask, client: FlaskClient) -> None:
    def closed() -> Any:
        raise AssertionError("the store is opened")

    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], store=closed)

    assert {client.get(page).status_code for page in ("/connect", "/sign-in")} == {303}


def test_cookie_of_the_flow_is_gone_once_it_was_used(
    client: FlaskClient, begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
    state = begin(client)["state"]
    assert client.get_cookie(f"__Host-{STATE_COOKIE}") is not None

    come_back(client, state)

    assert client.get_cookie(f"__Host-{STATE_COOKIE}") is None


def test_used_state_is_stale_even_with_its_cookie(
    client: FlaskClient, strava: Any, begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
    state = begin(client)["state"]
    cookie = client.get_cookie(f"__Host-{STATE_COOKIE}")
    assert cookie is not None
    assert come_back(client, state).status_code == 200

    client.set_cookie(f"__Host-{STATE_COOKIE}", cookie.value, secure=True)

    assert_stale(come_back(client, state), strava, exchanges=1)


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
    client: FlaskClient,
    strava: Any,
    spoil: Callable[[str], str],
    begin: Callable[..., Any],
    come_back: Callable[..., Any],
) -> None:
    assert_stale(come_back(client, spoil(begin(client)["state"])), strava)


def test_link_is_stale_when_the_code_is_missing(
    client: FlaskClient, strava: Any, begin: Callable[..., Any], come_back: Callable[..., Any]
) -> None:
    assert_stale(come_back(client, begin(client)["state"], code=""), strava)
