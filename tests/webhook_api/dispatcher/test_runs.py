"""From the queue to Airflow: which runs start."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.queue.content import StravaEvent, to_body
from include.queue.content import parse as parse_content
from include.queue.sqlite import SqliteQueue
from include.store.sqlite import SqliteStore
from include.strava.events import WebhookEvent, batch_run_id
from include.trigger.trigger import Started
from local.testbed.manual_clock import ManualClock
from tests.webhook_api.dispatcher.messages import deauthorisation, event, events, send
from webhook_api import dispatcher
from webhook_api.dispatch_report import StartedRun
from webhook_api.dispatcher import LONGEST_DELAY_S, delay_after, dispatch


def test_nothing_starts_when_the_queue_is_empty(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    report = dispatch(queue, airflow, store, clock)

    assert (report.received, report.runs, report.released, report.buried) == (0, (), 0, 0)
    assert airflow.calls == []


def test_one_run_named_after_the_event_starts_when_one_waits(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    send(queue, clock, event(7, updates={"title": "Morning run with Rex", "private": "true"}))
    received_at = clock()
    clock.now_epoch_s += 1.5

    report = dispatch(queue, airflow, store, clock)

    ((dag_id, run_id), conf), *others = airflow.runs.items()
    assert (dag_id, others) == ("strava_ingest", [])
    assert run_id == event(7, updates={"title": "Morning run with Rex", "private": "true"}).run_id
    assert conf["events"][0]["received_at_epoch_s"] == received_at
    assert conf["events"][0]["updates"]["private"] == "true"
    assert "Rex" not in json.dumps(conf)
    assert report.runs == (StartedRun("strava_ingest", run_id, 1, Started.NOW, 1.5),)
    assert queue.depth() == 0


def test_one_run_starts_when_a_hundred_events_wait(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    events = [event(number) for number in range(1, 101)]
    send(queue, clock, *events)

    dispatch(queue, airflow, store, clock)

    assert list(airflow.runs) == [("strava_ingest", batch_run_id(events))]
    assert sorted(airflow.ingested()) == list(range(1, 101))
    assert queue.depth() == 0


def test_the_rest_waits_for_the_next_batch_when_more_wait_than_fit(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "BATCH_SIZE", 2)
    send(queue, clock, *(event(number) for number in (1, 2, 3)))

    assert dispatch(queue, airflow, store, clock).received == 2
    assert queue.depth() == 1
    dispatch(queue, airflow, store, clock)
    assert sorted(airflow.ingested()) == [1, 2, 3]


def test_message_is_deleted_when_its_run_existed_before(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    for _ in range(2):
        send(queue, clock, event(7))
        report = dispatch(queue, airflow, store, clock)

    assert [run.started for run in report.runs] == [Started.BEFORE]
    assert airflow.ingested() == [7]
    assert queue.depth() == 0


def test_deauthorisations_start_first_and_alone_when_others_wait_before_them(
    queue: SqliteQueue, airflow: Any, store: SqliteStore, clock: ManualClock
) -> None:
    send(queue, clock, event(1), deauthorisation(52), event(2), deauthorisation(53))

    report = dispatch(queue, airflow, store, clock)

    assert airflow.calls == ["strava_erase", "strava_erase", "strava_ingest"]
    for athlete_id in (52, 53):
        told = deauthorisation(athlete_id)
        assert airflow.runs["strava_erase", told.run_id] == {
            "athlete": athlete_id,
            "reason": "deauthorisation",
            "asked_at_epoch_s": told.event_time_epoch_s,
        }
    assert sorted(airflow.ingested()) == [1, 2]
    assert len(report.runs) == 3


@given(attempts=st.integers(min_value=1, max_value=10**6))
def test_delay_grows_and_stays_bounded_for_any_number_of_attempts(attempts: int) -> None:
    assert 2 <= delay_after(attempts) <= delay_after(attempts + 1) <= LONGEST_DELAY_S


@given(event=events, received_at=st.floats(min_value=0, max_value=2e9))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_content_keeps_its_ids_and_time_when_written_and_parsed(event: WebhookEvent, received_at: float) -> None:
    parsed = parse_content(to_body(StravaEvent(event, received_at)))

    assert parsed.queued_at_epoch_s == received_at
    assert (parsed.event.event_id, parsed.event.run_id) == (event.event_id, event.run_id)
    assert parsed.event.is_deauthorisation == event.is_deauthorisation
