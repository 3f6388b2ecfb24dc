"""What `make up` does about Strava before it says that everything runs."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

from include.errors import WrongInstallation
from include.settings import EXAMPLES, Settings
from include.state.installation import Installation
from include.store.backend import open_store
from local.stack.system import Stack
from local.stack.up import await_events
from local.strava_simulator.api.script import Line
from local.strava_simulator.server import running_simulator

pytestmark = pytest.mark.network


@pytest.fixture
def simulator():
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def stack(simulator, tmp_path):
    """A running system without an address that Strava can reach."""
    stack = create_autospec(Stack, instance=True)
    stack.simulator_url = ""
    stack.settings = Settings.from_environ(
        {
            **EXAMPLES,
            "STRAVA_CLIENT_ID": str(simulator.application.client_id),
            "STRAVA_CLIENT_SECRET": simulator.application.client_secret,
            "PUBLIC_URL": "http://127.0.0.1:1",
            "STATE_URL": f"sqlite://{tmp_path}/state.sqlite",
            "STRAVA_API_URL": simulator.base_url,
        }
    )
    return stack


def is_proved(stack):
    store = open_store(stack.settings.state_url, lambda: 0.0)
    try:
        return Installation(store).is_proved(stack.settings.strava_api_url)
    finally:
        store.close()


def test_system_is_proved_when_strava_answers(stack):
    assert "cannot send events" in await_events(stack)
    assert is_proved(stack)


def test_system_runs_and_says_what_to_do_when_strava_is_silent(stack, simulator):
    simulator.control.write_script(Line(route="GET /push_subscriptions", status=501))

    said = await_events(stack)

    assert "asked again every window" in said
    assert "make subscription ARGS=create" in said
    assert not is_proved(stack)


def test_system_stops_when_something_else_answers(stack, simulator):
    simulator.control.write_script(
        Line(route="GET /push_subscriptions", status=404, content_type="text/html", body="<html>")
    )

    with pytest.raises(WrongInstallation, match=r"api-v3\.strava\.com"):
        await_events(stack)
