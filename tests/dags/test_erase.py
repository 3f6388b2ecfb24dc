"""What `strava_erase` is started with, and what its run says."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from include.pipeline.erasure.certificate import Certificate
from include.pipeline.erasure.erase import Erased, Outcome
from include.state.erasures.ledger import EraseReason
from webhook_api.dispatcher import ERASE_DAG


def validated(dag, conf):
    params = copy.deepcopy(dag.params)
    params.update(conf)
    return params.validate()


def test_dispatcher_names_the_dag(dag_bag):
    assert ERASE_DAG in dag_bag.dags


@pytest.mark.parametrize("reason", [pytest.param(reason.value, id=reason) for reason in EraseReason])
def test_form_accepts_every_reason_that_the_use_case_knows(dag_bag, reason):
    conf = {"athlete": 7, "reason": reason}
    assert validated(dag_bag.dags["strava_erase"], conf) == {**conf, "dry_run": False, "asked_at_epoch_s": None}


def test_form_means_an_operator_unless_it_says_otherwise(dag_bag):
    assert validated(dag_bag.dags["strava_erase"], {"athlete": 7})["reason"] == "operator"


@pytest.mark.parametrize(
    "conf",
    [
        pytest.param({}, id="no athlete"),
        pytest.param({"athlete": "7"}, id="athlete is text"),
        pytest.param({"athlete": 0}, id="athlete below one"),
        pytest.param({"athlete": 7, "reason": "whim"}, id="other reason"),
        pytest.param({"athlete": 7, "asked_at_epoch_s": "now"}, id="time is text"),
        pytest.param({"athlete": 7, "dry_run": "yes"}, id="dry run is no bool"),
    ],
)
def test_form_refuses_wrong_parameters(dag_bag, conf):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        validated(dag_bag.dags["strava_erase"], conf)


@pytest.fixture
def run(dag_bag, monkeypatch):
    """Runs the task with an erasure that ends in a given way; gives what it returned and logged."""

    def run(erased, caplog):
        from include.pipeline.erasure import erase
        from strava_airflow.hook import StravaHook

        @contextmanager
        def no_services(self, priority="LIVE"):
            yield None

        settings = SimpleNamespace(lake_url="file:///lake", state_url="sqlite:///state.sqlite")
        monkeypatch.setattr(StravaHook, "settings", lambda self: settings)
        monkeypatch.setattr(StravaHook, "services", no_services)
        monkeypatch.setattr(erase, "erase", lambda services, request, leaves: erased)
        task = dag_bag.dags["strava_erase"].get_task("erase_athlete").python_callable
        with caplog.at_level("INFO"):
            run = SimpleNamespace(run_after=datetime(2026, 6, 17, tzinfo=UTC))
            return task({"athlete": 7, "reason": "deauthorisation", "dry_run": False}, dag_run=run)

    return run


@pytest.mark.parametrize("outcome", [pytest.param(outcome, id=outcome) for outcome in Outcome])
def test_run_is_skipped_with_the_reason_exactly_when_it_did_nothing(run, caplog, outcome):
    from airflow.sdk.exceptions import AirflowSkipException

    if outcome in (Outcome.STILL_CONNECTED, Outcome.CONNECTED_AGAIN, Outcome.DISCONNECTED, Outcome.IN_HAND):
        with pytest.raises(AirflowSkipException, match=r"nothing was erased|the stored data stays|another run"):
            run(Erased(7, outcome), caplog)
    else:
        assert run(Erased(7, outcome), caplog)["outcome"] == outcome.value


def test_run_shows_the_certificate_in_its_log_and_its_summary(run, caplog):
    certificate = Certificate(7, "operator", 1_750_000_000, {"raw_objects": 12}, 1_750_000_060)

    summary = run(Erased(7, Outcome.ERASED, certificate.removed, certificate), caplog)

    assert summary == {
        "athlete_id": 7,
        "outcome": "erased",
        "counts": {"raw_objects": 12},
        "certificate": "certificates/7-20250615T150640Z.json",
    }
    assert '"finished_at": "2025-06-15T15:07:40+00:00"' in caplog.text


def test_catalogue_hears_of_the_rows_that_went_and_of_nothing_else(dag_bag):
    from airflow.sdk.exceptions import AirflowSkipException

    publish_lake = dag_bag.dags["strava_erase"].get_task("publish_lake")

    assert publish_lake.upstream_task_ids == {"erase_athlete"}
    publish_lake.python_callable({"certificate": "certificates/7-20250615T150640Z.json"})
    with pytest.raises(AirflowSkipException):
        publish_lake.python_callable({"certificate": None})
    assert [asset.name for asset in publish_lake.outlets] == ["strava_lake"]
