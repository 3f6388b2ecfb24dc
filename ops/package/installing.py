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
"""Pins the dependencies of the requirements."""

_UV = Path(sys.executable).with_name("uv")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """The machine that packages are installed for."""

    platform: str
    python: str


LAMBDA = Target("aarch64-manylinux_2_28", "3.12")


def requirements(file: Path) -> list[str]:
    """The lines of a requirements file that name a package."""
    return [line for line in file.read_text(encoding="utf-8").splitlines() if _NAME.match(line)]


def name_of(requirement: str) -> str:
    """The package that a line names, in its normalised spelling."""
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found.group()).lower() if found else ""


def install_into(folder: Path, wanted: Sequence[str], target: Target | None) -> None:
    """Install packages and their dependencies into a folder, for the target or this Python.

    Errors: `SettingsError` where the package index cannot be reached or has no wheel.
    """
    place = ["--python-platform", target.platform, "--python-version", target.python] if target else []
    run_uv("pip", "install", "--target", str(folder), *place, "--constraint", str(LOCK), *wanted)


def make_environment(folder: Path, wanted: Sequence[str], *arguments: str) -> Path:
    """A new virtual environment with only these packages and their dependencies; returns its Python.

    Errors: `SettingsError` where the package index cannot be reached.
    """
    run_uv("venv", "--python", sys.executable, str(folder))
    python = folder / "bin" / "python"
    run_uv("pip", "install", "--python", str(python), "--constraint", str(LOCK), *arguments, *wanted)
    return python


def run_uv(*arguments: str) -> None:
    """Run uv, with wheels only. Errors: `SettingsError` with its output."""
    wheels = ["--only-binary", ":all:"] if arguments[0] == "pip" else []
    done = subprocess.run([_UV, *arguments, *wheels, "--quiet"], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SettingsError(
            f"uv {' '.join(arguments[:2])} failed; check that the package index can be reached.\n{done.stderr.strip()}"
        )
