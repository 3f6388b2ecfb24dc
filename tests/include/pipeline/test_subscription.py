"""Whether Strava sends events is asked once a day, and a wanted subscription that is not there is said loudly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import NotProved, NotSubscribed, StravaUnavailable
from include.pipeline.subscription import check_subscription, end_elsewhere, subscribe, unsubscribe
from include.strava.models import Subscription

pytestmark = pytest.mark.network

DAY_S = 86_400


@pytest.fixture
def public(settings):
    return replace(settings, public_url="https://ingest.example.org")


@pytest.fixture
def strava_answers(world, monkeypatch):
    """Has Strava answer this subscription, or raise; returns how often it was asked."""
    asked = []

    def answer(subscription):
        def current(_):
            asked.append(1)
            if isinstance(subscription, Exception):
                raise subscription
            return subscription

        monkeypatch.setattr(type(world.services.strava.push), "current", current)
        return asked

    return answer


def test_nobody_is_asked_where_strava_could_not_reach_the_system(world, settings, strava_answers):
    asked = strava_answers(None)
    assert "No webhook subscription is needed" in check_subscription(world.services, settings)
    assert asked == []


def test_subscription_is_asked_for_once_a_day(world, public, strava_answers):
    asked = strava_answers(Subscription(9, ""))
    world.services.state.subscriptions.save(Subscription(9, ""))
    assert check_subscription(world.services, public) == "Webhook subscription 9 exists."
    assert "within the last day" in check_subscription(world.services, public)
    world.clock.advance(DAY_S)
    check_subscription(world.services, public)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("here", "there", "match"),
    [
        pytest.param(None, None, "no event arrives", id="neither knows one"),
        pytest.param(9, None, "no event arrives", id="Strava has lost it"),
        pytest.param(None, 9, "this system knows none", id="this system does not know it"),
        pytest.param(9, 10, "knows number 9", id="another one"),
    ],
)
def test_what_is_wanted_and_not_there_fails_and_says_what_to_do(world, public, strava_answers, here, there, match):
    strava_answers(None if there is None else Subscription(there, ""))
    if here is not None:
        world.services.state.subscriptions.save(Subscription(here, ""))
    with pytest.raises(NotSubscribed, match=match) as failure:
        check_subscription(world.services, public)
    assert "make subscription ARGS=create" in str(failure.value)


def test_subscription_of_this_system_is_wanted_whatever_its_address(world, settings, strava_answers):
    strava_answers(None)
    world.services.state.subscriptions.save(Subscription(9, ""))
    with pytest.raises(NotSubscribed):
        check_subscription(world.services, settings)


def test_outage_is_no_answer_and_the_next_run_asks_again(world, public, strava_answers):
    world.services.state.subscriptions.save(Subscription(9, ""))
    strava_answers(StravaUnavailable("Strava is down"))
    with pytest.raises(StravaUnavailable):
        check_subscription(world.services, public)
    strava_answers(Subscription(9, ""))
    assert check_subscription(world.services, public) == "Webhook subscription 9 exists."


@pytest.fixture
def at_strava(world, monkeypatch):
    """Strava's side of the subscription, which answers at once; the calls that were made of it."""
    calls, push = [], world.services.strava.push
    monkeypatch.setattr(type(push), "prove", lambda _: calls.append("prove"))
    monkeypatch.setattr(
        type(push), "create", lambda _, url, token: calls.append(("create", url)) or Subscription(9, url)
    )
    monkeypatch.setattr(type(push), "delete", lambda _, number: calls.append(("delete", number)))
    return calls


def test_subscription_that_was_made_is_known_here(world, public, at_strava):
    made = subscribe(world.services, public)
    url = f"https://ingest.example.org/webhook/{public.webhook_path_secret}"
    assert (made, at_strava) == (Subscription(9, url), ["prove", ("create", url)])
    assert world.services.state.subscriptions.current().subscription_id == 9


@pytest.mark.parametrize(
    ("path", "ended"),
    [
        pytest.param("old", [("delete", 9)], id="at the path that is about to go"),
        pytest.param("new", [], id="at the new path"),
        pytest.param("elsewhere", [], id="at a path that is not ours"),
        pytest.param(None, [], id="none"),
    ],
)
def test_subscription_at_an_older_path_of_ours_makes_way_for_one_at_the_new_path(
    world, public, at_strava, strava_answers, path, ended
):
    strava_answers(Subscription(9, f"{public.public_url}/webhook/{path}") if path else None)

    subscribe(world.services, replace(public, webhook_path_secret="new old"))

    assert at_strava == ["prove", *ended, ("create", f"{public.public_url}/webhook/new")]


def test_nothing_is_made_where_the_installation_is_not_proved(world, public, at_strava, monkeypatch):
    def unproved(_):
        raise StravaUnavailable("no answer")

    monkeypatch.setattr(type(world.services.strava.push), "prove", unproved)
    with pytest.raises(NotProved):
        subscribe(world.services, public)
    assert (at_strava, world.services.state.subscriptions.current()) == ([], None)


@pytest.mark.parametrize(("there", "ended"), [(Subscription(9, ""), [("delete", 9)]), (None, [])])
def test_subscription_is_forgotten_here_whatever_strava_had(world, at_strava, strava_answers, there, ended):
    world.services.state.subscriptions.save(Subscription(9, ""))
    strava_answers(there)
    assert unsubscribe(world.services) == there
    assert (at_strava, world.services.state.subscriptions.current()) == (ended, None)


def test_subscription_stays_here_where_strava_does_not_end_it(world, at_strava, strava_answers):
    world.services.state.subscriptions.save(Subscription(9, ""))
    strava_answers(StravaUnavailable("no answer"))
    with pytest.raises(StravaUnavailable):
        unsubscribe(world.services)
    assert world.services.state.subscriptions.current() == Subscription(9, "")


@pytest.mark.parametrize(
    ("address", "ended"), [("https://elsewhere.example.org/webhook/x", [("delete", 9)]), (None, [])]
)
def test_only_a_subscription_to_another_address_is_ended(world, public, at_strava, strava_answers, address, ended):
    strava_answers(Subscription(9, address or f"{public.public_url}/webhook/{public.webhook_path_secret}"))
    end_elsewhere(world.services, public)
    assert at_strava == ended
