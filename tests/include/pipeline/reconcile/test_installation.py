from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import NotProved, WrongInstallation
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.installation import prove, prove_again
from include.store.store import Key
from include.strava.http.session import StravaSession
from include.strava.quota import WINDOW_S
from include.strava.subscriptions import PushSubscriptions
from local.strava_simulator.api.faults import Faults
from local.strava_simulator.api.script import Line

pytestmark = pytest.mark.network

LIST = "GET /push_subscriptions"
WRONG = [
    pytest.param({"status": 404, "body": '{"message":"Record Not Found","errors":[]}'}, id="404"),
    pytest.param({"status": 404, "body": "<html>", "content_type": "text/html"}, id="404 of a proxy"),
    pytest.param({"body": "<html>", "content_type": "text/html"}, id="a page"),
    pytest.param({"body": '{"status":"ok"}'}, id="another shape"),
    pytest.param({"body": "[1]"}, id="a list of something else"),
    pytest.param({"status": 302, "headers": {"Location": "https://elsewhere"}}, id="redirect"),
    pytest.param(
        {"status": 401, "body": '{"message":"Authorization Error","errors":[{"resource":"Application"}]}'}, id="secret"
    ),
]
SILENT = [
    pytest.param({"status": 500}, id="500"),
    pytest.param({"drops": True}, id="dropped"),
    pytest.param({"status": 429}, id="429"),
    pytest.param(
        {
            "status": 403,
            "body": '{"message":"Forbidden","errors":[{"resource":"Application","field":"Status","code":"Inactive"}]}',
        },
        id="inactive",
    ),
]


def proving(world):
    return prove(world.services.strava.push, world.services.state.installation, world.services.clock)


def is_proved(world):
    return world.services.state.installation.is_proved(world.settings.strava_api_url)


def answered_at_epoch_s(world):
    """When the installation last got a clear answer."""
    return world.services.state.installation._store.get(Key("subscriptions", "installation")).fields["seen_at_epoch_s"]


@pytest.fixture
def stored(world):
    """An activity in the lake, deleted at Strava since, and an installation that is not proved yet."""
    activity_id = world.finish("run")
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(1000)
    world.control.delete_activity(activity_id)
    return activity_id


def rows(world):
    return world.sql("SELECT count(*) AS n FROM activities").to_pylist()[0]["n"]


def test_installation_is_proved_when_strava_lists_the_subscriptions(world):
    assert not is_proved(world)

    assert proving(world) == f"Strava's API answers at {world.settings.strava_api_url}."

    assert is_proved(world)
    assert answered_at_epoch_s(world) == world.clock.now_epoch_s
    assert not world.services.state.installation.is_proved("https://api-v3.strava.com")


@pytest.mark.parametrize("answer", WRONG)
def test_installation_is_wrong_when_something_else_answers(world, answer):
    proving(world)
    world.clock.advance(60)
    world.control.write_script(Line(route=LIST, **answer))

    with pytest.raises(WrongInstallation) as caught:
        proving(world)

    assert len(str(caught.value)) <= 300
    assert "the application" in str(caught.value)
    if answer.get("status") == 401:
        assert "STRAVA_CLIENT_SECRET" in str(caught.value)
    else:
        assert "https://www.strava.com/api/v3" in str(caught.value)
        assert "https://api-v3.strava.com" in str(caught.value)
    assert (is_proved(world), answered_at_epoch_s(world)) == (False, world.clock.now_epoch_s)


@pytest.mark.parametrize("answer", SILENT)
@pytest.mark.parametrize("was_proved", [True, False])
def test_installation_stays_what_it_was_when_nothing_answers_clearly(world, answer, was_proved):
    if was_proved:
        proving(world)
    world.control.write_script(Line(route=LIST, **answer))

    with pytest.raises(NotProved, match="asked again"):
        proving(world)

    assert is_proved(world) is was_proved


@pytest.mark.parametrize("answer", [*WRONG, *SILENT])
def test_nothing_is_removed_until_the_installation_is_proved(world, stored, answer):
    world.control.write_script(Line(route=LIST, **answer))

    assert "Strava has been down" in sync(world.services, world.item(stored), source="webhook").reason

    assert rows(world) == 1
    world.control.write_script()
    world.clock.advance(WINDOW_S)
    sync(world.services, world.item(stored), source="webhook")
    assert rows(world) == 0


def test_reconcile_asks_until_the_installation_is_proved_and_not_after(world):
    def reconciled():
        return prove_again(world.services.strava.push, world.services.state.installation, world.services.clock)

    world.control.write_script(Line(route=LIST, status=503))
    assert "asked again" in reconciled()
    world.control.write_script()
    assert "answers at" in reconciled()
    asked = world.calls()["GET /api/v3/push_subscriptions"]

    assert "has answered" in reconciled()
    assert world.calls()["GET /api/v3/push_subscriptions"] == asked


def test_installation_is_proved_at_the_base_of_2027(world):
    api_url = world.settings.strava_api_url.removesuffix("/api/v3")
    settings = replace(world.settings, strava_api_url=api_url)
    with StravaSession(world.services.clock) as session:
        push = PushSubscriptions(session, api_url, settings.strava_client_id, settings.strava_client_secret)
        prove(push, world.services.state.installation, world.services.clock)

    assert world.services.state.installation.is_proved(api_url)
    assert not is_proved(world)


def test_installation_of_a_switched_off_application_is_proved_when_it_is_on_again(world):
    world.control.switch_faults(world.client_id, Faults(inactive=True))
    with pytest.raises(NotProved, match="switched the application off"):
        proving(world)

    world.control.switch_faults(world.client_id, Faults())
    proving(world)

    assert is_proved(world)
