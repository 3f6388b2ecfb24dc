from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from include.errors import SettingsError
from include.setting_values import EXAMPLES
from include.settings import Settings
from local.stack.airflow.home import IN_CONNECTION, airflow_environment, prepare_home
from ops.machine.environment import (
    API_PATH_2027,
    process_environment,
    read_overrides,
    settings_environment,
    uses_simulator,
)
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import Ports
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY

INHERITED = {
    "PATH": "/usr/bin",
    "HOME": "/home/someone",
    "STRAVA_CLIENT_ID": "777",
    "STATE_URL": "dynamodb://elsewhere",
    "AIRFLOW_HOME": "/elsewhere",
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    "PYTHONPATH": "/elsewhere",
    "PGOPTIONS": "-c search_path=elsewhere",
}
DATABASE = {"DATABASE__SQL_ALCHEMY_CONN": "postgresql://here"}


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


def environment_of(
    place: StateDir, generated: GeneratedSecrets, overrides: dict[str, str] | None = None
) -> dict[str, str]:
    return process_environment(INHERITED, settings_environment(place, Ports(), generated, overrides or {}))


def test_environment_makes_complete_settings_for_the_simulated_strava(
    place: StateDir, generated: GeneratedSecrets
) -> None:
    settings = Settings.from_environ(environment_of(place, generated))
    assert settings.strava_api_url == "http://127.0.0.1:8410/api/v3"
    assert settings.strava_oauth_url == "http://127.0.0.1:8410/oauth"
    assert settings.public_url == "http://127.0.0.1:8420"
    assert settings.airflow_url == "http://127.0.0.1:8430"
    assert settings.strava_client_secret == generated.strava_client_secret
    assert settings.airflow_password == generated.airflow_password
    for address in (settings.state_url, settings.lake_url, settings.queue_url, settings.key_url, settings.catalog_url):
        scheme, _, path = address.partition("://")
        assert scheme in {"sqlite", "file", "duckdb"}
        assert Path(path).is_relative_to(place.root)
        assert not path.startswith("//")


def test_environment_holds_no_example_and_no_short_secret(place: StateDir, generated: GeneratedSecrets) -> None:
    environment = environment_of(place, generated)
    for name in ("STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "WEBHOOK_VERIFY_TOKEN", "COOKIE_KEY"):
        assert environment[name] != EXAMPLES[name]
        assert len(environment[name]) >= 32


def test_environment_passes_on_the_shell_but_no_foreign_setting(place: StateDir, generated: GeneratedSecrets) -> None:
    environment = environment_of(place, generated)
    assert environment["PATH"] == "/usr/bin"
    assert environment["STRAVA_CLIENT_ID"] == generated.strava_client_id
    assert environment["PYTHONPATH"] == str(REPOSITORY)
    assert "elsewhere" not in json.dumps(environment)
    assert "AIRFLOW__CORE__EXECUTOR" not in environment


def test_overrides_win_and_real_credentials_lead_to_the_real_strava(
    place: StateDir, generated: GeneratedSecrets
) -> None:
    told = {name: EXAMPLES[name] for name in ("OPERATOR_NAME", "CONTACT", "PRIVACY_URL")}
    credentials = {"STRAVA_CLIENT_ID": "42", "STRAVA_CLIENT_SECRET": "real"}
    overrides = {**credentials, "PUBLIC_URL": "https://me.example.org", **told}
    settings = Settings.from_environ(environment_of(place, generated, overrides))
    assert not uses_simulator(overrides)
    assert (settings.strava_client_id, settings.strava_client_secret) == ("42", "real")
    assert settings.public_url == "https://me.example.org"
    assert settings.strava_api_url == "https://www.strava.com/api/v3"
    assert settings.strava_oauth_url == "https://www.strava.com/oauth"


def test_airflow_gets_the_secrets_in_its_connection_alone(place: StateDir, generated: GeneratedSecrets) -> None:
    environment = environment_of(place, generated)
    airflow = airflow_environment(place, Ports(), generated, environment, DATABASE)
    connection = json.loads(airflow["AIRFLOW_CONN_STRAVA_API"])
    assert connection["extra"] == {name: environment[name] for name in IN_CONNECTION if name in environment}
    assert not {*IN_CONNECTION, "AIRFLOW_PASSWORD"} & set(airflow)
    assert Settings.from_environ({**airflow, **connection["extra"]}).lake_url == environment["LAKE_URL"]


def test_airflow_is_configured_by_its_environment_and_listens_on_loopback(
    place: StateDir, generated: GeneratedSecrets
) -> None:
    airflow = airflow_environment(place, Ports(airflow=9999), generated, environment_of(place, generated), DATABASE)
    assert airflow["AIRFLOW_HOME"] == str(place.airflow)
    assert airflow["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert airflow["AIRFLOW__API__PORT"] == "9999"
    assert airflow["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:9999/execution/"
    assert airflow["AIRFLOW__API_AUTH__JWT_SECRET"] == generated.airflow_jwt_secret
    assert airflow["AIRFLOW__API__SECRET_KEY"] == generated.airflow_api_secret
    assert airflow["AIRFLOW__CORE__FERNET_KEY"] == generated.airflow_fernet_key
    assert airflow["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql://here"
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in airflow


def test_airflow_home_has_private_passwords(place: StateDir, generated: GeneratedSecrets) -> None:
    login = prepare_home(place, generated)
    again = prepare_home(place, generated)
    passwords = place.airflow / "passwords.json"
    assert login == again
    assert json.loads(passwords.read_text()) == {"webhook": generated.airflow_password, "admin": login.password}
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert login.password not in repr(login)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("# STRAVA_CLIENT_ID=1\n", {}, id="comment"),
        pytest.param("PUBLIC_URL=\n", {}, id="no value"),
        pytest.param('PUBLIC_URL="https://x.example"\n', {"PUBLIC_URL": "https://x.example"}, id="quoted"),
        pytest.param(
            "STRAVA_CLIENT_ID=1\nSTRAVA_CLIENT_SECRET=s\n",
            {"STRAVA_CLIENT_ID": "1", "STRAVA_CLIENT_SECRET": "s"},
            id="credentials",
        ),
    ],
)
def test_env_file_gives_overrides(tmp_path: Path, content: str, expected: dict[str, str]) -> None:
    (tmp_path / ".env").write_text(content)
    assert read_overrides(tmp_path / ".env") == expected


def test_env_file_may_be_missing(tmp_path: Path) -> None:
    assert read_overrides(tmp_path / ".env") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("STRAVA_CLIENT_IDD=1\n", "STRAVA_CLIENT_IDD, which is no setting", id="misspelt"),
        pytest.param("STRAVA_CLIENT_ID=1\n", "STRAVA_CLIENT_ID without STRAVA_CLIENT_SECRET", id="id alone"),
        pytest.param("STRAVA_CLIENT_SECRET=s\n", "STRAVA_CLIENT_SECRET without STRAVA_CLIENT_ID", id="secret alone"),
    ],
)
def test_env_file_is_refused_with_the_name_of_the_wrong_variable(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / ".env").write_text(content)
    with pytest.raises(SettingsError, match=message):
        read_overrides(tmp_path / ".env")


def test_env_example_names_only_settings_and_sets_none(tmp_path: Path) -> None:
    example = (REPOSITORY / ".env.example").read_text()
    assert read_overrides(REPOSITORY / ".env.example") == {}
    filled = "\n".join(f"{line[1:].partition('=')[0]}=x" for line in example.splitlines() if line[1:2].isupper())
    (tmp_path / ".env").write_text(filled)
    assert len(read_overrides(tmp_path / ".env")) == len(filled.splitlines())


def test_airflow_never_sees_what_only_the_web_pages_need(place: StateDir, generated: GeneratedSecrets) -> None:
    environment = environment_of(place, generated, {"WEBHOOK_SIGNING_KEY": "signing-key"})
    assert Settings.from_environ(environment).webhook_signing_key == "signing-key"
    assert "signing-key" not in json.dumps(airflow_environment(place, Ports(), generated, environment, DATABASE))


def test_environment_asks_the_simulated_strava_at_the_base_of_2027_when_told_so(
    place: StateDir, generated: GeneratedSecrets
) -> None:
    environment = settings_environment(place, Ports(), generated, {}, api_path=API_PATH_2027)

    assert environment["STRAVA_API_URL"] == "http://127.0.0.1:8410"
    assert environment["STRAVA_OAUTH_URL"] == "http://127.0.0.1:8410/oauth"
