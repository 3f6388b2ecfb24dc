"""Runs Terraform, with the provider from a mirror where there is no network."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from include.errors import SettingsError
from ops.repository import REPOSITORY

SOURCES = REPOSITORY / "terraform"
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_MIRRORS = ("/usr/share/terraform/*", "/usr/local/share/terraform/*", "/opt/*")
"""The usual place of a filesystem mirror; `TF_PLUGIN_MIRROR` names another one."""

_PIN = re.compile(r'(source  = "hashicorp/aws"\n\s+version = ")([^"]*)')
_KEPT_OUT = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*", "*.tfplan")


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in a copy of the configuration, so that it writes nothing into the repository."""

    program: str
    folder: Path
    environ: Mapping[str, str]

    @classmethod
    def copy_into(cls, scratch: Path, environ: Mapping[str, str] = os.environ) -> Terraform:
        """Terraform with its own copy of `terraform/` below the empty folder `scratch`.

        `PROVIDER` of `environ` replaces the pinned version of the provider in it, so that another one can be tried.
        Errors: `SettingsError` where Terraform is not installed.
        """
        program = shutil.which("terraform")
        if program is None:
            raise SettingsError("terraform is not on PATH: install Terraform 1.10 or newer")
        folder = scratch / "terraform"
        shutil.copytree(SOURCES, folder, ignore=_KEPT_OUT)
        if tried := environ.get("PROVIDER"):
            for path in folder.rglob("versions.tf"):
                path.write_text(_PIN.sub(rf"\g<1>{tried}", path.read_text()))
        return cls(program, folder, {**environ, **_settings(scratch, environ)})

    def run(self, *arguments: str, folder: str = ".") -> str:
        """The command's output. Errors: `SettingsError` with its output, when it fails."""
        command = [self.program, f"-chdir={self.folder / folder}", *arguments]
        done = subprocess.run(command, env=self.environ, check=False, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip() or done.stdout.strip()
            words = " ".join(word for word in arguments if not word.startswith("-"))
            raise SettingsError(f"terraform {words} in {folder} failed:\n{said}")
        return done.stdout

    def init(self, folder: str = ".") -> None:
        """Prepare a folder without its remote state. Errors: `SettingsError`, also where there is no provider."""
        self.run("init", "-backend=false", "-input=false", "-no-color", folder=folder)


def find_mirror(environ: Mapping[str, str], places: Iterable[str] = _MIRRORS) -> Path | None:
    """The filesystem mirror with the AWS provider for this machine, if there is one."""
    named = environ.get("TF_PLUGIN_MIRROR")
    candidates = [Path(named)] if named else _candidates(places)
    provider = f"{_PROVIDER}/{environ.get('PROVIDER') or '*'}/{_target()}"
    return next((mirror for mirror in candidates if any(mirror.glob(provider))), None)


def _candidates(places: Iterable[str]) -> Iterator[Path]:
    for place in places:
        pattern = Path(place)
        yield from sorted(pattern.parent.glob(pattern.name))


def _target() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{machine}"


def _settings(scratch: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables for Terraform itself: no calls home, and the mirror unless the user has a configuration."""
    settings = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    own = environ.get("TF_CLI_CONFIG_FILE")
    mirror = find_mirror(environ)
    if mirror is None or (own and Path(own).is_file()):
        return settings
    config = scratch / "terraform.rc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return settings | {"TF_CLI_CONFIG_FILE": str(config)}
