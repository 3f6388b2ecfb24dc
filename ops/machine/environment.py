"""The environment of every process of a local system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from dotenv import dotenv_values

from include.errors import SettingsError
from include.setting_values import EXAMPLES
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import Ports, url
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY

API_PATH, API_PATH_2027 = "/api/v3", ""
"""The paths of Strava's API on its host: until 2027-06-01, and from 2027-01-04 on."""
_STRAVA = ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET")


def read_overrides(path: Path) -> Mapping[str, str]:
    """The settings in a `.env` file; empty without a file.

    Errors: `SettingsError` names a variable that does not exist, or the missing half of Strava's credentials.
    """
    overrides = {name: value for name, value in dotenv_values(path).items() if value}
    if unknown := sorted(set(overrides) - set(EXAMPLES)):
        raise SettingsError(f"{path} sets {', '.join(unknown)}, which is no setting. See .env.example for all.")
    given = [name for name in _STRAVA if name in overrides]
    if len(given) == 1:
        missing = next(name for name in _STRAVA if name not in given)
        raise SettingsError(f"{path} sets {given[0]} without {missing}: set both, or none to use the simulated Strava.")
    return overrides


def uses_simulator(overrides: Mapping[str, str]) -> bool:
    """Whether Strava is simulated: unless credentials of a real application are given."""
    return _STRAVA[0] not in overrides


def settings_environment(
    state_dir: StateDir,
    ports: Ports,
    generated: GeneratedSecrets,
    overrides: Mapping[str, str],
    *,
    api_path: str = API_PATH,
) -> Mapping[str, str]:
    """Every setting of `include.settings` for a system in `state_dir`; `overrides` replace derived values.

    `api_path` is the path of the API at a simulated Strava.
    """
    derived = {
        "STRAVA_CLIENT_ID": generated.strava_client_id,
        "STRAVA_CLIENT_SECRET": generated.strava_client_secret,
        "WEBHOOK_PATH_SECRET": generated.webhook_path_secret,
        "WEBHOOK_VERIFY_TOKEN": generated.webhook_verify_token,
        "COOKIE_KEY": generated.cookie_key,
        "PUBLIC_URL": url(ports.web),
        "STATE_URL": f"sqlite://{state_dir.database}",
        "LAKE_URL": state_dir.lake.as_uri(),
        "QUEUE_URL": f"sqlite://{state_dir.database}",
        "KEY_URL": f"file://{state_dir.token_key}",
        "CATALOG_URL": f"duckdb://{quote(str(state_dir.catalog))}",
        "AIRFLOW_URL": url(ports.airflow),
        "AIRFLOW_USERNAME": "webhook",
        "AIRFLOW_PASSWORD": generated.airflow_password,
    }
    if uses_simulator(overrides):
        derived |= {
            "STRAVA_API_URL": f"{url(ports.simulator)}{api_path}",
            "STRAVA_OAUTH_URL": f"{url(ports.simulator)}/oauth",
        }
    return {**derived, **overrides}


def process_environment(inherited: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The inherited environment with exactly these settings.

    Settings, and variables of Airflow or PostgreSQL, that are exported in the shell are removed.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in EXAMPLES and not name.startswith(("AIRFLOW", "PG", "PYTHON", "VIRTUAL_ENV"))
    }
    return {**kept, **settings, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
