"""Reads settings from AWS Secrets Manager, from the same secret that Airflow reads as its Connection."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from include.aws import ANSWER, WORK, Patience, aws_faults, open_client
from include.clock import Clock
from include.errors import IngestError, SettingsError
from include.settings import Settings

SECRET_ID = "SECRET_ID"  # noqa: S105 - the variable's name
"""The variable with the secret's id, for example `airflow/connections/strava_api`; unset where there is no secret."""


CACHED_S = 300
"""How long a secret is cached: after this time every process uses a new one."""
TRY_AGAIN_S = 30
"""How long after a failed read the secret is read again."""
_HASTE = Patience(connect_s=0.2, read_s=0.4, attempts=1)
"""For a read during a request, which the cached secret can answer too."""

log = logging.getLogger(__name__)


def read_settings(environ: Mapping[str, str], patience: Patience = WORK) -> Settings:
    """The settings in `environ`, completed by the secret that its `SECRET_ID` names.

    Shape: the secret is a Connection of Airflow in JSON; its `extra` holds secrets under their variables' names.
    Errors: `SettingsError` that names the missing keys and the secret; `RetryLater` when AWS does not answer.
    Effects: one call of Secrets Manager, with `SECRET_ID` only; a process that runs for long uses `CachedSettings`.
    """
    secret_id = environ.get(SECRET_ID, "").strip()
    if not secret_id:
        return Settings.from_environ(environ)
    try:
        return Settings.from_environ({**environ, **read_connection(secret_id, patience)["extra"]})
    except SettingsError as err:
        raise SettingsError(
            f"{err} Or, for what is secret: add it as a key of `extra` in the secret {secret_id}."
        ) from err


class CachedSettings:
    """The settings of `read_settings`; the secret is read again after `CACHED_S`."""

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        """Errors: those of `read_settings`."""
        self._environ = environ
        self._clock = clock
        self._settings = read_settings(environ, ANSWER)
        self._read_again_epoch_s = clock() + CACHED_S

    def current(self) -> Settings:
        """The settings. Effects: reads the secret if that is due; if it fails, logs that and keeps the cached one."""
        if self._clock() >= self._read_again_epoch_s:
            self._read_again()
        return self._settings

    def _read_again(self) -> None:
        try:
            found = read_settings(self._environ, _HASTE)
        except IngestError as err:
            self._read_again_epoch_s = self._clock() + TRY_AGAIN_S
            log.warning("The secret could not be read again, so the cached one stays in use: %s", err)
            return
        self._read_again_epoch_s = self._clock() + CACHED_S
        if found != self._settings:
            log.info("The secret has changed; the new one is in use from now on.")
        self._settings = found


def read_connection(secret_id: str, patience: Patience = WORK) -> dict[str, Any]:
    """The Connection in the secret; its `extra` holds secrets by their variables' names.

    Errors: `SettingsError` where it is none; `RetryLater`.
    """
    client = open_client("secretsmanager", SECRET_ID, patience)
    with aws_faults(SECRET_ID):
        text = client.get_secret_value(SecretId=secret_id).get("SecretString", "")
    connection = _object(text)
    extra = _object(connection.get("extra"))
    if not extra:
        raise SettingsError(
            f"The secret {secret_id} is no Connection of Airflow; store JSON in it like "
            '{"conn_type": "generic", "extra": {"STRAVA_CLIENT_ID": "12345", …}}.'
        )
    return {**connection, "extra": {name: str(value) for name, value in extra.items()}}


def _object(text: Any) -> Mapping[str, Any]:
    """The JSON object that `text` is or holds; empty for anything else. Airflow accepts both forms of `extra`."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
