"""A backfill that goes on starts its own next run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.errors import IngestError, TriggerRefused, TriggerUnavailable
from include.queue.content import LookAgain, ResumeBackfill, to_body
from include.queue.sqlite import SqliteQueue
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock
from webhook_api.dispatcher import dispatch

OWNER = 134815


FORM = {"athlete": OWNER, "from": "2026-05-01", "to": "2026-06-17", "dry_run": False, "asked_at_epoch_s": 1_759_000_000}


def resumed(clock: ManualClock, **changes: object) -> str:
    return to_body(ResumeBackfill({**FORM, **changes}, clock()))


def test_backfill_that_goes_on_starts_its_own_run_with_the_same_form(
    queue: SqliteQueue, store: SqliteStore, airflow: Any, clock: ManualClock
) -> None:
    for changes in ({}, {"to": "2026-06-18"}, {"dry_run": True}):
        queue.send(resumed(clock, **changes))
    queue.send(to_body(LookAgain(OWNER, 8, clock())))

    report = dispatch(queue, airflow, store, clock)

    assert airflow.calls == ["strava_ingest", *["strava_backfill"] * 3]
    forms = [conf for (dag_id, _), conf in airflow.runs.items() if dag_id == "strava_backfill"]
    assert forms == [FORM, {**FORM, "to": "2026-06-18"}, {**FORM, "dry_run": True}]
    assert (len(report.runs), queue.depth()) == (4, 0)


def test_backfill_that_goes_on_twice_has_one_run_for_each_time(
    queue: SqliteQueue, store: SqliteStore, airflow: Any, clock: ManualClock
) -> None:
    for body in (resumed(clock), resumed(clock)):
        queue.send(body)
        dispatch(queue, airflow, store, clock)
    clock.now_epoch_s += 900
    queue.send(resumed(clock))
    dispatch(queue, airflow, store, clock)

    assert len(airflow.runs) == 2


@pytest.mark.parametrize(
    ("fault", "depth", "dead"),
    [
        pytest.param(TriggerUnavailable("503"), 1, 0, id="waits while Airflow is out"),
        pytest.param(TriggerRefused("no such form"), 0, 1, id="is a dead letter where Airflow refuses it"),
    ],
)
def test_backfill_that_airflow_does_not_take(
    queue: SqliteQueue, store: SqliteStore, airflow: Any, clock: ManualClock, fault: IngestError, depth: int, dead: int
) -> None:
    queue.send(resumed(clock))
    airflow.fault = lambda _: fault

    dispatch(queue, airflow, store, clock)

    assert (queue.depth(), len(queue.dead())) == (depth, dead)


def test_message_with_a_backfill_that_nobody_wrote_is_buried(
    queue: SqliteQueue, store: SqliteStore, airflow: Any, clock: ManualClock
) -> None:
    queue.send(json.dumps({**json.loads(resumed(clock)), "backfill": "all of it"}))

    assert dispatch(queue, airflow, store, clock).buried == 1
