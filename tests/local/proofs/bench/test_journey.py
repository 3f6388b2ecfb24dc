"""Times as everything on an event's way writes them: the log's lines are Airflow's own, shortened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.proofs.bench.journey import Journey

BEGAN_EPOCH_S = 1_795_997_356.0
JOURNEY = Journey(
    posted_epoch_s=100.0,
    received_epoch_s=100.01,
    accepted_epoch_s=100.2,
    work=[(100.4, 100.7), (101.1, 101.5)],
    stored_epoch_s=101.4,
    query_s=0.1,
)


def utc(after_s: float) -> str:
    """The moment so long after the beginning, as Airflow writes it."""
    return datetime.fromtimestamp(BEGAN_EPOCH_S + after_s, UTC).isoformat().replace("+00:00", "Z")


def keep_log(folder: Path, began_s: float, called_s: float, returned_s: float, name: str = "attempt=1.log") -> None:
    """The log of one try of a task."""
    folder.mkdir(parents=True, exist_ok=True)
    said = [
        (began_s, "::group::Pre Execute"),
        (began_s + 0.01, "DAG bundles loaded: dags-folder"),
        (called_s, "::endgroup::"),
        (called_s + 0.01, "Activity 7 is synced"),
        (returned_s, "::group::Post Execute"),
        (returned_s + 0.05, "::endgroup::"),
    ]
    lines = [json.dumps({"timestamp": utc(at_s), "level": "info", "event": event}) for at_s, event in said]
    (folder / name).write_text("\n".join(lines) + "\n")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Airflow's folder with the logs of one run."""
    of_run = tmp_path / "dag_id=strava_ingest" / "run_id=7.create.1"
    keep_log(of_run / "task_id=plan_events", 0.4, 0.5, 0.8)
    keep_log(of_run / "task_id=sync_activities" / "map_index=0", 1.0, 1.2, 1.7)
    return tmp_path


def journey_in(
    logs: Path, events: Sequence[dict[str, Any]] = ({"received_at_epoch_s": BEGAN_EPOCH_S + 0.02},)
) -> Journey:
    """The journey of an event whose request began 10 ms after the beginning."""
    run = {"dag_id": "strava_ingest", "dag_run_id": "7.create.1", "conf": {"events": events}, "queued_at": utc(0.25)}
    delivery = {"delivered_at": BEGAN_EPOCH_S + 0.05, "latency_ms": 40.0}
    return Journey.of(delivery=delivery, run=run, logs=logs, stored_epoch_s=BEGAN_EPOCH_S + 1.6, query_s=0.1)


def test_journey_is_read_from_what_every_station_writes(logs: Path) -> None:
    journey = journey_in(logs)

    assert journey.webhook_s == pytest.approx(0.01, abs=1e-5)
    assert journey.queue_s == pytest.approx(0.23, abs=1e-5)
    assert journey.own_work_s == pytest.approx(0.3 + 0.4, abs=1e-5)
    assert journey.airflow_s == pytest.approx(1.35 - 0.7, abs=1e-5)
    assert journey.to_lake_s == pytest.approx(1.59, abs=1e-5)
    assert journey.to_sql_s == pytest.approx(1.69, abs=1e-5)


def test_parts_add_up_to_the_whole() -> None:
    parts = JOURNEY.webhook_s, JOURNEY.queue_s, JOURNEY.airflow_s, JOURNEY.own_work_s

    assert sum(parts) == pytest.approx(JOURNEY.to_lake_s)
    assert min(parts) > 0


def test_work_after_the_lake_has_the_rows_is_not_counted() -> None:
    assert JOURNEY.own_work_s == pytest.approx(0.3 + 0.3)


def test_journey_is_refused_when_its_run_had_another_event(logs: Path) -> None:
    with pytest.raises(ValueError, match="too many values"):
        journey_in(logs, [{"received_at_epoch_s": BEGAN_EPOCH_S}] * 2)


def test_journey_is_refused_when_a_task_was_tried_again(logs: Path) -> None:
    tasks = logs / "dag_id=strava_ingest" / "run_id=7.create.1"
    keep_log(tasks / "task_id=plan_events", 5.0, 5.1, 5.2, name="attempt=2.log")

    with pytest.raises(ValueError, match="plan_events has 2 tries"):
        journey_in(logs)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"received_epoch_s": 99.9}, id="queued-before-it-was-sent"),
        pytest.param({"accepted_epoch_s": 100.0}, id="started-before-it-was-queued"),
        pytest.param({"stored_epoch_s": 101.0}, id="stored-before-the-task-that-stores"),
        pytest.param({"stored_epoch_s": 101.6}, id="stored-after-the-task-that-stores"),
        pytest.param({"work": [(100.1, 100.7), (101.1, 101.5)]}, id="worked-before-the-run"),
    ],
)
def test_journey_is_refused_when_its_times_are_out_of_order(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of order"):
        replace(JOURNEY, **change)
