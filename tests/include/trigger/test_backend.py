"""Which Airflow the settings choose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import SettingsError
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.trigger.backend import open_airflow
from include.trigger.mwaa import MwaaApi
from include.trigger.rest import RestApi

SETTINGS = Settings.from_environ(EXAMPLES)


@pytest.mark.parametrize(
    "url", [pytest.param("http://127.0.0.1:8080", id="http"), pytest.param("https://a.b", id="https")]
)
def test_airflow_is_the_rest_api_when_the_url_is_http(url: str) -> None:
    assert isinstance(open_airflow(replace(SETTINGS, airflow_url=url)), RestApi)


@pytest.mark.parametrize("url", [pytest.param("ftp://a", id="ftp"), pytest.param("a.b:8080", id="none")])
def test_airflow_is_an_error_naming_the_variable_when_the_scheme_is_unknown(url: str) -> None:
    with pytest.raises(SettingsError, match="AIRFLOW_URL"):
        open_airflow(replace(SETTINGS, airflow_url=url))


@pytest.mark.parametrize(
    "name", [pytest.param("airflow_username", id="user"), pytest.param("airflow_password", id="password")]
)
def test_airflow_is_an_error_naming_the_variable_when_the_user_is_missing(name: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        open_airflow(replace(SETTINGS, **{name: ""}))


def test_airflow_is_mwaa_when_the_url_names_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "eu-central-1")
    opened = open_airflow(replace(SETTINGS, airflow_url="mwaa://ingest-dev", airflow_username="", airflow_password=""))

    assert isinstance(opened, MwaaApi)


@pytest.mark.parametrize("url", [pytest.param("mwaa://", id="empty"), pytest.param("mwaa://a/b", id="path")])
def test_airflow_is_an_error_naming_the_variable_when_the_environment_is_no_name(url: str) -> None:
    with pytest.raises(SettingsError, match="AIRFLOW_URL"):
        open_airflow(replace(SETTINGS, airflow_url=url))
