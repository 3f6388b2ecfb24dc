"""Rules that hold for every DAG and every task."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

EXPECTED = sorted(path.stem for path in (Path(__file__).parents[2] / "dags").glob("*.py"))

HEADINGS = ("**Starts**", "**Reads**", "**Writes**", "**Kind**", "**Limits**", "**If it fails**", "**Owner**")


@pytest.fixture(params=EXPECTED)
def dag(request, dag_bag):
    return dag_bag.dags[request.param]


def test_dag_id_leaves_room_for_the_run_id_in_mwaa_paths(dag):
    assert len(dag.dag_id) <= 20


def test_docs_answer_what_an_operator_asks(dag):
    assert [heading for heading in HEADINGS if heading not in (dag.doc_md or "")] == []


def test_tags_name_one_tier_and_one_kind(dag):
    assert sorted(re.sub(r"/.*", "", tag) for tag in dag.tags) == ["kind", "tier"]


def test_runs_are_limited_and_start_unpaused(dag):
    assert dag.max_active_runs <= 16
    assert dag.is_paused_upon_creation is False
    assert dag.catchup is False
    assert dag.dagrun_timeout <= timedelta(days=1)


def test_schedule_is_one_that_the_alarm_about_silence_reads(dag):
    """A bare cron string makes runs of intervals, and the alarm looks for DAGs with a cron trigger."""
    known = {"NullTimetable", "AssetTriggeredTimetable", "CronTriggerTimetable"}
    assert type(dag.timetable).__name__ in known, f"{dag.dag_id}: schedule it with CronTriggerTimetable, or set None"


def test_tasks_have_an_owner_retries_a_policy_and_a_time_limit(dag):
    for task in dag.tasks:
        assert task.owner == "data-engineering", task.task_id
        assert task.retries >= 3, task.task_id
        assert task.execution_timeout <= timedelta(hours=1), task.task_id
        assert type(task.retry_policy).__name__ == "StravaRetryPolicy", task.task_id


def test_task_ids_are_a_verb_and_an_object(dag):
    for task in dag.tasks:
        assert re.fullmatch(r"(\w+\.)?[a-z]+_[a-z_]+", task.task_id), task.task_id


def test_run_fails_with_any_of_its_tasks(dag):
    """Airflow judges a run by its leaves: one that runs whatever happened must not be the only one."""
    leaves = [task for task in dag.tasks if not task.downstream_task_ids]
    telling = {leaf.task_id for leaf in leaves}
    for leaf in leaves:
        if leaf.trigger_rule != "all_done":
            telling |= leaf.get_flat_relative_ids(upstream=True)
    assert {task.task_id for task in dag.tasks} == telling
