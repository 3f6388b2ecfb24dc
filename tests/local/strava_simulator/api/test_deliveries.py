"""Webhook delivery: in order, with two seconds' patience, at most three tries, logged."""

from __future__ import annotations

from typing import Any

import pytest
import requests


def connected(world: Any) -> int:
    world.subscribe()
    athlete_id: int = world.athlete()
    world.connect(athlete_id)
    return athlete_id


def log(world: Any) -> tuple[list[tuple[int, int | None, str | None, str]], int]:
    body = world.control("GET", "deliveries").get_json()
    keys = ("attempt", "status", "error", "outcome")
    return [tuple(entry[key] for key in keys) for entry in body["deliveries"]], body["pending"]


def test_delivery_is_logged_with_event_and_time(world: Any) -> None:
    activity_id = world.finish(connected(world))
    world.pass_time(5)
    world.work()
    (entry,) = world.control("GET", "deliveries").get_json()["deliveries"]
    assert entry.pop("latency_ms") >= 0
    assert entry.pop("event") == world.receiver.events[0]
    assert world.receiver.events[0]["object_id"] == activity_id
    assert entry == {
        "event_id": 1,
        "attempt": 1,
        "status": 200,
        "error": None,
        "delivered_at": world.clock.now_epoch_s,
        "outcome": "delivered",
    }


def test_events_arrive_in_the_order_in_which_they_were_raised(world: Any) -> None:
    athlete_id = connected(world)
    made = [world.finish(athlete_id, at=f"2026-06-01T0{hour}:00:00Z") for hour in (5, 3, 9)]
    world.work()
    assert [event["object_id"] for event in world.receiver.events] == made


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        pytest.param(500, 500, "answered 500", id="error"),
        pytest.param(204, 204, "answered 204", id="success other than 200"),
        pytest.param(302, 302, "answered 302", id="redirect"),
        pytest.param(requests.Timeout(), None, "no answer in time", id="too slow"),
        pytest.param(requests.ConnectionError(), None, "ConnectionError", id="nobody there"),
    ],
)
def test_event_is_tried_again_after_the_gap(world: Any, outcome: Any, status: int | None, error: str) -> None:
    world.finish(connected(world))
    world.receiver.outcomes.append(outcome)
    world.work()
    assert len(world.receiver.events) == len(world.receiver.handshakes) == 1, "no redirect is followed"
    world.pass_time(59.9)
    world.work()
    assert log(world) == ([(1, status, error, "pending")], 1)
    world.pass_time(0.1)
    world.work()
    assert log(world) == ([(1, status, error, "delivered"), (2, 200, None, "delivered")], 0)
    assert world.receiver.events[0] == world.receiver.events[1]


def test_event_is_dropped_after_three_tries(world: Any) -> None:
    world.finish(connected(world))
    world.receiver.outcomes.extend([500, 500, 500])
    for _ in range(5):
        world.work()
        world.pass_time(60)
    tries, pending = log(world)
    assert [(attempt, outcome) for attempt, _, _, outcome in tries] == [(1, "dropped"), (2, "dropped"), (3, "dropped")]
    assert pending == 0


def test_failing_event_does_not_hold_up_the_next(world: Any) -> None:
    athlete_id = connected(world)
    first, second = world.finish(athlete_id), world.finish(athlete_id, at="2026-06-01T10:00:00Z")
    world.receiver.outcomes.append(500)
    world.work()
    world.pass_time(60)
    world.work()
    assert [event["object_id"] for event in world.receiver.events] == [first, second, first]


def test_event_is_not_tried_again_when_its_subscription_ended_meanwhile(world: Any) -> None:
    world.finish(connected(world))
    subscription_id = 131_300
    application = world.application
    credentials = {"client_id": application.client_id, "client_secret": application.client_secret}

    class Unsubscribing(requests.ConnectionError):
        """Ends the subscription while its event is on the way."""

        def __init__(self) -> None:
            super().__init__()
            path = f"/api/v3/push_subscriptions/{subscription_id}"
            assert world.client.delete(path, query_string=credentials).status_code == 204

    send = world.receiver.send

    def send_and_unsubscribe(request: Any, **options: Any) -> Any:
        send(request, **options)
        raise Unsubscribing

    world.receiver.send = send_and_unsubscribe
    world.work()
    world.pass_time(60)
    world.work()
    assert len(world.receiver.events) == 1
    assert log(world)[1] == 0
