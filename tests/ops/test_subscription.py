"""The subscription command: Strava verifies our webhook, and both sides know the same id afterwards."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from typer.testing import CliRunner
from werkzeug.serving import make_server

from include.errors import BadRequest, WrongInstallation
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.application.subscriptions import Subscriptions
from include.store.backend import open_store
from local.strava_simulator.server import running_simulator
from ops import subscription
from webhook_api.app import create_app

pytestmark = pytest.mark.network


@pytest.fixture
def settings(tmp_path):
    """A system whose web server is to run at its PUBLIC_URL, against a running simulator."""
    with running_simulator() as simulator, socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        probe.close()
        yield Settings.from_environ(
            {
                **EXAMPLES,
                "STRAVA_CLIENT_ID": str(simulator.application.client_id),
                "STRAVA_CLIENT_SECRET": simulator.application.client_secret,
                "WEBHOOK_PATH_SECRET": "p" * 32,
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                "STATE_URL": f"sqlite://{tmp_path}/state.sqlite",
                "QUEUE_URL": f"sqlite://{tmp_path}/state.sqlite",
                "KEY_URL": f"file://{tmp_path}/token.key",
                "STRAVA_API_URL": f"{simulator.base_url}/api/v3",
                "STRAVA_OAUTH_URL": f"{simulator.base_url}/oauth",
            }
        )


@contextmanager
def web_server(settings):
    server = make_server("127.0.0.1", int(settings.public_url.rpartition(":")[2]), create_app(settings))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def remembered(settings):
    store = open_store(settings.state_url, time.time)
    try:
        return Subscriptions(store).current()
    finally:
        store.close()


def said(settings, monkeypatch, *arguments):
    monkeypatch.setattr(subscription, "installed_settings", lambda *_: settings)
    return CliRunner().invoke(subscription.app, arguments).output


def test_both_sides_know_the_subscription_after_create(settings, monkeypatch):
    with web_server(settings):
        assert "Strava sends events" in said(settings, monkeypatch, "create")
    subscription_id = remembered(settings).subscription_id
    assert said(settings, monkeypatch, "show") == f"At Strava: {subscription_id}\nHere:      {subscription_id}\n"


def test_create_is_safe_to_repeat(settings):
    with web_server(settings):
        first, again = subscription.subscribe(settings), subscription.subscribe(settings)
    assert first.subscription_id == again.subscription_id


def test_webhook_that_does_not_answer_is_refused_and_nothing_is_remembered(settings):
    with pytest.raises(BadRequest) as refused:
        subscription.subscribe(settings)
    assert settings.webhook_path_secret not in str(refused.value)
    assert remembered(settings) is None


def test_delete_ends_it_on_both_sides(settings, monkeypatch):
    with web_server(settings):
        subscription.subscribe(settings)
    assert "has ended" in said(settings, monkeypatch, "delete")
    assert remembered(settings) is None
    assert said(settings, monkeypatch, "show") == "At Strava: none\nHere:      none\n"
    assert said(settings, monkeypatch, "delete") == "There was none.\n"


def test_show_says_what_to_do_when_the_sides_differ(settings, monkeypatch):
    with web_server(settings):
        subscription.subscribe(settings)
    store = open_store(settings.state_url, time.time)
    Subscriptions(store).forget()
    store.close()
    assert "run this again with ARGS=create" in said(settings, monkeypatch, "show")


def test_create_makes_nothing_when_something_else_than_stravas_api_answers(settings):
    wrong = replace(settings, strava_api_url=settings.strava_api_url.replace("/v3", "/v4"))

    with pytest.raises(WrongInstallation, match=r"api-v3\.strava\.com"):
        subscription.subscribe(wrong)


def test_prove_says_where_stravas_api_answers(settings, monkeypatch):
    monkeypatch.setattr(subscription, "installed_settings", lambda *_: settings)

    result = CliRunner().invoke(subscription.app, ["prove"])

    assert result.output == f"Strava's API answers at {settings.strava_api_url}.\n"


def test_subscription_of_a_system_whose_ports_moved_is_ended_and_made_anew(settings):
    with web_server(settings):
        former = subscription.subscribe(settings)
        subscription.end_elsewhere(settings)
        assert subscription.subscribe(settings) == former
    with socket.create_server(("127.0.0.1", 0)) as probe:
        moved = replace(settings, public_url=f"http://127.0.0.1:{probe.getsockname()[1]}")
    with web_server(moved):
        with pytest.raises(BadRequest, match="another address"):
            subscription.subscribe(moved)
        subscription.end_elsewhere(moved)
        assert subscription.subscribe(moved).callback_url.startswith(moved.public_url)
