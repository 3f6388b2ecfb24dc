"""The outputs of an environment that Terraform built."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from include.errors import SettingsError
from ops.repository import REPOSITORY

REGION = "AWS_DEFAULT_REGION"
"""The only variable from which boto3 reads the region; it ignores `AWS_REGION`, which Terraform and the CLI read."""

_NEEDED = frozenset({"account_id", "region", "settings"})
_NEXT = {
    "initialization required": "Run: terraform -chdir={folder} init -backend-config=backend.hcl (see docs/deploy.md).",
    "credential": "Set AWS_PROFILE to a profile of the environment's account, and log in if necessary.",
    "token": "Log in again, for example with: aws sso login.",
}
"""The next step, by a word in Terraform's message."""


class Environment(StrEnum):
    """An environment in Terraform."""

    DEV = "dev"
    PROD = "prod"

    @property
    def folder(self) -> Path:
        """The folder of its configuration."""
        return REPOSITORY / "terraform" / "environments" / self


def outputs(folder: Path) -> Mapping[str, Any]:
    """The outputs of the applied environment.

    Errors: `SettingsError` with the next step where nothing is applied, an older version was applied, or Terraform
    fails.
    Effects: this process calls AWS in the environment's region from now on, whatever region was set.
    """
    command = ["terraform", "output", "-json", "-no-color"]
    try:
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    except FileNotFoundError as err:
        raise SettingsError("terraform is not on PATH: install Terraform 1.10 or newer.") from err
    values = json.loads(done.stdout) if done.returncode == 0 else {}
    if not values:
        said = " ".join(done.stderr.split())
        next_step = _next_step(folder, said)
        raise SettingsError(
            f"terraform output fails for {folder.name}. {next_step} Terraform says: {said or 'nothing'}"
        )
    found = {name: output["value"] for name, output in values.items()}
    if missing := sorted(_NEEDED - found.keys()):
        raise SettingsError(
            f"{folder.name} was applied by an older version, whose outputs lack {', '.join(missing)}: "
            f"run make deploy ENV={folder.name} first."
        )
    os.environ[REGION] = found["region"]
    return found


def _next_step(folder: Path, said: str) -> str:
    for word, step in _NEXT.items():
        if word in said.lower():
            return step.format(folder=folder.relative_to(REPOSITORY))
    return f"If nothing is applied yet, run: make deploy ENV={folder.name}."
