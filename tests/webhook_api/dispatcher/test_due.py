"""An event's activity is due in the ledger before its run starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.errors import RetryLater
from include.queue.content import LookAgain, to_body
from include.queue.sqlite import SqliteQueue
from include.state.activities.ledger import ActivityLedger, ActivityState, DueWork
from include.state.application.outages import Outages
from include.state.erasures.ledger import Erasures
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from tests.webhook_api.dispatcher.messages import deauthorisation, event, send, unavailable
from webhook_api.dispatch_report import log_report
from webhook_api.dispatcher import LONGEST_DELAY_S, MOST_TRIES, dispatch

OWNER = 134815


def test_activity_is_due_before_its_run_is_started(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    ledger = ActivityLedger(store, clock)
    seen: list[Any] = []
    airflow.fault = lambda dag_id: seen.append(ledger.get(OWNER, 7))  # the run is not there yet
    send(queue, clock, event(7))

    dispatch(queue, airflow, store, clock)

    assert seen == [ledger.get(OWNER, 7)]
    assert (seen[0].state, seen[0].asked) == (ActivityState.PENDING, DueWork(1_516_126_040, int(clock()) + 1800))
    assert [entry.activity_id for entry in ledger.due(clock() + 1800)] == [7]


def test_only_activities_are_made_due(queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock) -> None:
    send(queue, clock, event(OWNER, object_type="athlete"), deauthorisation(52))
    queue.send(to_body(LookAgain(OWNER, 8, clock(), copies_only=True)))

    dispatch(queue, airflow, store, clock)

    assert list(ActivityLedger(store, clock).due(clock() + 1e6)) == []
    assert len(airflow.runs) == 2


def test_event_goes_back_and_starts_nothing_when_it_cannot_be_made_due(
    queue: SqliteQueue, airflow: Any, clock: ManualClock, tmp_path: Path
) -> None:
    class OutOfReach(SqliteStore):
        def put(self, *args: Any, **options: Any) -> int:
            if args[0].sort == "2":
                raise RetryLater("STATE_URL: throttled")
            return super().put(*args, **options)

    store = OutOfReach(tmp_path / "state.sqlite", clock)
    send(queue, clock, event(1), event(2), deauthorisation(52))

    report = dispatch(queue, airflow, store, clock)
    store.close()

    assert airflow.ingested() == [1]
    assert (report.released, report.reasons, queue.depth()) == (1, ("STATE_URL: throttled",), 1)


def test_event_is_due_and_its_message_done_while_strava_is_out(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    outages = Outages(store, clock)
    outages.begin("503")
    send(queue, clock, event(1), deauthorisation(52))

    report = dispatch(queue, airflow, store, clock)

    assert (airflow.calls, report.waiting, queue.depth()) == (["strava_erase"], 1, 0)
    log_report(report)
    counted = [record.metrics for record in caplog.records if hasattr(record, "metrics")]
    assert {"EventsWaiting": 1} in counted
    assert [entry.activity_id for entry in ActivityLedger(store, clock).due(clock())] == [1]
    outages.end()
    send(queue, clock, event(2))
    assert dispatch(queue, airflow, store, clock).waiting == 0
    assert airflow.ingested() == [2]


def test_events_are_left_to_the_ledger_when_airflow_starts_no_run_for_hours(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    airflow.fault = unavailable
    send(queue, clock, event(1), deauthorisation(52), event(OWNER, object_type="athlete"))

    reports = []
    for _ in range(MOST_TRIES):
        reports.append(dispatch(queue, airflow, store, clock))
        clock.now_epoch_s += LONGEST_DELAY_S

    assert [report.waiting for report in reports] == [0] * (MOST_TRIES - 1) + [2]
    assert (queue.depth(), queue.dead()) == (1, []), "no row speaks of the event about an athlete"
    assert [entry.activity_id for entry in ActivityLedger(store, clock).due(clock())] == [1]
    assert [erasure.athlete_id for erasure in Erasures(store, clock).due()] == [52]


def test_event_is_not_left_to_a_ledger_that_is_out_of_reach(
    queue: SqliteQueue, airflow: Any, clock: ManualClock, tmp_path: Path
) -> None:
    class OutOfReach(SqliteStore):
        def put(self, *args: Any, **options: Any) -> int:
            raise RetryLater("STATE_URL: throttled")

    store = OutOfReach(tmp_path / "state.sqlite", clock)
    send(queue, clock, event(1))

    for _ in range(MOST_TRIES + 2):
        assert dispatch(queue, airflow, store, clock).waiting == 0
        clock.now_epoch_s += LONGEST_DELAY_S
    store.close()

    assert queue.depth() == 1
