"""The local system to which a command on this machine applies."""

from __future__ import annotations

import os
from pathlib import Path

from include.errors import SettingsError
from include.settings import Settings
from local.stack.environment import REPOSITORY, read_overrides, settings_environment
from local.stack.generated_secrets import GeneratedSecrets
from local.stack.ports import FILE, remembered
from local.stack.state_dir import StateDir


def state_dir() -> StateDir:
    """The directory that `STATE_DIR` names, else that of `make up`."""
    return StateDir(Path(os.environ.get("STATE_DIR") or REPOSITORY / ".state" / "up").resolve())


def installed_settings() -> Settings:
    """The settings under which that system runs, or ran last.

    Errors: `SettingsError` when it was never started.
    """
    place = state_dir()
    if not (place.root / FILE).exists():
        raise SettingsError(f"There is no system in {place.root} yet: start one with `make up`.")
    ports = remembered(place.root / FILE)
    overrides = read_overrides(REPOSITORY / ".env")
    return Settings.from_environ(settings_environment(place, ports, GeneratedSecrets.of(place), overrides))
