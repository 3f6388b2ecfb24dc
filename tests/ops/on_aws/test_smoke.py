"""The smoke check against AWS's leaves, with a small Airflow behind MWAA's one call."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing

import boto3
import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from include.errors import RetryLater, SettingsError
from include.pipeline.services import open_services
from include.trigger.backend import open_airflow
from include.trigger.trigger import AirflowTrigger
from local.aws.mwaa_stub import serving
from local.aws.resources import REGION
from local.aws.small_airflow import SmallAirflow
from ops import smoke
from webhook_api.dispatcher import dispatch

pytestmark = pytest.mark.network

TRIES = 5


@pytest.fixture
def airflow(dev, monkeypatch):
    airflow = SmallAirflow(dev.settings)
    with serving(airflow.answer) as url, dev.serving_pages():
        monkeypatch.setenv("AWS_ENDPOINT_URL_MWAA", url)
        monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        yield airflow


def checked(dev, *passing):
    """What the check says, when these happen, one in each pause."""
    happening = list(passing)

    def pause(_seconds):
        if happening:
            happening.pop(0)()

    patience = Retrying(
        retry=retry_if_exception_type(RetryLater), stop=stop_after_attempt(TRIES), sleep=pause, reraise=True
    )
    return smoke.check(dev.outputs(), patience)


def dispatching(dev):
    """What the dispatcher's function does with what is in the queue."""

    def hand_over():
        with ExitStack() as stack:
            services = stack.enter_context(open_services(dev.settings))
            store = stack.enter_context(closing(smoke.open_store(dev.settings.state_url, time.time)))
            dispatch(services.queue, AirflowTrigger(open_airflow(dev.settings)), store, time.time)

    return hand_over


def test_event_goes_by_queue_and_dispatcher_into_a_run(dev, airflow):
    said = checked(dev, dispatching(dev))

    assert said.startswith(f"{dev.settings.public_url} answers ok, Airflow knows {len(airflow.dags)} DAGs and handled")
    assert len(airflow.runs) == 1
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=dev.settings.queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    assert set(attributes.values()) == {"0"}


def test_dags_that_come_late_are_waited_for(dev, airflow):
    late = airflow.dags.pop("strava_ingest")
    airflow.broken = ["strava_catalog.py"]

    def mended():
        airflow.broken = []

    said = checked(dev, mended, lambda: airflow.dags.update(strava_ingest=late), dispatching(dev))

    assert "handled a test event" in said


def test_dag_that_never_comes_ends_the_check_by_its_name(dev, airflow):
    del airflow.dags["strava_ingest"]

    with pytest.raises(RetryLater, match="Airflow does not know strava_ingest yet; new files take up to five minutes"):
        checked(dev)


def test_paused_dag_ends_the_check_at_once(dev, airflow):
    airflow.dags["strava_ingest"] = True

    with pytest.raises(SettingsError, match="strava_ingest is paused"):
        checked(dev)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        pytest.param(
            (403, {"message": "not authorized to perform: airflow:InvokeRestApi"}, "AccessDeniedException"),
            "AWS refuses InvokeRestApi .*not authorized to perform",
            id="no right",
        ),
        pytest.param(
            (404, {"message": "Environment strava-dev was not found"}, "ResourceNotFoundException"),
            "AWS refuses InvokeRestApi .*strava-dev was not found",
            id="no environment",
        ),
        pytest.param(
            (400, {"message": "Environment is UPDATING"}, "ValidationException"),
            r"MWAA did not pass the call on \(ValidationException: Environment is UPDATING\): try again later",
            id="being updated",
        ),
        pytest.param(
            (
                400,
                {"RestApiStatusCode": 503, "RestApiResponse": {"detail": "no database"}},
                "RestApiServerException",
            ),
            "Airflow answers 503 to GET /importErrors: no database",
            id="failing Airflow",
        ),
        pytest.param((500, {"message": "oops"}, "InternalServerException"), "AWS is failing", id="5xx"),
    ],
)
def test_errors_of_mwaa_are_told_in_its_words(refusal, words, dev, airflow):
    airflow.refusal = refusal

    with pytest.raises(RetryLater, match=words):
        checked(dev)


def test_mwaa_that_answers_again_is_waited_for(dev, airflow):
    airflow.refusal = (400, {"message": "Environment is UPDATING"}, "ValidationException")

    def updated():
        airflow.refusal = None

    assert "handled a test event" in checked(dev, updated, dispatching(dev))


def test_event_that_no_run_sees_ends_the_check_with_where_to_look(dev, airflow):
    with pytest.raises(RetryLater, match=r"no run has handled it yet: check the dispatcher's log.*make dead-letters"):
        checked(dev)


def test_webhook_with_an_older_secret_is_told_without_it(dev, airflow):
    older = dev.settings.webhook_path_secret
    boto3.client("secretsmanager").put_secret_value(
        SecretId=dev.outputs()["secret_name"],
        SecretString='{"extra": {"STRAVA_CLIENT_ID": "1", "STRAVA_CLIENT_SECRET": "x", "WEBHOOK_PATH_SECRET": "newer", '
        '"WEBHOOK_VERIFY_TOKEN": "y", "COOKIE_KEY": "z"}}',
    )

    with pytest.raises(RetryLater, match="keeps an older secret") as caught:
        checked(dev)

    assert older not in str(caught.value)
    assert "newer" not in str(caught.value)
