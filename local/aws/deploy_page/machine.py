"""The machine of somebody who follows the page: a clone, a home with a profile of AWS, and the programs it asks for.

What differs from a real one is behind that: the profile leads to moto's server, and the programs `terraform`, `aws`
and `curl` first find what has no address here: the HTTP API, Strava and MWAA.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from include.errors import SettingsError
from local.aws.resources import ACCOUNT, REGION
from local.aws.terraform.apply_moto import BUCKET_POLICY
from local.aws.terraform.tool import find_mirror
from ops.repository import REPOSITORY

PROFILE = "strava"
AIRFLOW_HOST = "strava-dev.airflow.example.org"
PROGRAMS = ("terraform", "aws", "curl", "jq", "openssl", "make", "bash")
_INDEX = ("UV_", "PIP_", "SSL_CERT_")
"""How the variables begin by which this machine reaches its package index; another one has none of them."""

_CONFIG = """[profile {profile}]
region = us-west-2
endpoint_url = {moto}
disable_host_prefix_injection = true
services = stand-ins

[services stand-ins]
mwaa =
  endpoint_url = {mwaa}
"""
_CREDENTIALS = f"[{PROFILE}]\naws_access_key_id = simulated\naws_secret_access_key = simulated\n"
_MIRROR = 'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
_TERRAFORM = '''#!{python}
"""Terraform, whose outputs name addresses of this machine."""
import json, os, re, subprocess, sys
os.environ.update({variables!r})
command = [{program!r}, *sys.argv[1:]]
if "output" not in command:
    os.execv(command[0], command)
done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
text = re.sub(r"https://\\w+\\.execute-api\\.[a-z0-9-]+\\.amazonaws\\.com", {public_url!r}, done.stdout)
text = text.replace({moto!r}, {sqs!r})
if "-json" in command and done.returncode == 0:
    told = json.loads(text)
    if "settings" in told:
        told["settings"]["value"].update({strava!r})
    text = json.dumps(told)
sys.stdout.write(text)
sys.exit(done.returncode)
'''


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything answers that the page's commands reach."""

    moto: str
    mwaa_control: str
    mwaa: str
    strava: str
    public_url: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A clone of the repository, and all that a shell in it has."""

    clone: Path
    environ: Mapping[str, str]

    @property
    def aws(self) -> Mapping[str, str]:
        """The variables by which another process finds the same account."""
        folder = Path(self.environ["HOME"]) / ".aws"
        return {
            "AWS_PROFILE": PROFILE,
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_DEFAULT_REGION": REGION,
        }

    @classmethod
    def set_up(cls, scratch: Path, addresses: Addresses) -> Machine:
        """A machine below the empty folder `scratch`. Errors: `SettingsError` for a program that is not installed."""
        if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
            raise SettingsError(f"The page needs {', '.join(missing)}: install them.")
        clone, home, programs = (scratch / name for name in ("clone", "home", "bin"))
        _clone(clone)
        (home / ".aws").mkdir(parents=True)
        config = _CONFIG.format(profile=PROFILE, moto=addresses.moto, mwaa=addresses.mwaa)
        (home / ".aws" / "config").write_text(config)
        (home / ".aws" / "credentials").write_text(_CREDENTIALS)
        index = {name: value for name, value in os.environ.items() if name.startswith(_INDEX)}
        cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
        path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
        machine = cls(clone, {"PATH": path, "HOME": str(home), **index, "UV_CACHE_DIR": cache})
        programs.mkdir()
        _program(programs / "terraform", _terraform(scratch, addresses))
        _program(programs / "aws", machine._aws())
        _program(programs / "curl", _curl(addresses))
        return machine

    def _aws(self) -> str:
        """The CLI, which may need its own home to be found."""
        found = " ".join(f"{name}='{self.aws[name]}'" for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"))
        return f"#!/bin/sh\nHOME='{Path.home()}' {found} exec '{shutil.which('aws')}' \"$@\"\n"


def _clone(folder: Path) -> None:
    """What git knows of, with this environment's packages, and what moto needs to be let in by."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, folder / name)
            os.utime(folder / name, (0, 0))  # older than the environment, which is not built again
    (folder / ".venv").symlink_to(Path(sys.prefix))
    for place in ("bootstrap", "modules/lake", "modules/mwaa"):
        (folder / "terraform" / place / "moto_override.tf").write_text(BUCKET_POLICY)


def _terraform(scratch: Path, addresses: Addresses) -> str:
    variables = {"HTTP_PROXY": addresses.mwaa_control, "NO_PROXY": "", "CHECKPOINT_DISABLE": "1"}
    if mirror := find_mirror(os.environ):
        (scratch / "terraform.rc").write_text(_MIRROR.format(mirror=mirror))
        variables["TF_CLI_CONFIG_FILE"] = str(scratch / "terraform.rc")
    return _TERRAFORM.format(
        python=sys.executable,
        program=shutil.which("terraform"),
        variables=variables,
        public_url=addresses.public_url,
        moto=f"{addresses.moto}/{ACCOUNT}/",
        sqs=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/",
        strava={
            "STRAVA_API_URL": f"{addresses.strava}/api/v3",
            "STRAVA_OAUTH_URL": f"{addresses.strava}/oauth",
            "PUBLIC_URL": addresses.public_url,
        },
    )


def _curl(addresses: Addresses) -> str:
    there = f"https://{AIRFLOW_HOST}/".replace("/", "\\/")
    return f"#!/bin/bash\nexec '{shutil.which('curl')}' \"${{@/#{there}/{addresses.mwaa}/}}\"\n"


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
