"""Brings the system to AWS and takes it down again: `python -m ops.deploy up|down dev [--dry-run]`.

Before the first time: `docs/deploy.md`.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import requests
import typer
from rich.console import Console

from include.aws import aws_faults, open_client
from include.errors import IngestError, NotProved, RetryLater, SettingsError
from include.secret import read_settings
from local.stack.environment import REPOSITORY
from ops.dag_sync import sync_dags
from ops.subscription import prove

app = typer.Typer(add_completion=False, help=__doc__)
console = Console(highlight=False)

_HEALTH_TIMEOUT_S = 30.0


class Environment(StrEnum):
    """An environment of Terraform's."""

    DEV = "dev"
    PROD = "prod"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, its description, and a function that does it and returns its result in a line."""

    name: str
    command: str
    act: Callable[[], str]


@app.command()
def up(
    environment: Environment,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """Package, apply, sync the DAGs, and check that Strava and what was built answer."""
    folder = REPOSITORY / "terraform" / "environments" / environment
    _play(
        [
            Step("package", "make package", lambda: _shell(["make", "package"])),
            Step("init", "terraform init -backend-config=backend.hcl", lambda: _init(folder)),
            Step("apply", "terraform apply", lambda: _terraform(folder, "apply", *_unasked(environment))),
            Step("sync dags", "dist/dags → the environment's bucket", lambda: _sync(folder)),
            Step("prove", "the secret; one free call to Strava's API", lambda: _prove(folder)),
            Step("smoke check", "web pages, Airflow's DAGs", lambda: _smoke(folder)),
        ],
        is_dry=is_dry,
    )


@app.command()
def down(
    environment: Environment,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """Destroy everything that the environment is billed for, its data included; prod refuses while it is protected."""
    folder = REPOSITORY / "terraform" / "environments" / environment
    if not is_dry:
        typer.confirm(f"Destroy {environment} with every athlete's data and tokens in it?", abort=True)
    _play(
        [
            Step("init", "terraform init -backend-config=backend.hcl", lambda: _init(folder)),
            Step("destroy", "terraform destroy", lambda: _terraform(folder, "destroy", "-auto-approve")),
        ],
        is_dry=is_dry,
    )


def _play(steps: Sequence[Step], *, is_dry: bool) -> None:
    begun = time.monotonic()
    for number, step in enumerate(steps, start=1):
        console.print(f"[bold]{number}. {step.name}[/]", step.command)
        if is_dry:
            continue
        started = time.monotonic()
        try:
            said = step.act()
        except IngestError as err:
            console.print("   [red]✗[/]", end=" ")
            console.print(str(err), markup=False)
            raise typer.Exit(1) from None
        console.print(f"   [green]✓[/] {time.monotonic() - started:.1f} s", end=" ")
        console.print(said, markup=False)
    if not is_dry:
        console.print(f"Done in {time.monotonic() - begun:.0f} s.")


def _shell(command: Sequence[str], cwd: Path = REPOSITORY) -> str:
    """Run a command whose output the operator sees. Errors: `SettingsError` when it fails."""
    done = subprocess.run(command, cwd=cwd, check=False)
    if done.returncode:
        raise SettingsError(f"{' '.join(command)} failed ({done.returncode}); what it said is above.")
    return ""


def _terraform(folder: Path, *arguments: str) -> str:
    return _shell(["terraform", *arguments], folder)


def _unasked(environment: Environment) -> Sequence[str]:
    """Changes of dev are made without a question; those of prod Terraform shows first."""
    return ["-auto-approve"] if environment is Environment.DEV else []


def _init(folder: Path) -> str:
    for name in ("backend.hcl", "terraform.tfvars"):
        if not (folder / name).is_file():
            raise SettingsError(
                f"{folder.relative_to(REPOSITORY)}/{name} is missing: docs/deploy.md says what is in it."
            )
    return _terraform(folder, "init", "-input=false", "-backend-config=backend.hcl")


def outputs(folder: Path) -> Mapping[str, Any]:
    """The outputs of the applied environment. Errors: `SettingsError` where nothing is applied."""
    command = ["terraform", "output", "-json"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    values = json.loads(done.stdout) if done.returncode == 0 else {}
    if not values:
        raise SettingsError(
            f"terraform output tells nothing of {folder.name}: {done.stderr.strip() or 'apply it first'}"
        )
    return {name: output["value"] for name, output in values.items()}


def _sync(folder: Path) -> str:
    bucket = outputs(folder)["dags_bucket"]
    with aws_faults("DAGS_BUCKET"):
        report = sync_dags(open_client("s3", "DAGS_BUCKET"), bucket, REPOSITORY / "dist" / "dags")
    return f"{report.uploaded} uploaded, {report.unchanged} unchanged, {report.deleted} deleted"


def _prove(folder: Path) -> str:
    built = outputs(folder)
    check_secret(built["secret_name"])
    return check_strava(built["settings"])


def _smoke(folder: Path) -> str:
    built = outputs(folder)
    health = check_health(built["public_url"])
    dags = check_dags(built["airflow_environment"])
    return f"{built['public_url']} answers {health}, Airflow knows {dags} DAGs: {built['airflow_url']}"


def check_secret(name: str) -> None:
    """Check that the secret has a value. Errors: `SettingsError` with the command that gives it one."""
    client = open_client("secretsmanager", "SECRET_ID")
    with aws_faults("SECRET_ID"):
        stages = client.describe_secret(SecretId=name).get("VersionIdsToStages")
    if not stages:
        raise SettingsError(
            f"The secret {name} has no value yet. Write secret.json as docs/deploy.md shows, then:"
            f" aws secretsmanager put-secret-value --secret-id {name} --secret-string file://secret.json"
        )


def check_strava(environ: Mapping[str, str]) -> str:
    """In words, whether Strava's API answers where the settings in `environ` say; what was seen is remembered there.

    A Strava that does not answer is said, and stops nothing: reconcile asks again.
    Errors: `WrongInstallation` where something else answers, or to other credentials.
    """
    try:
        return prove(read_settings(environ))
    except NotProved as err:
        return str(err)


def check_health(public_url: str) -> str:
    """The status that the web pages report. Errors: `RetryLater` when they do not answer well."""
    try:
        answer = requests.get(f"{public_url}/health", timeout=_HEALTH_TIMEOUT_S)
    except requests.RequestException as err:
        raise RetryLater(
            f"{public_url}/health does not answer ({type(err).__name__}); look at the function's log"
        ) from err
    if answer.status_code != 200:
        raise RetryLater(f"{public_url}/health answers {answer.status_code}: {answer.text[:500]}")
    return "ok"


def check_dags(environment: str) -> int:
    """The count of Airflow's DAGs. Errors: `RetryLater` while it lacks some or cannot import one."""
    client = open_client("mwaa", "AIRFLOW_URL", read_timeout_s=11)
    with aws_faults("AIRFLOW_URL"):
        found = client.invoke_rest_api(Name=environment, Path="/dags", Method="GET")["RestApiResponse"]
        broken = client.invoke_rest_api(Name=environment, Path="/importErrors", Method="GET")["RestApiResponse"]
    wanted = {path.stem for path in (REPOSITORY / "dags").glob("*.py")}
    missing = sorted(wanted - {dag["dag_id"] for dag in found["dags"]})
    if broken["total_entries"]:
        raise RetryLater(f"Airflow cannot import: {', '.join(one['filename'] for one in broken['import_errors'])}")
    if missing:
        raise RetryLater(f"Airflow does not know {', '.join(missing)} yet; new files take up to five minutes")
    return len(wanted)


if __name__ == "__main__":
    app()
