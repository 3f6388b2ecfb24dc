"""The order of tasks, the forms, and who wakes whom."""

from __future__ import annotations

import copy

import pytest

EVENT = {
    "object_type": "activity",
    "object_id": 1,
    "aspect_type": "create",
    "owner_id": 2,
    "subscription_id": 3,
    "event_time": 1_700_000_000,
}


def refusal(dag, conf):
    """What the DAG's form says to this run configuration; None when it is accepted."""
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.deepcopy(dag.params)
    try:
        params.update(conf)
        params.validate()
    except ParamValidationError as error:
        return str(error)
    return None


def test_ingest_copies_each_chunk_after_its_own_sync(dag_bag):
    dag = dag_bag.dags["strava_ingest"]
    assert dag.get_task("sync_activities").upstream_task_ids == {"plan_events"}
    assert dag.get_task("copy_to_children").upstream_task_ids >= {"sync_activities"}
    assert dag.get_task("publish_lake").trigger_rule == "all_done"


@pytest.mark.parametrize("dag_id", ["strava_ingest", "strava_backfill"])
def test_catalogue_wakes_up_when_the_lake_is_published(dag_bag, dag_id):
    outlets = [asset.name for asset in dag_bag.dags[dag_id].get_task("publish_lake").outlets]
    assert outlets == ["strava_lake"]
    assert "strava_lake" in str(dag_bag.dags["strava_catalog"].timetable.asset_condition)


def test_catalogue_runs_one_at_a_time(dag_bag):
    assert dag_bag.dags["strava_catalog"].max_active_runs == 1


def test_backfill_is_a_dry_run_unless_the_operator_says_otherwise(dag_bag):
    assert dag_bag.dags["strava_backfill"].params["dry_run"] is True


@pytest.mark.parametrize(
    "conf",
    [
        pytest.param({"athlete": "Ann", "from": "2026-01-01", "to": "2026-02-01"}, id="athlete is no id"),
        pytest.param({"athlete": 0, "from": "2026-01-01", "to": "2026-02-01"}, id="athlete below one"),
        pytest.param({"athlete": 1, "from": "yesterday", "to": "2026-02-01"}, id="from is no date"),
        pytest.param(
            {"athlete": 1, "from": "2026-01-01", "to": "2026-02-01", "dry_run": "no"}, id="dry_run is no bool"
        ),
        pytest.param({"athlete": 1, "to": "2026-02-01"}, id="no first day"),
        pytest.param({"athlete": 1, "from": "2026-01-01", "to": None}, id="no last day"),
        pytest.param({"from": "2026-01-01", "to": "2026-02-01"}, id="no athlete"),
    ],
)
def test_backfill_form_refuses_wrong_parameters(dag_bag, conf):
    assert refusal(dag_bag.dags["strava_backfill"], conf) is not None


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="no event"),
        pytest.param([{"object_type": "activity"}], id="no ids"),
        pytest.param("activity", id="no list"),
        pytest.param([{name: value for name, value in EVENT.items() if name != "event_time"}], id="no time"),
        pytest.param([EVENT | {"object_id": "1"}], id="id is text"),
        pytest.param([EVENT | {"aspect_type": "rename"}], id="unknown aspect"),
    ],
)
def test_ingest_form_refuses_wrong_events(dag_bag, events):
    assert refusal(dag_bag.dags["strava_ingest"], {"events": events}) is not None


def test_forms_accept_right_parameters(dag_bag):
    backfill = {"athlete": 1, "from": "2026-01-01", "to": "2026-02-01", "dry_run": False}
    assert refusal(dag_bag.dags["strava_ingest"], {"events": [EVENT]}) is None
    assert refusal(dag_bag.dags["strava_backfill"], backfill) is None
