"""What holds for the webhook whatever is sent to it: it never fails, and it does a bounded piece of work."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import IngestError, OutcomeUnknown, RetryLater
from include.queue.sqlite import SqliteQueue
from include.settings import Settings
from include.store.sqlite import SqliteStore
from include.strava.signature import HEADER
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION

KEY = "signing-key-that-nobody-may-see"

pytestmark = pytest.mark.usefixtures("connected")

anything = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
events = st.fixed_dictionaries(
    {
        "aspect_type": st.sampled_from(["create", "update", "delete"]),
        "event_time": st.integers(1, 2**40),
        "object_id": st.integers(1, 2**63 - 1),
        "object_type": st.sampled_from(["activity", "athlete"]),
        "owner_id": st.just(134815) | st.integers(1, 2**63 - 1),
        "subscription_id": st.just(120475) | st.integers(1, 2**63 - 1),
    },
    optional={"updates": st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=3)},
)
bodies = st.binary(max_size=300) | json_values.map(json.dumps).map(str.encode) | events.map(json.dumps).map(str.encode)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
headers_of_any_kind = st.dictionaries(
    st.sampled_from(
        [
            *("Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Accept", "Cookie", "Host"),
            *("Authorization", "Expect", "Range", "If-Match", "X-HTTP-Method-Override", HEADER),
        ]
    ),
    header_text,
    max_size=4,
)
methods = st.just("POST") | st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
)
odd_tails = st.sampled_from(["/", "/..", "?hub.mode=subscribe", "?hub.challenge=x", "%00", "//", "#"])
tails = st.just("") | odd_tails | st.text(max_size=15)


@pytest.fixture
def path(settings: Settings) -> str:
    return f"/webhook/{settings.webhook_path_secret}"


@pytest.fixture
def ask(client: FlaskClient) -> Callable[..., int]:
    """Sends one request and gives the status of its answer."""

    def ask(address: str, method: str, body: bytes, headers: dict[str, str]) -> int:
        return client.open(address, method=method, data=body, headers=headers).status_code

    return ask


class BrokenQueue(SqliteQueue):
    """A queue that takes nothing, for the reason that a test gives."""

    def __init__(self, fault: IngestError) -> None:
        self.fault = fault

    def send(self, body: str) -> str:
        raise self.fault


@given(method=methods, tail=tails, is_secret_right=st.booleans(), body=bodies, headers=headers_of_any_kind)
@anything
def test_webhook_never_answers_5xx_when_anything_is_sent(
    ask: Callable[..., int],
    path: str,
    method: str,
    tail: str,
    is_secret_right: bool,
    body: bytes,
    headers: dict[str, str],
) -> None:
    assert ask((path if is_secret_right else "/webhook/") + tail, method, body, headers) < 500


@given(body=bodies, headers=headers_of_any_kind, is_signed=st.booleans())
@anything
def test_webhook_never_answers_5xx_when_signatures_are_checked(
    app: Flask,
    ask: Callable[..., int],
    path: str,
    sign: Callable[..., dict[str, str]],
    *,
    body: bytes,
    headers: dict[str, str],
    is_signed: bool,
) -> None:
    edge = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(edge, settings=replace(edge.settings, webhook_signing_key=KEY))
    if is_signed:
        headers = sign(body, KEY)

    status = ask(path, "POST", body, headers)

    assert status in ({200, 400} if is_signed else {400, 403, 413})


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(RetryLater("the disk is full"), id="full"),
        pytest.param(OutcomeUnknown("no answer"), id="unknown outcome"),
    ],
)
@given(method=methods, body=bodies, headers=headers_of_any_kind)
@anything
def test_webhook_answers_503_exactly_when_the_queue_refuses_an_event(
    app: Flask,
    ask: Callable[..., int],
    path: str,
    *,
    fault: IngestError,
    method: str,
    body: bytes,
    headers: dict[str, str],
) -> None:
    working = app.extensions[EXTENSION]
    would_be = ask(path, method, body, headers)
    app.extensions[EXTENSION] = replace(working, queue=lambda: BrokenQueue(fault))
    try:
        status = ask(path, method, body, headers)
    finally:
        app.extensions[EXTENSION] = working

    assert would_be < 500
    assert status == would_be or (status, would_be) == (503, 200)


class CountingStore(SqliteStore):
    """A store that counts what it is asked."""

    counts: Counter[str]

    def get(self, *args: Any, **kwargs: Any) -> Any:
        self.counts["read"] += 1
        return super().get(*args, **kwargs)

    def get_all(self, *args: Any, **kwargs: Any) -> Any:
        self.counts["list"] += 1
        return super().get_all(*args, **kwargs)

    def query(self, *args: Any, **kwargs: Any) -> Any:
        self.counts["list"] += 1
        return super().query(*args, **kwargs)

    def find(self, *args: Any, **kwargs: Any) -> Any:
        self.counts["list"] += 1
        return super().find(*args, **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> int:
        self.counts["write"] += 1
        return super().put(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        self.counts["write"] += 1
        return super().add(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> None:
        self.counts["write"] += 1
        super().delete(*args, **kwargs)


@pytest.fixture
def work(app: Flask, tmp_path: Path, clock: ManualClock) -> Iterator[Counter[str]]:
    """How often the store was asked, and queue and OAuth client fetched, since the test began."""
    counts: Counter[str] = Counter()
    edge = app.extensions[EXTENSION]
    store = CountingStore(tmp_path / "state.sqlite", clock)
    store.counts = counts

    def leaf(name: str, opened: Callable[[], Any]) -> Callable[[], Any]:
        def open_and_count() -> Any:
            counts[name] += 1
            return opened()

        return open_and_count

    app.extensions[EXTENSION] = replace(
        edge, store=lambda: store, queue=leaf("queue", edge.queue), oauth=leaf("oauth", edge.oauth)
    )
    yield counts
    store.close()


@given(body=bodies, headers=headers_of_any_kind)
@anything
def test_event_costs_at_most_three_reads_one_write_and_one_message(
    ask: Callable[..., int], path: str, work: Counter[str], strava: Any, body: bytes, headers: dict[str, str]
) -> None:
    work.clear()

    ask(path, "POST", body, headers)

    assert work["read"] <= 3
    assert work["write"] <= 1
    assert work["queue"] <= 1
    assert work["list"] == work["oauth"] == 0
    assert strava.forms == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"read": 3, "write": 1, "queue": 1}, id="queued"),
        pytest.param({"owner_id": 4}, {"read": 3, "write": 1}, id="unknown athlete"),
        pytest.param({"subscription_id": 4}, {"read": 2, "write": 1}, id="other application"),
        pytest.param({"object_type": "gear"}, {}, id="no event"),
    ],
)
def test_event_costs_what_its_kind_needs_and_no_more(
    ask: Callable[..., int],
    path: str,
    work: Counter[str],
    event: dict[str, Any],
    changes: dict[str, Any],
    expected: dict[str, int],
) -> None:
    ask(path, "POST", json.dumps(event | changes).encode(), {})

    assert work == expected


@given(method=methods, body=bodies, headers=headers_of_any_kind)
@anything
def test_stranger_costs_nothing(
    ask: Callable[..., int], work: Counter[str], method: str, body: bytes, headers: dict[str, str]
) -> None:
    ask("/webhook/guess", method, body, headers)

    assert work == {}
