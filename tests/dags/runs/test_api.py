"""What Airflow itself answers to the calls of the edge: which refusals are a run's own fault, and what is deleted."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.errors import TriggerRefused, TriggerUnavailable
from include.trigger.api import ApiResponse
from include.trigger.finished_runs import Page, delete_finished_runs
from include.trigger.trigger import AirflowTrigger, Started

pytestmark = [pytest.mark.network, pytest.mark.timeout(400)]

EVENT = {
    "object_type": "activity",
    "object_id": 1360128428,
    "aspect_type": "create",
    "owner_id": 71,
    "subscription_id": 9,
    "event_time": 1_516_126_040,
}
CONF = {"events": [EVENT]}
INGEST = "strava_ingest"


class RealApi:
    """The API of an Airflow in another process."""

    def __init__(self, airflow) -> None:
        self._airflow = airflow

    def call(self, method: str, path: str, body: Any = None) -> ApiResponse:
        return ApiResponse(*self._airflow.ask(call=[method, path, body]))


@pytest.fixture
def api(airflow) -> RealApi:
    airflow.ask(sql="DELETE FROM dag_run")
    return RealApi(airflow)


@pytest.fixture
def trigger(api) -> AirflowTrigger:
    return AirflowTrigger(api)


def run_ids(airflow):
    return sorted(run_id for (run_id,) in airflow.ask(sql="SELECT run_id FROM dag_run"))


def test_run_is_started_once(trigger, airflow) -> None:
    assert trigger.start(INGEST, "7.create.1", CONF) is Started.NOW
    assert trigger.start(INGEST, "7.create.1", CONF) is Started.BEFORE
    assert run_ids(airflow) == ["7.create.1"]


@pytest.mark.parametrize(
    ("run_id", "conf"),
    [
        pytest.param("7.create.1", {}, id="nothing"),
        pytest.param("7.create.1", {"events": []}, id="empty"),
        pytest.param("7.create.1", {"events": [{"object_id": "seven"}]}, id="half"),
        pytest.param("a/b", CONF, id="slash"),
        pytest.param("a..b", CONF, id="dots"),
        pytest.param("scheduled__1", CONF, id="reserved"),
    ],
)
def test_run_is_refused_for_its_own_conf_or_id(trigger, airflow, run_id, conf) -> None:
    with pytest.raises(TriggerRefused):
        trigger.start(INGEST, run_id, conf)
    assert run_ids(airflow) == []


def test_events_wait_while_the_dag_has_import_errors(api, trigger, airflow) -> None:
    trigger.start(INGEST, "7.create.1", CONF)
    airflow.ask(sql="UPDATE dag SET has_import_errors = true")

    with pytest.raises(TriggerUnavailable, match="has import errors"):
        trigger.start(INGEST, "8.create.1", CONF)

    airflow.ask(sql="UPDATE dag SET has_import_errors = false")
    assert trigger.start(INGEST, "8.create.1", CONF) is Started.NOW


def test_events_wait_while_the_dag_is_paused(api, trigger, airflow) -> None:
    api.call("PATCH", f"/dags/{INGEST}", {"is_paused": True})

    with pytest.raises(TriggerUnavailable, match="is paused"):
        trigger.start(INGEST, "7.create.1", CONF)

    api.call("PATCH", f"/dags/{INGEST}", {"is_paused": False})
    assert trigger.start(INGEST, "7.create.1", CONF) is Started.NOW


def test_events_wait_for_a_dag_that_airflow_does_not_know(trigger) -> None:
    with pytest.raises(TriggerUnavailable, match="not found"):
        trigger.start("strava_unheard_of", "7.create.1", CONF)


def test_runs_that_ended_long_ago_are_deleted_with_everything_of_theirs(api, trigger, airflow) -> None:
    def end(run_id, state, days_ago):
        trigger.start(INGEST, run_id, CONF)
        ended_at = str(datetime.now(UTC) - timedelta(days=days_ago))
        airflow.ask(
            sql="UPDATE dag_run SET state = :state, end_date = :ended_at WHERE run_id = :run_id",
            values={"state": state, "ended_at": ended_at, "run_id": run_id},
        )

    end("old.success", "success", 31)
    end("old.failed", "failed", 430)
    end("old.running", "running", 31)
    end("young", "success", 29)
    trigger.start(INGEST, "waiting", CONF)

    assert delete_finished_runs(api, time.time(), keep_days=30) == Page(2, 0)

    assert run_ids(airflow) == ["old.running", "waiting", "young"]
    tasks = airflow.ask(sql="SELECT DISTINCT run_id FROM task_instance ORDER BY 1")
    assert tasks == [["old.running"], ["waiting"], ["young"]]
    assert delete_finished_runs(api, time.time(), keep_days=30) == Page(0, 0)


def test_deletion_does_what_is_left_when_another_was_quicker(api, trigger, airflow) -> None:
    for run_id in ("1", "2"):
        trigger.start(INGEST, run_id, CONF)
    airflow.ask(sql="UPDATE dag_run SET state = 'success', end_date = '2026-01-01 00:00:00'")

    class Beaten(RealApi):
        def call(self, method: str, path: str, body: Any = None) -> ApiResponse:
            if method == "PATCH":
                airflow.ask(sql="DELETE FROM dag_run WHERE run_id = '1'")
            return super().call(method, path, body)

    delete_finished_runs(Beaten(airflow), time.time(), keep_days=30)

    assert run_ids(airflow) == []
