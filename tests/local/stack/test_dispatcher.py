"""The loop around the dispatcher, in this process and as one of its own."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from include.clock import Clock
from include.errors import RetryLater, TriggerUnavailable
from include.queue.content import StravaEvent, to_body
from include.queue.queue import Message
from include.queue.sqlite import SqliteQueue
from include.setting_values import EXAMPLES
from include.store.sqlite import SqliteStore
from include.strava.events import WebhookEvent
from include.trigger.api import ApiResponse
from include.trigger.finished_runs import PAGE
from include.trigger.trigger import Started
from local.stack.dispatcher import CLEAN_EVERY_S, GATHER_S, IDLE_POLL_S, QUEUE_RETRY_S, Cleaning, Connections, Stop, run
from local.testbed.manual_clock import ManualClock
from webhook_api.dispatcher import BATCH_SIZE

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state.sqlite", lambda: 1_760_000_001.0)
    yield store
    store.close()


class Pauses:
    """Counts the loop's pauses instead of waiting, and asks it to stop after so many."""

    def __init__(self, stop: Stop, last: int) -> None:
        self.seconds: list[float] = []
        self._stop = stop
        self._last = last

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._stop.requested = len(self.seconds) >= self._last


class Airflow:
    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        return Started.NOW


@dataclass
class OldRuns:
    """An Airflow in which `waiting` runs are to be deleted, of which it keeps the first `kept`."""

    waiting: int = 0
    kept: int = 0
    calls: int = 0
    is_out: bool = False

    def call(self, method: str, path: str, body: Any = None) -> ApiResponse:
        self.calls += 1
        if self.is_out:
            raise TriggerUnavailable("Airflow is starting")
        if method == "POST":
            found = min(body["page_limit"], self.waiting - body["page_offset"])
            return ApiResponse(
                200, {"dag_runs": [{"dag_id": "strava_ingest", "dag_run_id": str(n)} for n in range(found)]}
            )
        asked = len(body["actions"][0]["entities"])
        errors = [{"status_code": 409}] * min(self.kept, asked)
        self.waiting -= asked - len(errors)
        return ApiResponse(200, {"delete": {"success": [], "errors": errors}})


def connections(queue: SqliteQueue, store: SqliteStore, clock: Clock = lambda: 1.0) -> Connections:
    return Connections(queue, Airflow(), store, clock, Cleaning(OldRuns(), clock, 30, 1e12))


def body(object_id: int) -> str:
    event = WebhookEvent("activity", object_id, "create", 134815, 120475, 1_516_126_040, {})
    return to_body(StravaEvent(event, 1_760_000_000.0))


def test_loop_logs_one_line_per_run_and_lets_events_gather_after_it(
    tmp_path: Path, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    received = []

    class Watched(SqliteQueue):
        def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
            received.append(len(messages := super().receive(max_messages, visibility_s=visibility_s)))
            return messages

    caplog.set_level(logging.INFO)
    queue = Watched(tmp_path / "queue.sqlite", lambda: 1_760_000_001.0, keep_days=28)
    queue.send(body(7))
    stop = Stop()
    pauses = Pauses(stop, last=2)

    run(connections(queue, store, lambda: 1_760_000_001.0), stop=stop, sleep=pauses)
    queue.close()

    assert received == [1, 0]
    assert [record.getMessage() for record in caplog.records] == [
        "strava_ingest run 7.create.1516126040: 1 event(s), started now, oldest waited 1.00 s"
    ]
    assert pauses.seconds == [GATHER_S, IDLE_POLL_S]
    assert IDLE_POLL_S <= 0.25


def test_loop_pauses_after_the_last_batch_only_when_more_events_wait_than_a_run_takes(
    tmp_path: Path, store: SqliteStore
) -> None:
    queue = SqliteQueue(tmp_path / "queue.sqlite", lambda: 1.0, keep_days=28)
    for object_id in range(1, 2 * BATCH_SIZE + 2):
        queue.send(body(object_id))
    stop = Stop()
    pauses = Pauses(stop, last=1)

    run(connections(queue, store), stop=stop, sleep=pauses)

    assert queue.depth() == 0
    assert pauses.seconds == [GATHER_S]
    queue.close()


def test_loop_says_why_when_messages_are_buried(
    tmp_path: Path, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    queue = SqliteQueue(tmp_path / "queue.sqlite", lambda: 1.0, keep_days=28)
    queue.send("nonsense")

    stop = Stop()
    run(connections(queue, store), stop=stop, sleep=Pauses(stop, last=1))
    queue.close()

    assert "0 event(s) returned to the queue, 1 buried: The queued message is not JSON" in caplog.text


def test_loop_goes_on_when_the_queue_cannot_be_reached_for_a_while(
    tmp_path: Path, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    class LockedOnce(SqliteQueue):
        locked = True

        def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
            if self.locked:
                self.locked = False
                raise RetryLater("locked")
            return super().receive(max_messages, visibility_s=visibility_s)

    queue = LockedOnce(tmp_path / "queue.sqlite", lambda: 1.0, keep_days=28)
    queue.send(body(7))
    stop = Stop()
    pauses = Pauses(stop, last=2)

    run(connections(queue, store), stop=stop, sleep=pauses)

    assert pauses.seconds == [QUEUE_RETRY_S, GATHER_S]
    assert queue.depth() == 0
    queue.close()


def test_loop_does_nothing_when_it_was_told_to_stop_before(tmp_path: Path, store: SqliteStore) -> None:
    queue = SqliteQueue(tmp_path / "queue.sqlite", lambda: 1.0, keep_days=28)
    queue.send(body(7))
    stop = Stop(requested=True)

    run(connections(queue, store), stop=stop, sleep=Pauses(stop, last=1))

    assert queue.depth() == 1
    queue.close()


def test_finished_runs_are_deleted_page_by_page_while_nothing_waits_and_again_an_hour_later(
    tmp_path: Path, store: SqliteStore
) -> None:
    clock = ManualClock(1_760_000_001.0)
    old = OldRuns(waiting=2 * PAGE + 7, kept=3)
    queue = SqliteQueue(tmp_path / "queue.sqlite", clock, keep_days=28)
    queue.send(body(7))
    cleaning = Cleaning(old, clock, 30, clock.now_epoch_s)
    stop = Stop()

    run(Connections(queue, Airflow(), store, clock, cleaning), stop=stop, sleep=Pauses(stop, last=9))
    queue.close()

    # Three are kept of each page, and are not asked for again.
    assert (queue.depth(), old.waiting, old.calls, cleaning.skipped) == (0, 9, 6, 0)
    clock.advance(CLEAN_EVERY_S)
    cleaning.delete_page()
    assert (old.waiting, old.calls) == (3, 8)


def test_cleaning_waits_an_hour_when_airflow_is_out(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock(1_760_000_001.0)
    old = OldRuns(waiting=1, is_out=True)
    cleaning = Cleaning(old, clock, 30, clock.now_epoch_s)

    for _ in range(3):
        cleaning.delete_page()
    assert old.calls == 1
    assert "wait for the next hour: Airflow is starting" in caplog.text

    old.is_out = False
    clock.advance(CLEAN_EVERY_S)
    cleaning.delete_page()
    assert old.waiting == 0


@pytest.mark.parametrize("signum", [pytest.param(signal.SIGTERM, id="term"), pytest.param(signal.SIGINT, id="int")])
def test_process_stops_when_it_is_told_to(tmp_path: Path, signum: signal.Signals) -> None:
    database = f"sqlite://{tmp_path}/state.sqlite"
    environment = {**EXAMPLES, "QUEUE_URL": database, "STATE_URL": database}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.stack.dispatcher"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "Dispatching" in process.stderr.readline()
        process.send_signal(signum)
        _, log = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == 0
    assert "Stopped" in log
