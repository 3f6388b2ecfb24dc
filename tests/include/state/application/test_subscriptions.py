"""There is one subscription, and its URL is not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.state.application.subscriptions import Subscriptions
from include.store.store import Store
from include.strava.models import Subscription


@pytest.fixture
def subscriptions(store: Store) -> Subscriptions:
    return Subscriptions(store)


def test_there_is_none_at_first_and_after_forgetting(subscriptions: Subscriptions) -> None:
    at_first = subscriptions.current()
    subscriptions.forget()
    subscriptions.save(Subscription(7, "https://example.org/webhook/s"))
    subscriptions.forget()

    assert (at_first, subscriptions.current()) == (None, None)


def test_the_last_saved_one_is_current(subscriptions: Subscriptions) -> None:
    for subscription_id in (7, 131300, 131300):
        subscriptions.save(Subscription(subscription_id, "https://example.org/webhook/s"))

    assert subscriptions.current() == Subscription(131300, "")


def test_secret_of_the_callback_url_is_not_in_the_file(subscriptions: Subscriptions, path: Path) -> None:
    subscriptions.save(Subscription(7, "https://example.org/webhook/PATH-SECRET"))

    assert b"PATH-SECRET" not in b"".join(found.read_bytes() for found in path.parent.iterdir())


def test_events_are_noted_to_the_hour_and_only_of_the_current_subscription(subscriptions: Subscriptions) -> None:
    subscriptions.save(Subscription(7, "https://example.org/webhook/s"))
    assert subscriptions.event_at_epoch_s() == 0
    noted = []
    for event_at in (10_000, 9_000, 13_599, 13_600):
        subscriptions.note_event(7, event_at)
        noted.append(subscriptions.event_at_epoch_s())
    assert noted == [10_000, 10_000, 10_000, 13_600]
    subscriptions.save(Subscription(8, "https://example.org/webhook/s"))
    assert subscriptions.event_at_epoch_s() == 0
