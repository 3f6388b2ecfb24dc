"""What `strava_erase` is started with, and what its run says."""

from __future__ import annotations

import copy
from contextlib import contextmanager

import pytest

from include.pipeline.erase import Disconnection, EraseReason, Outcome
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
    assert validated(dag_bag.dags["strava_erase"], conf) == conf


def test_form_means_an_operator_unless_it_says_otherwise(dag_bag):
    assert validated(dag_bag.dags["strava_erase"], {"athlete": 7})["reason"] == "operator"


@pytest.mark.parametrize(
    "conf",
    [
        pytest.param({}, id="no athlete"),
        pytest.param({"athlete": "7"}, id="athlete is text"),
        pytest.param({"athlete": 0}, id="athlete below one"),
        pytest.param({"athlete": 7, "reason": "whim"}, id="other reason"),
    ],
)
def test_form_refuses_wrong_parameters(dag_bag, conf):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        validated(dag_bag.dags["strava_erase"], conf)


@pytest.mark.parametrize("outcome", [pytest.param(outcome, id=outcome) for outcome in Outcome])
def test_run_is_skipped_with_the_reason_exactly_when_the_athlete_is_still_connected(dag_bag, monkeypatch, outcome):
    from airflow.sdk.exceptions import AirflowSkipException

    from include.pipeline import erase
    from strava_airflow.hook import StravaHook

    @contextmanager
    def no_services(self, priority="LIVE"):
        yield None

    monkeypatch.setattr(StravaHook, "services", no_services)
    monkeypatch.setattr(erase, "disconnect", lambda services, request: Disconnection(request.athlete_id, outcome))
    destroy_tokens = dag_bag.dags["strava_erase"].get_task("destroy_tokens").python_callable
    params = {"athlete": 7, "reason": "deauthorisation"}

    if outcome is Outcome.STILL_CONNECTED:
        with pytest.raises(AirflowSkipException, match="nothing was destroyed"):
            destroy_tokens(params)
    else:
        assert destroy_tokens(params) == {"athlete_id": 7, "outcome": outcome.value}
