"""Webhook subscriptions: verified, one for each application."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

CALLBACK_URL = "http://callback.test/webhook/path-secret?from=strava"
NOT_VERIFIABLE = {
    "message": "Bad Request",
    "errors": [{"resource": "PushSubscription", "field": "callback url", "code": "not verifiable"}],
}
ALREADY = {
    "message": "Bad Request",
    "errors": [{"resource": "PushSubscription", "field": "", "code": "already exists"}],
}


def credentials(world: Any) -> dict[str, Any]:
    return {"client_id": world.application.client_id, "client_secret": world.application.client_secret}


def listed(world: Any) -> Any:
    return world.get("push_subscriptions", **credentials(world)).get_json()


def test_subscribe_answers_like_recorded_after_the_handshake(world: Any) -> None:
    response = world.subscribe()
    body = response.get_json()
    assert response.status_code == 201
    assert body == {
        "id": body["id"],
        "resource_state": 2,
        "application_id": 10_001,
        "callback_url": CALLBACK_URL,
        "created_at": "2026-06-01T12:00:00Z",
        "updated_at": "2026-06-01T12:00:00Z",
    }
    (handshake,) = world.receiver.handshakes
    assert handshake == {
        "from": ["strava"],
        "hub.mode": ["subscribe"],
        "hub.challenge": handshake["hub.challenge"],
        "hub.verify_token": ["v-1"],
    }
    assert listed(world) == [body]


def test_subscription_calls_count_for_nothing(world: Any) -> None:
    responses = [world.subscribe(), world.get("push_subscriptions", **credentials(world))]
    assert {response.headers["X-RateLimit-Usage"] for response in responses} == {"0,0"}
    assert world.get("athlete", world.bearer(world.athlete())).headers["X-RateLimit-Usage"] == "1,1"


def test_list_is_empty_without_subscription(world: Any) -> None:
    assert listed(world) == []


def test_second_subscription_is_refused(world: Any) -> None:
    world.subscribe()
    again = world.subscribe(callback_url="http://callback.test/other")
    assert (again.status_code, again.get_json()) == (400, ALREADY)
    assert len(world.receiver.handshakes) == 1


def test_second_subscription_is_refused_when_first_came_during_its_handshake(world: Any) -> None:
    answers: list[int] = []
    echo = world.receiver.handshake

    def subscribe_meanwhile(challenge: str) -> tuple[int, str, str]:
        world.receiver.handshake = echo
        answers.append(world.subscribe().status_code)
        result: tuple[int, str, str] = echo(challenge)
        return result

    world.receiver.handshake = subscribe_meanwhile
    assert world.subscribe().get_json() == ALREADY
    assert answers == [201]
    assert len(listed(world)) == 1


def echo_as(status: int = 200, content_type: str = "application/json", key: str = "hub.challenge") -> Any:
    return lambda challenge: (status, content_type, json.dumps({key: challenge}))


def fail_with(error: Exception) -> Any:
    def fail(_: str) -> tuple[int, str, str]:
        raise error

    return fail


@pytest.mark.parametrize(
    "handshake",
    [
        pytest.param(echo_as(status=302), id="redirect"),
        pytest.param(echo_as(status=201), id="other success"),
        pytest.param(echo_as(status=500), id="error"),
        pytest.param(echo_as(content_type="text/plain"), id="not declared as json"),
        pytest.param(echo_as(key="challenge"), id="other key"),
        pytest.param(lambda _: (200, "application/json", '{"hub.challenge": "other"}'), id="other challenge"),
        pytest.param(lambda challenge: (200, "application/json", challenge), id="bare challenge"),
        pytest.param(lambda _: (200, "application/json", "[]"), id="list"),
        pytest.param(fail_with(requests.Timeout()), id="too slow"),
        pytest.param(fail_with(requests.ConnectionError()), id="nobody there"),
    ],
)
def test_subscribe_is_refused_when_callback_fails_the_handshake(
    world: Any, handshake: Callable[[str], tuple[int, str, str]]
) -> None:
    world.receiver.handshake = handshake
    response = world.subscribe()
    assert (response.status_code, response.get_json()) == (400, NOT_VERIFIABLE)
    assert len(world.receiver.handshakes) == 1, "no redirect is followed, nothing is asked twice"
    assert listed(world) == []


@pytest.mark.parametrize(
    "callback_url",
    [
        pytest.param("", id="none"),
        pytest.param("callback.test/x", id="no scheme"),
        pytest.param("ftp://callback.test/", id="other scheme"),
        pytest.param("http://callback.test/" + "x" * 235, id="256 characters"),
    ],
)
def test_subscribe_is_refused_when_callback_url_is_unfit(world: Any, callback_url: str) -> None:
    response = world.subscribe(callback_url=callback_url)
    assert (response.status_code, response.get_json()) == (400, NOT_VERIFIABLE)
    assert world.receiver.handshakes == []


def test_subscribe_takes_a_url_of_255_characters(world: Any) -> None:
    assert world.subscribe(callback_url="http://callback.test/" + "x" * 234).status_code == 201


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        pytest.param({"client_id": "77"}, 400, ("Application", "client_id", "invalid"), id="unknown client"),
        pytest.param({"client_secret": "no"}, 401, ("Application", "", "invalid"), id="wrong secret"),
        pytest.param({"verify_token": ""}, 400, ("PushSubscription", "verify_token", "missing"), id="no verify token"),
    ],
)
def test_subscribe_is_refused_when_form_is_wrong(
    world: Any, form: dict[str, str], status: int, error: tuple[str, str, str]
) -> None:
    response = world.subscribe(**form)
    resource, field, code = error
    assert response.status_code == status
    assert response.get_json()["errors"] == [{"resource": resource, "field": field, "code": code}]


@pytest.mark.parametrize("place", ["query_string", "data"])
def test_unsubscribe_ends_the_subscription_and_its_waiting_events(world: Any, place: str) -> None:
    subscription_id = world.subscribe().get_json()["id"]
    athlete_id = world.athlete()
    world.connect(athlete_id)
    world.finish(athlete_id)
    path = f"/api/v3/push_subscriptions/{subscription_id}"
    response = world.client.delete(path, **{place: credentials(world)})
    assert (response.status_code, response.data) == (204, b"")
    assert listed(world) == []
    assert world.received() == []
    assert world.client.delete(path, query_string=credentials(world)).status_code == 404


def test_subscription_ids_are_never_used_again(world: Any) -> None:
    first = world.subscribe().get_json()["id"]
    world.client.delete(f"/api/v3/push_subscriptions/{first}", query_string=credentials(world))
    assert world.subscribe().get_json()["id"] == first + 1


def test_unsubscribe_is_refused_without_the_secret(world: Any) -> None:
    subscription_id = world.subscribe().get_json()["id"]
    path = f"/api/v3/push_subscriptions/{subscription_id}"
    assert world.client.delete(path, query_string={"client_id": 10_001}).status_code == 401
    assert len(listed(world)) == 1
