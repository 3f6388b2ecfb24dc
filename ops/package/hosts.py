"""Tests each artefact with only its host's packages installed."""

from __future__ import annotations

import json
import subprocess
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.errors import SettingsError
from include.setting_values import EXAMPLES
from include.settings import Settings
from ops.package.archive import write_tree
from ops.package.artefacts import DISPATCHER, HTTP, Function, function
from ops.package.http_event import http_event
from ops.package.installing import make_environment, name_of, requirements
from ops.repository import REPOSITORY

IMAGE = Path(__file__).with_name("mwaa-3.3.1-installed.txt")
LAMBDA_RUNTIME = ("boto3",)
"""The packages of Lambda's Python; AWS chooses their versions."""

_UNLISTED = frozenset({"pip", "setuptools", "wheel"})
"""Packages that `pip freeze` leaves out of the image's list."""

_LONGEST_S = 600
_SETTINGS = {
    **EXAMPLES,
    "STATE_URL": "dynamodb://probe-",
    "LAKE_URL": "s3://probe/lake",
    "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/probe",
    "KEY_URL": "kms://alias/probe",
    "CATALOG_URL": "glue://probe/probe",
    "AIRFLOW_URL": "mwaa://probe",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "probe",
    "AWS_SECRET_ACCESS_KEY": "probe",
}


def image_packages() -> dict[str, str]:
    """The packages of MWAA's image: versions by name."""
    return {name_of(line): line.partition("==")[2] for line in requirements(IMAGE)}


def try_mwaa(dist: Path, scratch: Path) -> str:
    """Load DAGs, plugins and every module of the domain under MWAA's packages and the built requirements.txt.

    Errors: `SettingsError` that names what is missing or does not load.
    """
    added = requirements(dist / "requirements.txt")
    python = make_environment(scratch / "python", [*_brought_by_mwaa(), *added])
    known = {*image_packages(), *_UNLISTED, *map(name_of, added)}
    strangers = sorted(set(_installed(python)) - known)
    if strangers:
        raise SettingsError(f"MWAA's image lacks {', '.join(strangers)}, which this check had to install")
    home = scratch / "airflow"
    home.mkdir()
    with zipfile.ZipFile(dist / "plugins.zip") as archive:
        archive.extractall(home / "plugins")
    plugins = _probe(python, "probe_airflow.py", home, "plugins")
    (home / "dags").symlink_to(dist.resolve() / "dags")
    dags = _probe(python, "probe_airflow.py", home, "dags")
    wanted = sorted(path.stem for path in (dist / "dags").glob("*.py"))
    if plugins["errors"] or plugins["strays"] or dags["errors"] or dags["dags"] != wanted:
        raise SettingsError(f"Not everything would load on MWAA: plugins {plugins}, dags {dags}, expected {wanted}")
    return f"{len(wanted)} DAGs (the slowest parsed in {dags['slowest_s']:.1f} s), {dags['modules']} modules"


def try_http(scratch: Path) -> str:
    """Check that the web function, built for this machine, answers Strava's handshake. Errors: `SettingsError`."""
    query = {"hub.mode": "subscribe", "hub.verify_token": EXAMPLES["WEBHOOK_VERIFY_TOKEN"], "hub.challenge": "15f7"}
    event = http_event("GET", f"/webhook/{Settings.from_environ(EXAMPLES).webhook_path_secrets[0]}", query=query)
    said = _invoke(HTTP, scratch, event)
    if said["answer"]["statusCode"] != 200 or "15f7" not in said["answer"]["body"]:
        raise SettingsError(f"The web function answers a handshake with {said['answer']}")
    return f"answers a handshake, imported in {said['imported_s']:.1f} s"


def try_dispatcher(scratch: Path) -> str:
    """Check that the dispatcher, built for this machine, accepts an empty batch. Errors: `SettingsError`."""
    said = _invoke(DISPATCHER, scratch, {"Records": []})
    if said["answer"] != {"batchItemFailures": []}:
        raise SettingsError(f"The dispatcher answers an empty batch with {said['answer']}")
    return f"takes an empty batch, imported in {said['imported_s']:.1f} s"


def _invoke(wanted: Function, scratch: Path, event: Mapping[str, Any]) -> Any:
    python = make_environment(scratch / "python", LAMBDA_RUNTIME)
    write_tree(scratch, "task", function(wanted, target=None))
    return _probe(python, "probe_function.py", scratch / "task", wanted.module, event=event)


def _brought_by_mwaa() -> list[str]:
    """The packages of the project's group for MWAA that are in the image."""
    group = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"]["mwaa"]
    image = image_packages()
    return [line for line in group if name_of(line) in image]


def _installed(python: Path) -> list[str]:
    code = "import importlib.metadata as m; print('\\n'.join(d.name for d in m.distributions()))"
    done = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True)
    return [name_of(line) for line in done.stdout.splitlines()]


def _probe(python: Path, script: str, folder: Path, what: str, event: Mapping[str, Any] | None = None) -> Any:
    """The last line of a probe's output, parsed. Errors: `SettingsError` with all of its output."""
    done = subprocess.run(
        [python, "-I", "-B", Path(__file__).with_name(script), folder, what],
        cwd=folder,
        env={**_SETTINGS, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        input=json.dumps(event),
        check=False,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
    )
    if done.returncode:
        raise SettingsError(f"{script} {what} failed on its host's packages:\n{done.stderr.strip()[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])
