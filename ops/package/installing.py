"""Packages installed by uv: into an environment, or into a folder for another machine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from include.errors import SettingsError
from ops.repository import REPOSITORY

LOCK = REPOSITORY / "requirements.lock"
"""Pins whatever the requirements bring along."""

_UV = Path(sys.executable).with_name("uv")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """Which machine packages are for."""

    platform: str
    python: str


LAMBDA = Target("aarch64-manylinux_2_28", "3.12")


def requirements(file: Path) -> list[str]:
    """The lines of a requirements file that ask for a package."""
    return [line for line in file.read_text(encoding="utf-8").splitlines() if _NAME.match(line)]


def name_of(requirement: str) -> str:
    """The package that a line asks for, in the one spelling that compares."""
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found.group()).lower() if found else ""


def install_into(folder: Path, wanted: Sequence[str], target: Target | None) -> None:
    """Put packages and what they need into a folder, for the target, or else for this Python.

    Errors: `SettingsError` where the package index is out of reach or has no wheel.
    """
    place = ["--python-platform", target.platform, "--python-version", target.python] if target else []
    run_uv("pip", "install", "--target", str(folder), *place, "--constraint", str(LOCK), *wanted)


def make_environment(folder: Path, wanted: Sequence[str], *arguments: str) -> Path:
    """A new virtual environment with just these packages and what they need; the Python in it.

    Errors: `SettingsError` where the package index is out of reach.
    """
    run_uv("venv", "--python", sys.executable, str(folder))
    python = folder / "bin" / "python"
    run_uv("pip", "install", "--python", str(python), "--constraint", str(LOCK), *arguments, *wanted)
    return python


def run_uv(*arguments: str) -> None:
    """Run uv; only wheels are taken. Errors: `SettingsError` with what it said."""
    wheels = ["--only-binary", ":all:"] if arguments[0] == "pip" else []
    done = subprocess.run([_UV, *arguments, *wheels, "--quiet"], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SettingsError(
            f"uv {' '.join(arguments[:2])} failed; is the package index in reach?\n{done.stderr.strip()}"
        )
