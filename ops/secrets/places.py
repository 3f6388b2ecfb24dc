"""Where an installation keeps its secrets, and how one is replaced there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from include.aws import aws_faults, open_client
from include.errors import SettingsError
from include.secret import SECRET_ID, read_connection
from ops.machine.generated_secrets import FILE
from ops.machine.state_dir import StateDir

RESTART = "end the system (Ctrl-C) and start it again with `make up`"


_IN_ENV_FILE = ("STRAVA_CLIENT_SECRET", "WEBHOOK_SIGNING_KEY", "MAIL_PASSWORD")
"""The secrets that others show; generated values under these names are for the simulated Strava."""


class Place(Protocol):
    """The secrets of one installation, by their variables' names."""

    @property
    def in_force(self) -> str:
        """When a replaced secret takes effect, in words that follow "it is in force"."""
        ...

    def values(self) -> Mapping[str, str]:
        """The secrets that are kept here. Errors: `SettingsError` if there is none, `RetryLater`."""
        ...

    def check(self, name: str) -> None:
        """Check that the secret is kept here. Errors: `SettingsError` that names the other place."""
        ...

    def replace(self, name: str, value: str) -> None:
        """Replace one secret that is kept here; the others stay."""
        ...


@dataclass(frozen=True, slots=True)
class InSecretsManager:
    """The Connection of Airflow that functions and tasks on AWS read."""

    secret_id: str

    @property
    def in_force(self) -> str:
        """In five minutes: functions read the secret that often, and tasks when they start."""
        return "in five minutes"

    def values(self) -> Mapping[str, str]:
        """The `extra` of the Connection."""
        extra: Mapping[str, str] = read_connection(self.secret_id)["extra"]
        return extra

    def check(self, name: str) -> None:
        """No effect: the Connection may hold every secret."""

    def replace(self, name: str, value: str) -> None:
        """Replace it. Effects: a new version of the secret; AWS keeps the previous one as `AWSPREVIOUS`."""
        connection = read_connection(self.secret_id)
        changed = {**connection, "extra": {**connection["extra"], name: value}}
        client = open_client("secretsmanager", SECRET_ID)
        with aws_faults(SECRET_ID):
            client.put_secret_value(SecretId=self.secret_id, SecretString=json.dumps(changed))


@dataclass(frozen=True, slots=True)
class OnThisMachine:
    """The generated secrets in a state directory, whose processes read them at their start."""

    directory: StateDir
    overrides: Mapping[str, str]
    """The settings in `.env`, which replace what is generated."""

    @property
    def in_force(self) -> str:
        """After a restart: each process has the environment with which it started."""
        return f"when you {RESTART}"

    def values(self) -> Mapping[str, str]:
        """The generated secrets, some replaced by `.env`."""
        kept = {name.upper(): value for name, value in self.directory.kept(FILE).items()}
        return kept | {name: value for name, value in self.overrides.items() if name in kept}

    def check(self, name: str) -> None:
        """Check that it is a generated one. Errors: `SettingsError` for one that `.env` sets or that others show."""
        if name in self.overrides or name in _IN_ENV_FILE:
            raise SettingsError(f"On this machine {name} is set in .env: change it there, then {RESTART}.")

    def replace(self, name: str, value: str) -> None:
        """Replace it. Effects: replaces the file atomically, readable by its owner alone."""
        self.directory.keep_private(FILE, {**self.directory.kept(FILE), name.lower(): value})
