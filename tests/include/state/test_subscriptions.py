"""There is one subscription, and its URL is not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.state.store import Store
from include.state.subscriptions import Subscriptions
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
