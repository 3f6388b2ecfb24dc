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


_IN_ENV_FILE = ("STRAVA_CLIENT_SECRET", "WEBHOOK_SIGNING_KEY")
"""What Strava shows; what is generated under the same name is for the simulated Strava."""


class Place(Protocol):
    """The secrets of one installation, by their variables' names."""

    @property
    def in_force(self) -> str:
        """What has to happen until a replaced secret is in force, as "it is in force …" goes on."""
        ...

    def values(self) -> Mapping[str, str]:
        """What is kept here. Errors: `SettingsError` where nothing is, `RetryLater`."""
        ...

    def check(self, name: str) -> None:
        """Errors: `SettingsError` for a secret that is kept elsewhere, with where."""
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
        """Functions read the secret every five minutes, tasks at their start."""
        return "in five minutes"

    def values(self) -> Mapping[str, str]:
        """The `extra` of the Connection."""
        extra: Mapping[str, str] = read_connection(self.secret_id)["extra"]
        return extra

    def check(self, name: str) -> None:
        """Everything that has a name may lie in the Connection."""

    def replace(self, name: str, value: str) -> None:
        """Effects: a new version of the secret; AWS keeps the one before as `AWSPREVIOUS`."""
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
        """Every process has the environment of its start."""
        return f"when you {RESTART}"

    def values(self) -> Mapping[str, str]:
        """What was generated, with what `.env` replaces."""
        kept = {name.upper(): value for name, value in self.directory.kept(FILE).items()}
        return kept | {name: value for name, value in self.overrides.items() if name in kept}

    def check(self, name: str) -> None:
        """What `.env` sets, and what Strava shows, is changed there."""
        if name in self.overrides or name in _IN_ENV_FILE:
            raise SettingsError(f"On this machine {name} is set in .env: change it there, then {RESTART}.")

    def replace(self, name: str, value: str) -> None:
        """Effects: the file is replaced at once and whole, readable by its owner alone."""
        self.directory.keep_private(FILE, {**self.directory.kept(FILE), name.lower(): value})
