"""What `strava_retention` and `strava_reconcile` start, in which order, and what their runs say."""

from __future__ import annotations

import copy
import logging
from contextlib import contextmanager
from types import SimpleNamespace

import pendulum
import pytest
import time_machine

from include.errors import SettingsError
from include.pipeline.reconcile.due import Listed
from include.pipeline.retention.night import Checked


@pytest.fixture
def services(monkeypatch):
    """The services that every task of these tests gets."""
    from strava_airflow.hook import StravaHook

    stand_in = SimpleNamespace(priorities=[], state=SimpleNamespace(), lake=SimpleNamespace())

    @contextmanager
    def opened(self, priority="LIVE"):
        stand_in.priorities.append(priority)
        yield stand_in

    monkeypatch.setattr(StravaHook, "services", opened)
    monkeypatch.setattr(StravaHook, "settings", lambda self: SimpleNamespace(retention_days="7", state_url="sqlite:"))
    return stand_in


def function(dag_bag, dag_id, task_id):
    return dag_bag.dags[dag_id].get_task(task_id).python_callable


# --- strava_retention ----------------------------------------------------------------------------


def test_retention_runs_nightly_one_at_a_time_and_really_unless_the_form_says_otherwise(dag_bag):
    dag = dag_bag.dags["strava_retention"]
    assert dag.max_active_runs == 1
    assert dag.params["dry_run"] is False
    assert "20 2 * * *" in repr(dag.timetable)


@pytest.mark.parametrize("dry_run", ["yes", 1, None])
def test_retention_form_refuses_what_is_no_bool(dag_bag, dry_run):
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.deepcopy(dag_bag.dags["strava_retention"].params)
    with pytest.raises(ParamValidationError):
        params["dry_run"] = dry_run


def test_lake_is_published_after_athletes_and_copies_whatever_became_of_them(dag_bag):
    publish = dag_bag.dags["strava_retention"].get_task("publish_lake")
    assert publish.upstream_task_ids == {"check_athletes", "repair_copies"}
    assert publish.trigger_rule == "all_done"
    assert [asset.name for asset in publish.outlets] == ["strava_lake"]


def test_night_fails_where_nobody_decided_how_long_data_is_kept(dag_bag, services, monkeypatch):
    from strava_airflow.hook import StravaHook

    undecided = SimpleNamespace(retention_days="", state_url="dynamodb://strava-")
    monkeypatch.setattr(StravaHook, "settings", lambda self: undecided)
    with pytest.raises(SettingsError, match="RETENTION_DAYS"):
        function(dag_bag, "strava_retention", "find_athletes")()


@pytest.mark.parametrize("dry_run", [True, False])
def test_athletes_are_checked_together_and_shown_as_one_chunk(dag_bag, services, monkeypatch, dry_run):
    from include.pipeline.retention import night

    done, context = [], {}

    def checked(_, athletes, days, **named):
        done.append((athletes, days, named))
        return Checked({"athletes": 2, "expired": 2}, ("access",))

    monkeypatch.setattr(night, "check", checked)
    check = function(dag_bag, "strava_retention", "check_athletes")
    monkeypatch.setitem(check.__globals__, "get_current_context", lambda: context)
    result = check([7, 8, 9], {"dry_run": dry_run})
    assert done == [([7, 8, 9], 7, {"dry_run": dry_run})]
    assert context["chunk"] == "7 · 3 athletes · 1 waits: access"
    assert result == {"athletes": 2, "expired": 2, "left": 1}


def test_1500_athletes_are_30_chunks(dag_bag, services):
    services.clock = lambda: 1_750_000_000.0
    services.state.athletes = SimpleNamespace(all=lambda: (SimpleNamespace(athlete_id=n) for n in range(1, 1501)))
    services.lake.objects = SimpleNamespace(list=lambda prefix: iter(()))
    chunks = function(dag_bag, "strava_retention", "find_athletes")()
    assert [len(chunk) for chunk in chunks] == [50] * 30


def test_night_that_left_athletes_fails_at_its_end(dag_bag):
    from airflow.sdk.exceptions import AirflowFailException

    ti = SimpleNamespace(xcom_pull=lambda task_ids: [{"expired": 1, "left": 2}])
    with pytest.raises(AirflowFailException, match="2 athletes are left to the next night"):
        function(dag_bag, "strava_retention", "report_night")(ti=ti)


def test_night_is_red_where_a_chunk_or_its_report_fails(dag_bag):
    confirm = dag_bag.dags["strava_retention"].get_task("confirm_run")
    assert confirm.upstream_task_ids == {"check_athletes", "report_night", "repair_copies", "sweep_erased"}


def test_copies_are_repaired_for_every_athlete_and_not_in_a_dry_run(dag_bag, services):
    from airflow.sdk.exceptions import AirflowSkipException

    asked = []

    def repair(parent_ids):
        asked.append(parent_ids)
        return 3

    services.state.athletes = SimpleNamespace(all=lambda: iter([SimpleNamespace(athlete_id=7)]))
    services.lake.copy_rows = SimpleNamespace(repair=repair)
    task = function(dag_bag, "strava_retention", "repair_copies")
    assert task({"dry_run": False}) == 3
    with pytest.raises(AirflowSkipException):
        task({"dry_run": True})
    assert asked == [[7]]


@pytest.mark.parametrize(
    ("nights", "total"),
    [
        pytest.param([], {}, id="no athlete"),
        pytest.param(
            [{"expired": 1, "lost": 0}, None, {"expired": 2, "lost": 3}],
            {"expired": 3, "lost": 3},
            id="one failed",
        ),
        pytest.param([{"expired": 1}, {"lost": 3}], {"expired": 1, "lost": 3}, id="each says something else"),
    ],
)
def test_night_is_summed_up(dag_bag, nights, total):
    ti = SimpleNamespace(xcom_pull=lambda task_ids: nights)
    assert function(dag_bag, "strava_retention", "report_night")(ti=ti) == total


# --- strava_reconcile ----------------------------------------------------------------------------


def test_reconcile_has_three_tasks_that_do_not_wait_for_each_other(dag_bag):
    dag = dag_bag.dags["strava_reconcile"]
    assert set(dag.task_ids) >= {"queue_due", "list_athletes", "check_subscription"}
    for task_id in ("queue_due", "list_athletes", "check_subscription"):
        assert dag.get_task(task_id).upstream_task_ids == set()


def test_listing_takes_reconciles_place_in_the_quota_and_logs_refusals(dag_bag, services, monkeypatch, caplog):
    from include.pipeline.reconcile import due as reconcile

    listed = Listed(athletes=1, lacking=2, refusals=("athlete 70 has to connect again",))
    monkeypatch.setattr(reconcile, "list_athletes", lambda *_: listed)
    with caplog.at_level(logging.WARNING):
        result = function(dag_bag, "strava_reconcile", "list_athletes")()
    assert (result["athletes"], result["lacking"], result["refusals"]) == (1, 2, 1)
    assert services.priorities == ["RECONCILE"]
    assert "athlete 70 has to connect again" in caplog.text


@pytest.mark.parametrize(
    ("last_night", "next_night"),
    [
        pytest.param(None, "2026-06-18 02:20", id="a new Airflow waits for its first night"),
        pytest.param("2026-06-15 02:20", "2026-06-17 02:20", id="one that was off makes up for the last night"),
        pytest.param("2026-06-17 02:20", "2026-06-18 02:20", id="one that was on goes on"),
    ],
)
def test_night_is_due(dag_bag, last_night: str | None, next_night: str) -> None:
    from airflow.serialization.decoders import decode_timetable
    from airflow.serialization.encoders import encode_timetable
    from airflow.timetables.base import DataInterval, TimeRestriction

    dag = dag_bag.dags["strava_retention"]
    timetable = decode_timetable(encode_timetable(dag.timetable))  # as the scheduler has it
    last = DataInterval.exact(pendulum.parse(last_night)) if last_night else None
    with time_machine.travel("2026-06-17 12:00", tick=False):
        due = timetable.next_dagrun_info(
            last_automated_data_interval=last,
            restriction=TimeRestriction(dag.start_date, None, catchup=dag.catchup),
        )

    assert due.run_after == pendulum.parse(next_night)
