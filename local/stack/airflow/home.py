"""The embedded Airflow's configuration: only by its environment, without airflow.cfg."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import LOOPBACK, Ports, url
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY

PASSWORDS = "airflow/passwords.json"
IN_CONNECTION = (
    "STRAVA_CLIENT_ID",
    "STRAVA_CLIENT_SECRET",
    "WEBHOOK_PATH_SECRET",
    "WEBHOOK_VERIFY_TOKEN",
    "COOKIE_KEY",
    "MAIL_PASSWORD",
)
"""The secrets that tasks read from Airflow's Connection `strava_api`, as on AWS, not from the environment."""

HEARTBEATS = {"min_heartbeat_interval": "1", "max_failed_heartbeats": "30"}
"""The heartbeat of tasks, as on AWS: the end of a skipped task is noticed after a second instead of five, and a task
still survives half a minute without an answer from Airflow's API."""

FOR_OTHERS = ("AIRFLOW_USERNAME", "AIRFLOW_PASSWORD", "WEBHOOK_SIGNING_KEY")
"""Settings of the dispatcher and the web pages that no task needs."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user of Airflow's web pages."""

    username: str
    password: str = field(repr=False)


def prepare_home(state_dir: StateDir, generated: GeneratedSecrets) -> Login:
    """Write the files that Airflow reads at its start; safe to repeat.

    Effects: writes a file with the users' passwords, so that Airflow does not generate and print any.
    Returns: the administrator's login.
    """
    administrator = Login("admin", generated.airflow_admin_password)
    passwords = {"webhook": generated.airflow_password, administrator.username: administrator.password}
    state_dir.keep_private(PASSWORDS, passwords)
    return administrator


def airflow_environment(
    state_dir: StateDir,
    ports: Ports,
    generated: GeneratedSecrets,
    environment: Mapping[str, str],
    database: Mapping[str, str],
) -> dict[str, str]:
    """The environment of Airflow's processes and tasks: `environment` without secrets, and Airflow's own variables.

    `environment` is that of the other processes; its secrets move into the Connection `strava_api`. `database` are
    the options of Airflow's database.
    """
    moved = {*IN_CONNECTION, *FOR_OTHERS}
    kept = {name: value for name, value in environment.items() if name not in moved}
    connection = {
        "conn_type": "generic",
        "extra": {name: environment[name] for name in IN_CONNECTION if environment.get(name)},
    }
    return {
        **kept,
        "AIRFLOW_HOME": str(state_dir.airflow),
        "AIRFLOW_CONN_STRAVA_API": json.dumps(connection),
        **{f"AIRFLOW__{name}": value for name, value in {**_options(state_dir, ports, generated), **database}.items()},
    }


def _options(state_dir: StateDir, ports: Ports, generated: GeneratedSecrets) -> dict[str, str]:
    return {
        "CORE__EXECUTOR": "LocalExecutor",
        # On two cores four parallel tasks are faster than eight, and the whole system stays well below 3 GB.
        "CORE__PARALLELISM": "4",
        "CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": generated.airflow_fernet_key,
        "CORE__EXECUTION_API_SERVER_URL": f"{url(ports.airflow)}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "webhook:op,admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(state_dir.root / PASSWORDS),
        "API__HOST": LOOPBACK,
        "API__PORT": str(ports.airflow),
        "API__BASE_URL": url(ports.airflow),
        "API__WORKERS": "1",
        "API__SECRET_KEY": generated.airflow_api_secret,
        "API__INSTANCE_NAME": "Strava Data Ingest",
        "API_AUTH__JWT_SECRET": generated.airflow_jwt_secret,
        # In a chain, each task takes 0.4 s instead of 1 s.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        # Tasks that a killed run left are resumed after a minute instead of five.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
        **{f"WORKERS__{name.upper()}": value for name, value in HEARTBEATS.items()},
        # A new or edited DAG file is seen within seconds.
        "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
