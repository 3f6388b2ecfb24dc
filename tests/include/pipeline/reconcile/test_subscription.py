"""Whether Strava sends events is asked once a day, and a wanted subscription that is not there is said loudly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import NotSubscribed, StravaUnavailable
from include.pipeline.reconcile.subscription import check_subscription
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
    assert "No webhook subscription is wanted" in check_subscription(world.services, settings)
    assert asked == []


def test_subscription_is_asked_for_once_a_day(world, public, strava_answers):
    asked = strava_answers(Subscription(9, ""))
    world.services.state.subscriptions.save(Subscription(9, ""))
    assert check_subscription(world.services, public) == "Webhook subscription 9 is there."
    assert "within the last day" in check_subscription(world.services, public)
    world.now[0] += DAY_S
    check_subscription(world.services, public)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("here", "there", "match"),
    [
        pytest.param(None, None, "no event comes", id="neither knows one"),
        pytest.param(9, None, "no event comes", id="Strava has lost it"),
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
    assert check_subscription(world.services, public) == "Webhook subscription 9 is there."
