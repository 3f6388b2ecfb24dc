"""There is one subscription, and its URL is not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.state.application.subscriptions import Subscriptions
from include.store.store import Key, Store
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


def test_check_is_noted_each_time(subscriptions: Subscriptions) -> None:
    checked_at = [subscriptions.checked_at_epoch_s()]
    for now_epoch_s in (5.5, 4.0, 9.25):
        subscriptions.note_check(now_epoch_s)
        checked_at.append(subscriptions.checked_at_epoch_s())

    assert checked_at == [0, 5.5, 4.0, 9.25]


def test_event_of_another_subscription_is_noted_at_once_and_counts_when_that_is_current(
    subscriptions: Subscriptions,
) -> None:
    subscriptions.note_event(7, 10_000)
    assert subscriptions.event_at_epoch_s() == 0  # there is no subscription
    subscriptions.save(Subscription(8, "https://example.org/webhook/s"))
    subscriptions.note_event(8, 9_000)

    assert subscriptions.event_at_epoch_s() == 9_000


def test_events_and_checks_leave_the_subscription_as_it_is(subscriptions: Subscriptions) -> None:
    subscriptions.save(Subscription(7, "https://example.org/webhook/s"))
    subscriptions.note_check(5)
    subscriptions.note_event(7, 6)
    before = subscriptions.current()
    subscriptions.forget()

    assert (before, subscriptions.current()) == (Subscription(7, ""), None)
    assert (subscriptions.checked_at_epoch_s(), subscriptions.event_at_epoch_s()) == (5, 0)


def test_event_within_the_hour_is_not_written(store: Store, subscriptions: Subscriptions) -> None:
    versions = []
    for event_at in (10_000, 13_599, 13_600):
        subscriptions.note_event(7, event_at)
        row = store.get(Key("subscriptions", "event"))
        assert row is not None
        versions.append(row.version)

    assert versions == [1, 1, 2]
