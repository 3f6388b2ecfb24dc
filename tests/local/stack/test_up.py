"""What `make up` does about Strava before it says that everything runs."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import create_autospec, patch

import pytest
import requests

from include.errors import WrongInstallation
from include.pipeline.services import open_services
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.installation import Installation
from include.store.backend import open_store
from local.demo.scenario import CHILD_ID, CHILD_NAME, HISTORY_SIZE, PARENT_ID
from local.stack import family, up
from local.stack.processes import Processes
from local.stack.progress import Progress
from local.stack.system import Stack
from local.stack.up import Strava, ask, welcome
from local.strava_simulator.api.outages import Outage
from local.strava_simulator.api.script import Line
from local.strava_simulator.server import running_simulator, serving
from local.testbed.installation import address_of, loopback_listener
from local.testbed.settings import settings_in
from ops.machine.state_dir import StateDir
from webhook_api.app import create_app as create_pages

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
    stack.processes = create_autospec(Processes, instance=True)
    stack.processes.is_away.return_value = False
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
    said = ask(stack)

    assert said.answers
    assert "cannot send events" in said.told
    assert is_proved(stack)


def test_system_runs_and_says_in_one_line_what_comes_of_it_when_strava_is_silent(stack, simulator):
    simulator.control.write_script(Line(route="GET /push_subscriptions", status=501))

    said = ask(stack)

    assert not said.answers
    assert "\n" not in said.told
    assert "Strava is down" in said.told
    assert "asked again every minute" in said.told
    assert not is_proved(stack)


def test_system_runs_when_nothing_listens_at_stravas_address(stack):
    stack.settings = replace(stack.settings, strava_api_url="http://127.0.0.1:9")

    assert not ask(stack).answers


def test_system_stops_when_something_else_answers(stack, simulator):
    simulator.control.write_script(
        Line(route="GET /push_subscriptions", status=404, content_type="text/html", body="<html>")
    )

    with pytest.raises(WrongInstallation, match=r"api-v3\.strava\.com"):
        ask(stack)


@pytest.fixture
def simulated(stack, simulator, tmp_path):
    """A system whose Strava is simulated, with web pages; nobody has an account yet."""
    stack.simulator_url = simulator.base_url
    stack.state_dir = StateDir(tmp_path)
    stack.processes.is_away.return_value = False
    with loopback_listener() as pages:
        stack.web_url = address_of(pages)
        stack.settings = replace(
            settings_in(tmp_path, simulator.base_url, application=simulator.application), public_url=stack.web_url
        )
        with serving(create_pages(stack.settings), pages):
            yield stack


def press(simulator, button, **form):
    answer = requests.post(f"{simulator.base_url}/simulator/press/{button}", data=form, timeout=10)
    assert answer.status_code == 200


def is_linked(stack):
    with open_services(stack.settings) as services:
        return [link.names for link in services.state.links.of_parent(PARENT_ID)] == [(CHILD_NAME,)]


def test_new_system_has_a_family_that_is_connected_and_linked_and_the_last_line_says_what_to_press(
    simulated, simulator
):
    said = ask(simulated)

    assert said.answers
    assert is_linked(simulated)
    assert f"open {simulator.base_url}/ and press “Finish activity”" in welcome(simulated, said).splitlines()[-1]
    assert "connect" not in welcome(simulated, said).splitlines()[-1]


@pytest.mark.parametrize("way", [Outage.DOWN, Outage.PAGE])
def test_system_comes_up_while_the_simulated_strava_fails_and_is_complete_when_it_answers(simulated, simulator, way):
    press(simulator, "fail", way=way, minutes=1)

    meanwhile = ask(simulated)
    press(simulator, "recover")
    after = ask(simulated)

    assert (meanwhile.answers, after.answers) == (False, True)
    assert "Strava is down" in meanwhile.told
    assert is_linked(simulated)


def test_family_is_completed_when_the_start_before_ended_in_the_middle(simulated, simulator):
    with patch.object(family, "link", autospec=True, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        ask(simulated)

    assert ask(simulated).answers
    assert is_linked(simulated)
    assert len(simulator.control.athletes()) == 2
    assert len(simulator.control.activity_ids(PARENT_ID)) == HISTORY_SIZE


def test_athletes_of_an_earlier_version_are_left_alone_and_the_last_line_says_to_connect_first(simulated, simulator):
    simulator.control.create_athlete(athlete_id=PARENT_ID, firstname="Paula", lastname="Parent")

    said = ask(simulated)

    assert said.answers
    assert len(simulator.control.athletes()) == 1
    assert f"connect and link two athletes at {simulated.web_url}/" in welcome(simulated, said).splitlines()[-1]


def test_family_that_left_is_not_connected_again_at_the_next_start(simulated):
    ask(simulated)
    with open_services(simulated.settings) as services:
        services.state.links.forget(PARENT_ID, CHILD_ID)

    ask(simulated)

    assert not is_linked(simulated)


class Stop(Exception):
    """Ends a watch that otherwise goes on."""


def watched(stack, monkeypatch, answers, rounds):
    """What the terminal says in so many rounds of a watch of a minute each, when Strava says this."""
    seconds = iter(range(0, 10**6, int(up.ASK_AGAIN_S)))
    said, slept = [], []

    def sleep(_):
        slept.append(1)
        if len(slept) == rounds:
            raise Stop

    monkeypatch.setattr(up.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(up.time, "sleep", sleep)
    monkeypatch.setattr(up, "ensure_room_is_left", lambda _: None)
    monkeypatch.setattr(up, "ask", lambda _: answers.pop(0))
    progress = create_autospec(Progress, instance=True)
    progress.say.side_effect = said.append
    with pytest.raises(Stop):
        up.watch(stack, progress, asks=bool(answers))
    return said


def test_terminal_says_once_when_strava_answers_again(stack, monkeypatch):
    stack.processes.is_away.return_value = False

    said = watched(stack, monkeypatch, [Strava("down", answers=False), Strava("events come", answers=True)], rounds=5)

    assert said == ["events come"]


def test_system_runs_on_and_says_so_once_when_the_simulated_strava_dies(stack, monkeypatch):
    stack.processes.is_away.side_effect = [False, False, True, True]

    [said] = watched(stack, monkeypatch, [], rounds=3)

    assert "The simulated Strava has ended. The system runs without it" in said
    assert stack.processes.check_inside.call_count == 3
