"""What Airflow does about each error; a new class of `include.errors` has to be placed here."""

from __future__ import annotations

import pytest

from include import errors
from include.errors import IngestError
from include.pipeline.ingest.sync import NotThereYet

RETRY = (
    *(
        "RetryLater",
        "StravaUnavailable",
        "NotTheApi",
        "TokenEndpointFault",
        "OutcomeUnknown",
        "MailPostponed",
        "TriggerUnavailable",
        "NotProved",
        "NewerVersion",
        "AskedTooSoon",
    ),
)
FAIL = (
    *("SettingsError", "Refused", "TokenRefused", "NotConnected", "BeingErased", "ScopeMissing", "ApplicationInactive"),
    *("CapacityReached", "Gone", "BadRequest", "UnexpectedShape", "BadEvent", "BadSignature", "BadKey", "BadQuery"),
    "TriggerRefused",
    "NotSubscribed",
    "WorkBroken",
    "WrongInstallation",
    "RemovalsStopped",
    "MailRefused",
)
AS_USUAL = (
    *("IngestError", "VersionConflict", "CeilingReached", "LeaseLost", "ObjectConflict", "CipherError"),
    "QuotaSpent",  # live work steps aside before, backfill is rescheduled
)
ACTIONS = {**dict.fromkeys(RETRY, "retry"), **dict.fromkeys(FAIL, "fail"), **dict.fromkeys(AS_USUAL, "default")}
VALUES = {
    "CeilingReached": {"field": "read_day"},
    "QuotaSpent": {"until_epoch_s": 0.0},
    "ScopeMissing": {"scope": "activity:read"},
}


def classes():
    return {name: cls for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, IngestError)}


def decision(error):
    from strava_airflow.retry_policy import StravaRetryPolicy

    return StravaRetryPolicy().evaluate(error, 1, 6)


def test_every_error_has_its_place():
    assert set(ACTIONS) == set(classes())


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in classes()])
def test_error_is_retried_or_failed_as_placed(name):
    decided = decision(classes()[name]("what happened", **VALUES.get(name, {})))

    assert decided.action.value == ACTIONS[name]
    assert decided.retry_delay is None  # the task's own backoff
    assert (name in (decided.reason or "")) is (ACTIONS[name] != "default")


def test_error_of_a_use_case_is_placed_with_its_parent():
    assert decision(NotThereYet("not there yet")).action.value == "retry"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("a defect"), id="defect"),
        pytest.param(KeyboardInterrupt(), id="killed"),
        pytest.param(OSError("disk full"), id="machine"),
    ],
)
def test_error_of_nobodys_making_keeps_the_ordinary_retries(error):
    assert decision(error).action.value == "default"


def test_tasks_get_the_policy_and_enough_tries_to_outlast_a_window():
    from strava_airflow.defaults import DEFAULT_ARGS
    from strava_airflow.retry_policy import StravaRetryPolicy

    assert isinstance(DEFAULT_ARGS["retry_policy"], StravaRetryPolicy)
    assert DEFAULT_ARGS["retries"] >= 3


@pytest.mark.parametrize(("asked_s", "delay_s"), [(0.0, None), (30.0, 30.0), (86_400.0, 900.0)])
def test_try_is_put_off_when_strava_asks_to_within_bounds(asked_s, delay_s):
    decided = decision(errors.StravaUnavailable("what happened", retry_after_s=asked_s))

    assert decided.action.value == "retry"
    assert (decided.retry_delay and decided.retry_delay.total_seconds()) == delay_s
