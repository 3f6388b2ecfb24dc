"""Each process finds the leaves on AWS and exactly the secrets that it would have there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from include.crypto.backend import open_cipher
from include.crypto.kms import KmsCipher
from include.lake.backend import open_catalog, open_objects
from include.lake.catalog.glue import GlueCatalog
from include.lake.objects.s3 import S3Objects
from include.queue.backend import open_queue
from include.queue.sqs import SqsQueue
from include.settings import Settings
from include.store.backend import open_store
from include.store.dynamodb import DynamoStore
from include.trigger.backend import open_airflow
from include.trigger.mwaa import MwaaApi
from local.aws.airflow_config import airflow_local_settings
from local.aws.backend import Aws
from local.aws.resources import Resources
from local.stack.airflow.home import IN_CONNECTION, airflow_environment
from ops.machine.environment import process_environment, settings_environment
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import Ports
from ops.machine.state_dir import StateDir

AWS = Aws(Resources("strava-demo"))
INHERITED = {"PATH": "/usr/bin", "AWS_PROFILE": "real", "AWS_ENDPOINT_URL_S3": "https://elsewhere"}


@pytest.fixture
def place(tmp_path: Path) -> StateDir:
    """A state directory that is in use."""
    place = StateDir(tmp_path / "state")
    with place.hold():
        pass
    return place


@pytest.fixture
def generated(place: StateDir) -> GeneratedSecrets:
    return GeneratedSecrets.of(place)


@pytest.fixture
def environment(place: StateDir, generated: GeneratedSecrets) -> dict[str, str]:
    """That of the operator's commands, which know everything."""
    settings = settings_environment(place, Ports(), generated, AWS.settings())
    return process_environment(AWS.shell(INHERITED, Ports()), settings)


def test_addresses_lead_to_the_leaves_on_aws(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environ(environment)

    assert isinstance(open_store(settings.state_url, lambda: 0.0), DynamoStore)
    assert isinstance(open_objects(settings.lake_url), S3Objects)
    assert isinstance(open_queue(settings.queue_url, lambda: 0.0, keep_days=28), SqsQueue)
    assert isinstance(open_cipher(settings.key_url), KmsCipher)
    assert isinstance(open_catalog(settings.catalog_url, settings.lake_url), GlueCatalog)
    assert isinstance(open_airflow(settings), MwaaApi)


def test_no_client_can_reach_a_real_account(environment: dict[str, str]) -> None:
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8440"
    assert environment["AWS_ENDPOINT_URL_MWAA"] == "http://127.0.0.1:8450"
    assert environment["AWS_ACCESS_KEY_ID"] == "simulated"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == environment["AWS_CONFIG_FILE"] == os.devnull
    assert environment["PATH"] == "/usr/bin"
    assert not environment.keys() & {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"}


def test_lambdas_find_no_secret_in_their_environment_and_only_the_edge_is_told_where_it_is(
    environment: dict[str, str],
) -> None:
    stub, source, edge = AWS.commands(environment, Ports())

    assert [command.name for command in (stub, source, edge)] == ["mwaa", "event_source", AWS.web]
    secrets = {environment[name] for name in (*IN_CONNECTION, "AIRFLOW_PASSWORD") if name in environment}
    for command in (source, edge):
        assert not secrets & set(command.environment.values())
        assert command.environment["STATE_URL"] == "dynamodb://strava-demo-"
    assert edge.environment["SECRET_ID"] == "airflow/connections/strava_api"
    assert "SECRET_ID" not in source.environment
    assert stub.environment["MWAA_AIRFLOW"] == "http://127.0.0.1:8430"


def test_airflow_reads_its_connection_from_secrets_manager(
    place: StateDir, generated: GeneratedSecrets, environment: dict[str, str]
) -> None:
    airflow = AWS.airflow(airflow_environment(place, Ports(), generated, environment, {}))

    assert "AIRFLOW_CONN_STRAVA_API" not in airflow
    assert airflow["AIRFLOW__SECRETS__BACKEND"].endswith(".SecretsManagerBackend")
    assert json.loads(airflow["AIRFLOW__SECRETS__BACKEND_KWARGS"])["connections_prefix"] == "airflow/connections"
    assert not {environment[name] for name in IN_CONNECTION if name in environment} & set(airflow.values())
    policy = [Path(folder) for folder in airflow["PYTHONPATH"].split(os.pathsep)]
    assert (policy[-1] / "airflow_local_settings.py").is_file()


class Crawl:
    """An operator that can be deferred."""

    deferrable = True
    poll_interval = 30


def test_operator_that_could_be_deferred_waits_for_itself_where_no_triggerer_runs() -> None:
    crawl, other = Crawl(), object()

    airflow_local_settings.task_policy(crawl)
    airflow_local_settings.task_policy(other)

    assert (crawl.deferrable, crawl.poll_interval) == (False, 1)
