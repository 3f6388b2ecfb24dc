"""Strava's webhook when anything is posted to it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.queue.sqlite import SqliteQueue
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION


@pytest.mark.usefixtures("connected")
def test_log_never_holds_the_secret_when_requests_fail(
    app: Flask, client: FlaskClient, path: str, event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> SqliteStore:
        raise OSError("the disk is gone")

    caplog.set_level(logging.DEBUG)
    client.post(path, data=b"{")
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], store=broken)
    answer = client.post(path, json=event)

    assert (answer.status_code, answer.get_json()) == (500, {"error": "Internal Server Error"})
    assert "the disk is gone" in caplog.text
    assert "/webhook/<secret>" in caplog.text
    assert path not in caplog.text


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("ahead_s", "status"), [pytest.param(86_400, 200, id="a day"), pytest.param(86_401, 400, id="more than a day")]
)
def test_event_from_the_future_is_refused(
    client: FlaskClient,
    path: str,
    event: dict[str, Any],
    queue: SqliteQueue,
    clock: ManualClock,
    ahead_s: int,
    status: int,
) -> None:
    answer = client.post(path, json={**event, "event_time": int(clock()) + ahead_s})

    assert answer.status_code == status
    assert queue.depth() == (status == 200)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    ["aspect_type", "event_time", "object_id", "object_type", "owner_id", "subscription_id", "updates"]
)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)


@pytest.mark.usefixtures("connected")
@given(
    body=st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "Content-Encoding", "Accept", "Cookie", "X-Strava-Signature", "Host"]),
        header_text,
    ),
    secret=st.none() | st.text(min_size=1, max_size=20),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_webhook_never_fails_when_anything_is_posted(
    client: FlaskClient, path: str, body: bytes, headers: dict[str, str], secret: str | None
) -> None:
    address = path if secret is None else f"/webhook/{secret}"

    answer = client.post(address, data=body, headers=headers)

    assert answer.status_code < 500


@pytest.mark.usefixtures("connected")
@given(name=field_names, value=json_values)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_webhook_answers_200_or_400_when_one_field_is_anything(
    client: FlaskClient, path: str, event: dict[str, Any], name: str, value: Any
) -> None:
    answer = client.post(path, data=json.dumps(event | {name: value}))

    assert answer.status_code in {200, 400}


@given(query=st.dictionaries(st.sampled_from(["hub.mode", "hub.challenge", "hub.verify_token"]), st.text(max_size=40)))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_handshake_never_answers_200_when_the_token_is_guessed(
    client: FlaskClient, path: str, query: dict[str, str]
) -> None:
    assert client.get(path, query_string=query).status_code in {400, 403}


def test_documented_event_is_queued(
    client: FlaskClient, path: str, queue: SqliteQueue, connected: None, event: dict[str, Any], recorded: Path
) -> None:
    cases = json.loads((recorded / "documented" / "errors.json").read_text())
    [documented] = [case for case in cases if case["name"] == "webhook_event_update"]

    assert client.post(path, json=documented["body"]).get_json() == {"status": "queued"}
    assert documented["body"] == event
