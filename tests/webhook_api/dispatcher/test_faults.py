"""What becomes of messages when Airflow refuses, is unavailable, or the dispatcher dies."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from include.errors import TriggerRefused, TriggerUnavailable
from include.queue.content import parse as parse_content
from include.queue.queue import Message
from include.queue.sqlite import SqliteQueue
from include.state.activities.ledger import ActivityLedger
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from tests.webhook_api.dispatcher.messages import deauthorisation, event, send, unavailable
from webhook_api import dispatcher
from webhook_api.dispatcher import dispatch

POISON = 666


def test_other_events_go_on_when_erasing_is_not_possible(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    send(queue, clock, deauthorisation(52), event(1))
    airflow.fault = lambda dag_id: unavailable(dag_id) if dag_id == "strava_erase" else None

    report = dispatch(queue, airflow, store, clock)

    assert airflow.ingested() == [1]
    assert (report.released, queue.depth()) == (1, 1)


def test_deauthorisation_is_buried_with_the_reason_when_it_is_refused(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    send(queue, clock, deauthorisation(52))
    airflow.fault = lambda dag_id: TriggerRefused("no such DAG: strava_erase")

    assert dispatch(queue, airflow, store, clock).buried == 1
    [(message, reason)] = queue.dead()
    assert parse_content(message.body).event == deauthorisation(52)
    assert reason == "no such DAG: strava_erase"


def test_messages_come_back_later_and_later_when_airflow_is_unavailable(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    send(queue, clock, event(1), event(2))
    airflow.fault = unavailable
    for delay_s in (2, 4, 8, 16):
        report = dispatch(queue, airflow, store, clock)
        assert (report.released, report.reasons) == (2, ("Airflow is starting",))
        clock.now_epoch_s += delay_s - 0.1
        assert dispatch(queue, airflow, store, clock).received == 0
        clock.now_epoch_s += 0.1

    airflow.fault = lambda dag_id: None
    dispatch(queue, airflow, store, clock)
    assert sorted(airflow.ingested()) == [1, 2]


def test_only_the_bad_event_is_buried_when_a_batch_is_refused(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    send(queue, clock, event(1), event(POISON), event(2))

    report = dispatch(queue, airflow, store, clock)

    assert sorted(airflow.ingested()) == [1, 2]
    assert (report.buried, len(report.runs), queue.depth()) == (1, 2, 0)
    [(message, reason)] = queue.dead()
    assert parse_content(message.body).event == event(POISON)
    assert reason == "the form refuses 666"


def test_good_events_return_to_the_queue_when_airflow_fails_after_refusing_their_batch(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    send(queue, clock, event(1), event(2))
    faults = iter([TriggerRefused("no"), None, TriggerUnavailable("gone")])
    airflow.fault = lambda dag_id: next(faults)

    report = dispatch(queue, airflow, store, clock)

    assert (len(report.runs), report.released, report.buried) == (1, 1, 0)
    assert queue.dead() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="broken"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no-time"),
        pytest.param('{"received_at_epoch_s": true}', id="time-is-no-number"),
        pytest.param('{"received_at_epoch_s": 1.0}', id="no-event"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_malformed_message_is_buried_and_the_others_start(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock, body: str
) -> None:
    queue.send(body)
    send(queue, clock, event(1))

    report = dispatch(queue, airflow, store, clock)

    assert (report.received, report.buried) == (2, 1)
    assert [message.body for message, _ in queue.dead()] == [body]
    assert airflow.ingested() == [1]


class Crash(Exception):
    """The process ends here."""


@dataclass
class CrashingQueue:
    """A queue whose process dies now and then, before or after a step is durable."""

    queue: SqliteQueue
    chances: random.Random

    def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
        return self._crash_around(lambda: self.queue.receive(max_messages, visibility_s=visibility_s))

    def delete(self, message: Message) -> None:
        self._crash_around(lambda: self.queue.delete(message))

    def release(self, message: Message, *, delay_s: int) -> None:
        self._crash_around(lambda: self.queue.release(message, delay_s=delay_s))

    def bury(self, message: Message, reason: str) -> None:
        self._crash_around(lambda: self.queue.bury(message, reason))

    def send(self, body: str) -> str:
        return self.queue.send(body)

    def depth(self) -> int:
        return self.queue.depth()

    def dead(self) -> Sequence[tuple[Message, str]]:
        return self.queue.dead()

    def _crash_around(self, step: Callable[[], Any]) -> Any:
        if self.chances.random() < 0.02:
            raise Crash
        result = step()
        if self.chances.random() < 0.02:
            raise Crash
        return result


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed-{seed}") for seed in range(12)])
def test_nothing_is_lost_when_airflow_and_the_dispatcher_fail_at_random(
    queue: SqliteQueue,
    airflow: Any,
    store: SqliteStore,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(dispatcher, "BATCH_SIZE", 7)
    chances = random.Random(seed)
    good = list(range(1, 31))
    leaving = [1052, 1053]
    events = [event(number) for number in [*good, POISON]] + [deauthorisation(athlete) for athlete in leaving]
    chances.shuffle(events)
    send(queue, clock, *events)
    airflow.fault = lambda dag_id: unavailable(dag_id) if chances.random() < 0.4 else None

    for _ in range(400):
        with contextlib.suppress(Crash):
            dispatch(CrashingQueue(queue, chances), airflow, store, clock)
        clock.now_epoch_s += 60

    assert queue.depth() == 0
    assert {entry.activity_id for entry in ActivityLedger(store, clock).due(clock() + 1800)} == {*good, POISON}
    assert set(airflow.ingested()) == set(good)
    assert [parse_content(message.body).event.object_id for message, _ in queue.dead()] == [POISON]
    erased = {conf["athlete"] for (dag_id, _), conf in airflow.runs.items() if dag_id == "strava_erase"}
    assert erased == set(leaving)
