"""Strava's webhook: what is queued, what is dropped, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from include.errors import RetryLater
from include.queue.content import parse as parse_content
from include.queue.sqlite import SqliteQueue
from include.settings import Settings
from include.state.accounts.athletes import Athletes, AthleteStatus
from include.state.events import EventAudit
from include.store.sqlite import SqliteStore
from include.strava.events import parse
from webhook_api.edge import EXTENSION


@pytest.fixture
def outcome_of(store: SqliteStore, clock: Callable[[], float]) -> Callable[[dict[str, Any]], str | None]:
    """What the audit says of an event, None where it knows nothing."""

    def outcome_of(event: dict[str, Any]) -> str | None:
        audited = EventAudit(store, clock).get(parse(json.dumps(event).encode()).event_id)
        return audited.outcome if audited else None

    return outcome_of


@pytest.fixture
def handshake(settings: Settings) -> dict[str, str]:
    return {
        "hub.mode": "subscribe",
        "hub.verify_token": settings.webhook_verify_token,
        "hub.challenge": "15f7d1a91c1f40f8a748fd134752feb3",
    }


def test_handshake_echoes_the_challenge_as_json(client: FlaskClient, path: str, handshake: dict[str, str]) -> None:
    answer = client.get(path, query_string=handshake)

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.get_json() == {"hub.challenge": handshake["hub.challenge"]}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"hub.verify_token": "fedcba"}, 403, id="wrong-token"),
        pytest.param({"hub.verify_token": ""}, 403, id="empty-token"),
        pytest.param({"hub.verify_token": "žlutý"}, 403, id="token-not-ascii"),
        pytest.param({"hub.mode": "unsubscribe"}, 400, id="other-mode"),
        pytest.param({"hub.challenge": ""}, 400, id="no-challenge"),
    ],
)
def test_handshake_is_refused_when_something_is_wrong(
    client: FlaskClient, path: str, handshake: dict[str, str], changes: dict[str, str], status: int
) -> None:
    answer = client.get(path, query_string=handshake | changes)

    assert answer.status_code == status
    assert "error" in answer.get_json()


@pytest.mark.parametrize("wrong", [pytest.param("guess", id="guess"), pytest.param("žlutý", id="not-ascii")])
@pytest.mark.parametrize("method", [pytest.param("GET", id="get"), pytest.param("POST", id="post")])
def test_webhook_does_not_exist_when_the_secret_is_wrong(
    client: FlaskClient, method: str, wrong: str, handshake: dict[str, str], event: dict[str, Any]
) -> None:
    answer = client.open(f"/webhook/{wrong}", method=method, query_string=handshake, json=event)

    assert answer.status_code == 404
    assert answer.get_json() == {"error": "Not Found"}


@pytest.mark.usefixtures("connected")
def test_event_is_queued_with_its_time_when_it_is_valid(
    client: FlaskClient,
    path: str,
    event: dict[str, Any],
    queue: SqliteQueue,
    store: SqliteStore,
    clock: Callable[[], float],
) -> None:
    answer = client.post(path, json=event)

    assert (answer.status_code, answer.get_json()) == (200, {"status": "queued"})
    [message] = queue.receive(10, visibility_s=1)
    queued = parse_content(message.body)
    expected = parse(json.dumps(event).encode())
    assert queued.queued_at_epoch_s == clock()
    assert queued.event.event_id == expected.event_id
    audited = EventAudit(store, clock).get(expected.event_id)
    assert audited is not None
    assert (audited.outcome, audited.athlete_id, audited.object_id) == ("queued", 134815, 1360128428)


@pytest.mark.usefixtures("connected")
def test_event_is_queued_when_fields_unknown_today_come_along(
    client: FlaskClient, path: str, event: dict[str, Any], queue: SqliteQueue
) -> None:
    assert client.post(path, json=event | {"delivery": 7}).status_code == 200
    assert queue.depth() == 1


@pytest.mark.usefixtures("connected")
def test_deauthorisation_is_queued(client: FlaskClient, path: str, event: dict[str, Any], queue: SqliteQueue) -> None:
    changes = {"object_type": "athlete", "object_id": event["owner_id"], "updates": {"authorized": "false"}}

    assert client.post(path, json=event | changes).get_json() == {"status": "queued"}
    [message] = queue.receive(10, visibility_s=1)
    assert parse_content(message.body).event.is_deauthorisation


@pytest.mark.usefixtures("connected")
def test_event_is_queued_when_the_athlete_has_to_connect_again(
    client: FlaskClient, path: str, event: dict[str, Any], queue: SqliteQueue, athletes: Athletes
) -> None:
    athletes.mark(event["owner_id"], AthleteStatus.NEEDS_REAUTH)

    client.post(path, json=event)

    assert queue.depth() == 1


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"owner_id": 4}, "unknown athlete", id="unknown-athlete"),
        pytest.param({"subscription_id": 4}, "other subscription", id="other-application"),
    ],
)
def test_event_is_answered_200_and_dropped_when_it_is_not_ours(
    client: FlaskClient,
    path: str,
    event: dict[str, Any],
    queue: SqliteQueue,
    outcome_of: Callable[[dict[str, Any]], str | None],
    changes: dict[str, int],
    reason: str,
) -> None:
    answer = client.post(path, json=event | changes)

    assert (answer.status_code, answer.get_json()) == (200, {"status": "dropped"})
    assert queue.depth() == 0
    assert outcome_of(event | changes) == f"dropped: {reason}"


def test_event_is_dropped_with_a_log_line_when_no_subscription_is_stored(
    client: FlaskClient, path: str, event: dict[str, Any], queue: SqliteQueue, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post(path, json=event)

    assert (answer.status_code, answer.get_json()) == (200, {"status": "dropped"})
    assert queue.depth() == 0
    assert "no subscription is stored yet" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="broken"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="no-fields"),
        pytest.param(b"\xff\xfe", id="not-utf-8"),
        pytest.param(b'{"a": NaN}', id="nan"),
        pytest.param(b"[" * 8000, id="deep"),
        pytest.param(b"aspect_type=create", id="form"),
    ],
)
@pytest.mark.usefixtures("connected")
def test_body_is_refused_with_the_reason_when_it_is_no_event(
    client: FlaskClient, path: str, body: bytes, queue: SqliteQueue
) -> None:
    answer = client.post(path, data=body, content_type="application/json")

    assert answer.status_code == 400
    assert "body" in answer.get_json()["error"] or "event" in answer.get_json()["error"]
    assert queue.depth() == 0


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("length", "status"),
    [
        pytest.param(8192, 200, id="largest"),
        pytest.param(8193, 413, id="one-too-many"),
        pytest.param(10**6, 413, id="huge"),
    ],
)
def test_body_is_refused_when_it_is_larger_than_8_kb(
    client: FlaskClient, path: str, event: dict[str, Any], length: int, status: int
) -> None:
    body = json.dumps(event).encode()

    answer = client.post(path, data=body + b" " * (length - len(body)))

    assert answer.status_code == status


@pytest.mark.usefixtures("connected")
def test_answer_is_503_when_the_queue_refuses(
    app: Flask,
    client: FlaskClient,
    path: str,
    event: dict[str, Any],
    outcome_of: Callable[[dict[str, Any]], str | None],
) -> None:
    class FullQueue(SqliteQueue):
        def __init__(self) -> None:
            """Without a file."""

        def send(self, body: str) -> str:
            raise RetryLater("the disk is full")

    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], queue=FullQueue)

    answer = client.post(path, json=event)

    assert answer.status_code == 503
    assert "error" in answer.get_json()
    assert outcome_of(event) is None


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("method", [pytest.param("PUT", id="put"), pytest.param("DELETE", id="delete")])
def test_webhook_names_its_methods_when_another_is_used(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)

    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.allow)
