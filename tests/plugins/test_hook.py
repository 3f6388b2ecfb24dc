"""Settings and services from Airflow's Connection and the environment."""

from __future__ import annotations

import json

import pytest

from include.errors import SettingsError
from include.setting_values import EXAMPLES
from include.strava.client import Priority

SECRETS = ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "WEBHOOK_VERIFY_TOKEN", "COOKIE_KEY")


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Everything but the secrets, as a task finds it."""
    for name, value in EXAMPLES.items():
        monkeypatch.delenv(name, raising=False)
        if name not in SECRETS:
            monkeypatch.setenv(name, value)
    for name in ("STATE_URL", "QUEUE_URL"):
        monkeypatch.setenv(name, f"sqlite://{tmp_path}/state.sqlite")
    monkeypatch.setenv("LAKE_URL", f"file://{tmp_path}/lake")
    monkeypatch.setenv("KEY_URL", f"file://{tmp_path}/token.key")
    monkeypatch.setenv("CATALOG_URL", f"duckdb://{tmp_path}/catalog.duckdb")
    return monkeypatch


@pytest.fixture
def connect(environment):
    """Sets Airflow's Connection."""

    def connect(conn_id="strava_api", **extra):
        connection = {"conn_type": "generic", "extra": extra}
        environment.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    return connect


def hook(*arguments):
    from strava_airflow.hook import StravaHook

    return StravaHook(*arguments)


def secrets(**changes):
    return {name: f"{name} of the connection" for name in SECRETS} | changes


def test_settings_take_secrets_from_the_connection_and_the_rest_from_the_environment(connect):
    connect(**secrets())

    settings = hook().settings()

    assert settings.strava_client_secret == "STRAVA_CLIENT_SECRET of the connection"
    assert settings.cookie_key == "COOKIE_KEY of the connection"
    assert settings.public_url == EXAMPLES["PUBLIC_URL"]


def test_connection_wins_over_the_environment(connect, environment):
    environment.setenv("STRAVA_CLIENT_SECRET", "of the environment")
    connect(**secrets())

    assert hook().settings().strava_client_secret == "STRAVA_CLIENT_SECRET of the connection"


def test_client_id_may_be_a_number_in_the_connection(connect):
    connect(**secrets(STRAVA_CLIENT_ID=12345))

    assert hook().settings().strava_client_id == "12345"


def test_settings_name_what_the_connection_lacks_and_no_secret(connect):
    connect(**{name: value for name, value in secrets().items() if name != "COOKIE_KEY"})

    with pytest.raises(SettingsError, match="COOKIE_KEY") as caught:
        hook().settings()
    assert "of the connection" not in str(caught.value)


def test_connection_may_have_another_name(connect):
    connect(conn_id="strava_second", **secrets(STRAVA_CLIENT_ID="2"))

    assert hook("strava_second").settings().strava_client_id == "2"


@pytest.mark.parametrize("priority", [pytest.param(priority.name, id=priority.name) for priority in Priority])
def test_services_call_with_the_priority_of_the_task(connect, priority):
    connect(**secrets())

    with hook().services(priority=priority) as services:
        assert services.strava.client._priority is Priority[priority]
        assert services.state.athletes.get(7) is None
