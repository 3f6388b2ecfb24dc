"""The secrets of a local system: generated once for each state directory, never a default."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from ops.machine.state_dir import StateDir

FILE = "secrets.json"


@dataclass(frozen=True, slots=True, repr=False)
class GeneratedSecrets:
    """Every secret that the processes share; `repr` shows none of them."""

    strava_client_id: str
    """The client id of the simulated Strava application."""
    strava_client_secret: str
    """The client secret of the simulated Strava application."""
    webhook_path_secret: str
    webhook_verify_token: str
    cookie_key: str
    airflow_password: str
    """The password of Airflow's user `webhook`, for the dispatcher."""
    airflow_admin_password: str
    airflow_database_password: str
    airflow_fernet_key: str
    airflow_jwt_secret: str
    airflow_api_secret: str

    @classmethod
    def of(cls, state_dir: StateDir) -> GeneratedSecrets:
        """The secrets of `state_dir`, the same at every call; missing ones are generated and stored (mode 0600)."""
        kept = state_dir.kept(FILE)
        values = {field.name: kept.get(field.name) or new_value(field.name) for field in fields(cls)}
        if values != kept:
            state_dir.keep_private(FILE, values)
        return cls(**values)


def new_value(name: str) -> str:
    """A new random value for the secret of that name."""
    return _GENERATORS.get(name, _random)()


def _random() -> str:
    return secrets.token_hex(32)


_GENERATORS: Mapping[str, Callable[[], str]] = {
    "strava_client_id": lambda: str(100_000 + secrets.randbelow(900_000)),
    "strava_client_secret": lambda: secrets.token_hex(20),
    "webhook_path_secret": lambda: secrets.token_hex(16),
    "webhook_verify_token": lambda: secrets.token_hex(16),
    "airflow_password": lambda: secrets.token_urlsafe(16),
    "airflow_admin_password": lambda: secrets.token_urlsafe(9),
    "airflow_fernet_key": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}
"""Secrets of a special form; every other secret is 64 hexadecimal digits."""
