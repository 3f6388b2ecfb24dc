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
from local.stack.environment import REPOSITORY

REGION = "AWS_DEFAULT_REGION"
"""The one variable for the region that boto3 reads; `AWS_REGION`, which Terraform and the CLI read, it does not."""


class Environment(StrEnum):
    """An environment of Terraform's."""

    DEV = "dev"
    PROD = "prod"

    @property
    def folder(self) -> Path:
        """Where its configuration lies."""
        return REPOSITORY / "terraform" / "environments" / self


def outputs(folder: Path) -> Mapping[str, Any]:
    """The outputs of the applied environment.

    Errors: `SettingsError` where nothing is applied, or an older version was.
    Effects: AWS is asked in the environment's own region from now on, whatever region this process was given.
    """
    command = ["terraform", "output", "-json"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    values = json.loads(done.stdout) if done.returncode == 0 else {}
    if not values:
        raise SettingsError(
            f"terraform output tells nothing of {folder.name}: {done.stderr.strip() or 'apply it first'}"
        )
    found = {name: output["value"] for name, output in values.items()}
    if "region" not in found:
        raise SettingsError(f"{folder.name} was applied by an older version, which says less: make deploy first.")
    os.environ[REGION] = found["region"]
    return found
