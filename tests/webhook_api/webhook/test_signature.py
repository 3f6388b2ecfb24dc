"""Signed events: checked where a key is configured, noted where none is."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from include.queue.sqlite import SqliteQueue
from include.settings import Settings
from include.state.events import EventAudit
from include.store.sqlite import SqliteStore
from include.strava.events import parse
from include.strava.signature import HEADER
from local.testbed.manual_clock import ManualClock
from webhook_api import webhook
from webhook_api.edge import EXTENSION

Sign = Callable[..., dict[str, str]]
KEY = "signing-key-that-nobody-may-see"

pytestmark = pytest.mark.usefixtures("connected")


@pytest.fixture
def path(settings: Settings) -> str:
    return f"/webhook/{settings.webhook_path_secret}"


@pytest.fixture
def signing(app: Flask, settings: Settings) -> None:
    """The signing key is configured."""
    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, settings=replace(settings, webhook_signing_key=KEY))


@pytest.mark.usefixtures("signing")
def test_event_is_queued_when_it_is_signed(
    client: FlaskClient, path: str, event: dict[str, Any], queue: SqliteQueue, sign: Sign
) -> None:
    body = json.dumps(event).encode()

    answer = client.post(path, data=body, headers=sign(body, KEY))

    assert answer.get_json() == {"status": "queued"}
    assert queue.depth() == 1


@pytest.fixture(
    params=[
        pytest.param((None, 0), id="missing"),
        pytest.param(("another key", 0), id="wrong"),
        pytest.param((KEY, 301), id="stale"),
    ]
)
def badly_signed(request: pytest.FixtureRequest, event: dict[str, Any], sign: Sign) -> dict[str, Any]:
    """A request's body and headers, wrong in one way."""
    key, late_s = request.param
    body = json.dumps(event).encode()
    return {"data": body, "headers": sign(body, key, late_s) if key else {}}


@pytest.mark.usefixtures("signing")
def test_event_is_refused_and_leaves_nothing_when_its_signature_is_bad(
    client: FlaskClient,
    path: str,
    badly_signed: dict[str, Any],
    queue: SqliteQueue,
    store: SqliteStore,
    clock: ManualClock,
) -> None:
    answer = client.post(path, **badly_signed)

    assert (answer.status_code, answer.get_json()) == (403, {"error": "This event is not signed by Strava"})
    assert queue.depth() == 0
    assert EventAudit(store, clock).get(parse(badly_signed["data"]).event_id) is None


@pytest.mark.usefixtures("signing")
def test_log_says_why_without_the_key_when_a_signature_is_bad(
    client: FlaskClient, path: str, badly_signed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    client.post(path, **badly_signed)

    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert line.startswith("POST /webhook/<secret> refused: The event")
    assert HEADER in line
    assert KEY not in caplog.text


@pytest.mark.usefixtures("signing")
def test_body_is_not_read_as_an_event_when_its_signature_is_bad(client: FlaskClient, path: str) -> None:
    assert client.post(path, data=b"{").status_code == 403


@pytest.mark.usefixtures("signing")
def test_webhook_does_not_exist_when_the_path_is_wrong_whatever_is_signed(client: FlaskClient, sign: Sign) -> None:
    assert client.post("/webhook/guess", data=b"{}", headers=sign(b"{}", KEY)).status_code == 404


def test_signature_is_noted_once_and_not_checked_when_no_key_is_configured(
    client: FlaskClient, path: str, event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    webhook._note_unchecked_signature.cache_clear()
    caplog.set_level(logging.DEBUG, logger="webhook_api.webhook")

    answers = [client.post(path, json=event, headers={HEADER: "t=1,v1=0"}).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert caplog.text.count("the signature is not checked") == 1
