"""The installation that a command works on: an environment on AWS, or the system on this machine.

`ENV=dev` or `ENV=prod` names the environment, whose settings come from Terraform's outputs and the secret in Secrets
Manager. Without it a command is for the system in `STATE_DIR`, else for that of `make up`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from include.aws import aws_faults, open_client
from include.errors import SettingsError
from include.secret import SECRET_ID, read_settings
from include.setting_values import EXAMPLES
from include.settings import Settings
from ops.machine.environment import read_overrides, settings_environment
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import FILE, remembered
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY
from ops.terraform_outputs import Environment, outputs

ENV, STATE_DIR = "ENV", "STATE_DIR"
WHICH = (
    "ENV=dev or ENV=prod chooses an environment on AWS, as in make links ENV=dev ARGS=list; without ENV the command is "
    "for the system on this machine in STATE_DIR, else for that of make up."
)
"""The explanation in the help of every command."""

_STRAVA = ".strava.com"


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation: its name, and the variables of its settings, without those in its secret."""

    name: str
    variables: Mapping[str, str] = field(repr=False)

    def settings(self) -> Settings:
        """All of its settings.

        Errors: `SettingsError` with the next step where the secret has no value, or an invalid one; `RetryLater`.
        Effects: on AWS, two calls to Secrets Manager.
        """
        if secret_id := self.variables.get(SECRET_ID):
            check_secret(secret_id)
        return read_settings(self.variables)

    def announce(self, effect: str = "") -> None:
        """Print on standard error which installation this is, and whether the command writes there."""
        print(f"{self.name}: {f'this writes, it {effect}' if effect else 'this only reads'}.", file=sys.stderr)


def chosen(effect: str = "") -> Installation:
    """The installation that this process's environment names, which is first printed on standard error.

    `effect` says what the command will change there, as in "ends the webhook subscription".
    Errors: `SettingsError` with the next step for a wrong name, or for an installation that does not exist.
    Effects: on AWS, reads Terraform's outputs, and asks AWS for the account of the credentials.
    """
    environment = os.environ.get(ENV)
    found = on_this_machine() if environment is None else on_aws(environment)
    found.announce(effect)
    return found


def installed_settings(effect: str = "") -> Settings:
    """The settings of the chosen installation. Errors and effects: as `chosen` and `Installation.settings`."""
    return chosen(effect).settings()


def on_aws(named: str) -> Installation:
    """The environment of that name. Errors: `SettingsError`, also for credentials of another account."""
    if named not in list(Environment):
        raise SettingsError(
            f"ENV is {named!r}: set it to {' or '.join(Environment)}, or unset it for the system on this machine."
        )
    if os.environ.get(STATE_DIR):
        raise SettingsError(f"ENV={named} and STATE_DIR={os.environ[STATE_DIR]} name two systems: unset one of them.")
    built = outputs(Environment(named).folder)
    account_id = _account_id()
    if account_id != built["account_id"]:
        raise SettingsError(
            f"{named} is in the account {built['account_id']}, but the AWS credentials belong to {account_id}: set "
            "AWS_PROFILE to a profile of that account."
        )
    return Installation(
        f"{named} on AWS ({built['region']}, account {account_id}), {_strava(built['settings'])}", built["settings"]
    )


def on_this_machine() -> Installation:
    """The system in `STATE_DIR`, as it runs now or last ran. Errors: `SettingsError` where none has ever run."""
    root = named_root()
    if not (root / FILE).exists():
        raise SettingsError(
            f"There is no system in {root} yet: start one with `make up`, name the directory of another one with "
            "STATE_DIR, or an environment on AWS with ENV=dev."
        )
    place = StateDir(root)
    overrides = read_overrides(REPOSITORY / ".env")
    variables = settings_environment(place, remembered(root / FILE), GeneratedSecrets.of(place), overrides)
    return Installation(f"the system in {shown(root)}, {_strava(variables)}", variables)


def named_root() -> Path:
    """The directory in `STATE_DIR`, else that of `make up`."""
    return Path(os.environ.get(STATE_DIR) or REPOSITORY / ".state" / "up").resolve()


def shown(root: Path) -> Path:
    """The directory as messages name it."""
    return root.relative_to(REPOSITORY) if root.is_relative_to(REPOSITORY) else root


def check_secret(name: str) -> None:
    """Check that the secret has a value. Errors: `SettingsError` with the command that gives it one."""
    client = open_client("secretsmanager", SECRET_ID)
    with aws_faults(SECRET_ID):
        told: Mapping[str, Any] = client.describe_secret(SecretId=name)
    if "DeletedDate" in told:
        raise SettingsError(
            f"The secret {name} is scheduled for deletion. To take it back: aws secretsmanager restore-secret"
            f" --region {client.meta.region_name} --secret-id {name}"
        )
    if not told.get("VersionIdsToStages"):
        raise SettingsError(
            f"The secret {name} has no value yet. Write secret.json as docs/deploy.md shows, then:"
            f" aws secretsmanager put-secret-value --region {client.meta.region_name} --secret-id {name}"
            " --secret-string file://secret.json"
        )


def _account_id() -> str:
    client = open_client("sts", ENV)
    with aws_faults(ENV):
        return str(client.get_caller_identity()["Account"])


def _strava(variables: Mapping[str, str]) -> str:
    api_url = variables.get("STRAVA_API_URL") or EXAMPLES["STRAVA_API_URL"]
    return "real Strava" if f".{urlsplit(api_url).hostname}".endswith(_STRAVA) else "simulated Strava"
