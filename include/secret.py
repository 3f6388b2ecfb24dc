"""Reads settings from AWS Secrets Manager, from the same secret that Airflow reads as its Connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from include.aws import aws_faults, open_client
from include.errors import SettingsError
from include.settings import Settings

SECRET_ID = "SECRET_ID"  # noqa: S105 - the variable's name
"""The variable with the secret's id, for example `airflow/connections/strava_api`; unset where there is no secret."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`, completed by the secret that its `SECRET_ID` names.

    Shape: the secret is a Connection of Airflow in JSON; its `extra` holds secrets under their variables' names.
    Errors: `SettingsError` that names the missing keys and the secret; `RetryLater` when AWS does not answer.
    Effects: one call of Secrets Manager, with `SECRET_ID` only; keep the answer, a changed secret is for new processes.
    """
    secret_id = environ.get(SECRET_ID, "").strip()
    if not secret_id:
        return Settings.from_environ(environ)
    try:
        return Settings.from_environ({**environ, **_extra(secret_id)})
    except SettingsError as err:
        raise SettingsError(
            f"{err} Or, for what is secret: add it as a key of `extra` in the secret {secret_id}."
        ) from err


def _extra(secret_id: str) -> Mapping[str, str]:
    client = open_client("secretsmanager", SECRET_ID)
    with aws_faults(SECRET_ID):
        text = client.get_secret_value(SecretId=secret_id).get("SecretString", "")
    extra = _object(_object(text).get("extra"))
    if not extra:
        raise SettingsError(
            f"The secret {secret_id} is no Connection of Airflow; store JSON in it like "
            '{"conn_type": "generic", "extra": {"STRAVA_CLIENT_ID": "12345", …}}.'
        )
    return {name: str(value) for name, value in extra.items()}


def _object(text: Any) -> Mapping[str, Any]:
    """The JSON object in `text`, or which `text` is; empty where there is none: Airflow takes `extra` as either."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
