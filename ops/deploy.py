"""Deploys the system to AWS, or destroys it there: `python -m ops.deploy up|down dev [--dry-run]`.

Before the first time: `docs/deploy.md`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from include.aws import aws_faults, open_client
from include.errors import IngestError, NotProved, SettingsError
from include.secret import read_settings
from ops import smoke
from ops.dag_sync import sync_dags
from ops.installation import check_secret
from ops.repository import REPOSITORY
from ops.subscription import ensure, prove
from ops.terraform_outputs import Environment, outputs
from webhook_api.site.files import missing_marks

app = typer.Typer(add_completion=False, help=__doc__)
console = Console(highlight=False)

_STAYS = """These stay for a while, and are not billed by the hour:
- DynamoDB's own backup of each table, for 35 days, with athletes' rows; the tokens in it stay encrypted
- both keys, disabled, for 7 days (prod: 30); after that nothing that they encrypted can be read, not even a backup
- prod's secret, for 30 days; its name cannot be used again until then
- CloudWatch's metrics for 15 months, and Athena's texts of queries for 45 days
- the bucket with Terraform's state, for the next time
Strava does not know of it: the subscription ends before, by `make subscription ENV=… ARGS=delete`."""


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
    """Package, apply, sync the DAGs, check Strava and the deployment, and subscribe to Strava's events."""
    folder = environment.folder
    _run_steps(
        [
            Step("package", "make package", _package),
            Step("init", "terraform init -backend-config=backend.hcl", lambda: _init(folder)),
            Step("apply", "terraform apply", lambda: _terraform(folder, "apply", *_unasked(environment))),
            Step("sync dags", "dist/dags → the environment's bucket", lambda: _sync(folder)),
            Step("prove", "the secret; one free call to Strava's API", lambda: _prove(folder)),
            Step("smoke check", "web pages, webhook, Airflow's DAGs, a test event", lambda: _smoke(folder)),
            Step("subscription", "create it at Strava, or show it", lambda: _subscribe(environment)),
        ],
        is_dry=is_dry,
    )


@app.command()
def down(
    environment: Environment,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """Destroy everything that the environment is billed for, its data included; prod refuses while it is protected.

    It needs no artefacts, and may be repeated until everything is destroyed.
    """
    folder = environment.folder
    if not is_dry:
        typer.confirm(f"Destroy {environment} with every athlete's data and tokens in it?", abort=True)
    _run_steps(
        [
            Step("init", "terraform init -backend-config=backend.hcl", lambda: _init(folder)),
            Step("destroy", "terraform destroy", lambda: _terraform(folder, "destroy", "-auto-approve")),
        ],
        is_dry=is_dry,
    )
    console.print(_STAYS, markup=False)


def _run_steps(steps: Sequence[Step], *, is_dry: bool) -> None:
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
        raise SettingsError(f"{' '.join(command)} failed ({done.returncode}); its output is above.")
    return ""


def _package() -> str:
    _shell(["make", "package"])
    return missing_marks(REPOSITORY / "webhook_api" / "static")


def _terraform(folder: Path, *arguments: str) -> str:
    return _shell(["terraform", *arguments], folder)


def _unasked(environment: Environment) -> Sequence[str]:
    """Arguments that skip Terraform's question, for dev; for prod Terraform shows the changes and asks."""
    return ["-auto-approve"] if environment is Environment.DEV else []


def _init(folder: Path) -> str:
    for name in ("backend.hcl", "terraform.tfvars"):
        if not (folder / name).is_file():
            raise SettingsError(f"{folder.relative_to(REPOSITORY)}/{name} is missing: docs/deploy.md describes it.")
    return _terraform(folder, "init", "-input=false", "-backend-config=backend.hcl")


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
    return smoke.check(outputs(folder), smoke.until_deadline())


def _subscribe(environment: Environment) -> str:
    settings = read_settings(outputs(environment.folder)["settings"])
    try:
        return ensure(settings)
    except IngestError as err:
        again = f"make subscription ENV={environment} ARGS="
        raise SettingsError(
            f"{err} All else is deployed. To try again: {again}create. To end one that sends events elsewhere: "
            f"{again}delete."
        ) from None


def check_strava(environ: Mapping[str, str]) -> str:
    """In words, whether Strava's API answers at the URL of the settings in `environ`; the result is stored there.

    No answer from Strava is reported, but is not an error: reconcile asks again.
    Errors: `WrongInstallation` where something else answers, or Strava refuses the credentials.
    """
    try:
        return prove(read_settings(environ))
    except NotProved as err:
        return str(err)


if __name__ == "__main__":
    app()
