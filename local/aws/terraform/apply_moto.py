"""Applies a whole environment to moto's server: `python -m local.aws.terraform.apply_moto [dev|prod]`.

It shows that the configuration can be applied from zero, in one step, and that small changes of it have small plans.
AWS may still refuse what moto accepts.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from include.errors import SettingsError
from local.aws.terraform.changes import Changes, planned
from local.aws.terraform.mwaa_control import mwaa_control
from local.aws.terraform.tool import Terraform
from local.docs.pages import write
from local.proofs import record
from local.proofs.record import Run
from local.proofs.verdict import Verdict
from ops.repository import REPOSITORY

_REGION = "eu-central-1"
_READY_S = 60.0
_OVERRIDE = f"""
terraform {{
  backend "local" {{}}
}}

provider "aws" {{
  region            = "{_REGION}"
  access_key        = "simulated"
  secret_key        = "simulated"
  s3_use_path_style = true
}}
"""
BUCKET_POLICY = """
resource "aws_s3_bucket_policy" "tls" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:*", Resource = "*" }]
  })
}
"""
"""A bucket policy without the deny statement: moto ignores its condition and would refuse every read."""

_ZIPS = ("webhook_http.zip", "webhook_dispatcher.zip", "plugins.zip")
_TEXTS = ("requirements.txt", "dags/constraints-3.3.1.txt")


SMALL_CHANGES: Mapping[str, tuple[str, str]] = {
    "a second NAT gateway": ("nat_gateway_count = 1", "nat_gateway_count = 2"),
    "one more default tag": ("tags = { project", 'tags = { owner = "data-engineering", project'),
    "logs for two weeks": ("is_protected       =", "log_retention_days = 14\n  is_protected       ="),
}
"""Changes of dev's `main.tf` by name: the present text, and its replacement."""


@dataclass(frozen=True, slots=True)
class Applied:
    """An environment that was applied to moto's server."""

    terraform: Terraform
    folder: str
    variables: Sequence[str]
    resources: Sequence[str]
    """The type of every resource."""
    applied_s: float

    def planned(self, *options: str) -> Changes:
        """The changes of the next plan. Errors: `SettingsError`."""
        return planned(self.terraform, self.folder, *self.variables, *options)

    def planned_after(self, change: tuple[str, str]) -> Changes:
        """The changes of a plan after an edit of `main.tf`, which is then reverted. Errors: `SettingsError`."""
        path = self.terraform.folder / self.folder / "main.tf"
        before = path.read_text()
        if before.count(change[0]) != 1:
            raise SettingsError(f"{self.folder}/main.tf does not contain {change[0]!r} exactly once")
        path.write_text(before.replace(*change))
        try:
            return self.planned("-refresh=false")
        finally:
            path.write_text(before)

    def planned_destroy(self) -> Changes:
        """The changes of `make destroy` in a fresh clone without packages. Errors: `SettingsError`."""
        return planned(self.terraform, self.folder, "-destroy", *self.variables, "-var=dist=./nothing")


def main(environment: Annotated[str, typer.Argument(help="dev or prod")] = "dev") -> None:
    """Apply one environment to moto's server, list its resources, and print the changes of further plans.

    For dev that goes to docs/proofs.md too.
    """
    console = Console(highlight=False)
    machine, began_s, verdicts = record.machine(), time.monotonic(), []
    try:
        with tempfile.TemporaryDirectory() as scratch, moto() as address, mwaa_control() as proxy:
            applied = apply(Path(scratch), f"environments/{environment}", address, proxy)
            _show(console, applied, environment)
            for verdict in _verdicts(applied, SMALL_CHANGES if environment == "dev" else {}):
                console.print(f"{verdict.proof}: {verdict.figures}", markup=False)
                verdicts.append(verdict)
    except SettingsError as err:
        console.print(f"[red]✗[/] {environment} was not applied and planned:", end=" ")
        console.print(str(err), markup=False)
        raise typer.Exit(1) from None
    if environment == "dev":
        record.keep("apply_moto", Run.of_today(round(time.monotonic() - began_s), machine, verdicts))
        write("proofs")
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(1)


def _verdicts(applied: Applied, changes: Mapping[str, tuple[str, str]]) -> Iterator[Verdict]:
    """The rows of docs/proofs.md."""
    figures = f"{len(applied.resources)} resources in {applied.applied_s:.0f} s"
    yield Verdict("apply", "an environment comes from nothing in one step", figures, holds=True)
    again = applied.planned()
    yield Verdict("a second plan", "changes nothing", again.summary, not again.actions)
    for name, change in changes.items():
        changed = applied.planned_after(change)
        yield Verdict(name, "replaces nothing", changed.summary, not changed.destroyed)
    gone = applied.planned_destroy()
    is_all = len(gone.actions) == len(applied.resources)
    yield Verdict("destroy, without dist/", "takes every resource", gone.summary, is_all)


def _show(console: Console, applied: Applied, environment: str) -> None:
    table = Table("resource", "how many", title=f"{environment}, applied to moto's server")
    for kind, count in sorted(Counter(applied.resources).items()):
        table.add_row(kind, str(count))
    console.print(table)
    console.print(
        f"[green]✓[/] {len(applied.resources)} resources applied in {applied.applied_s:.0f} s; outputs are set."
    )


def apply(scratch: Path, folder: str, moto_url: str, proxy_url: str) -> Applied:
    """An environment, applied from zero in one step. Errors: `SettingsError`, also for an output without a value."""
    terraform = Terraform.copy_into(scratch, {**os.environ, **_environment(moto_url, proxy_url)})
    (terraform.folder / folder / "moto_override.tf").write_text(_OVERRIDE)
    for module in ("lake", "mwaa"):
        (terraform.folder / "modules" / module / "moto_override.tf").write_text(BUCKET_POLICY)
    terraform.run("init", "-input=false", "-no-color", folder=folder)
    variables = [
        *(f"-var=region={_REGION}", "-var=retention_days=7", f"-var=dist={artefacts(scratch / 'dist')}"),
        '-var=operator={name = "Ann Example", contact = "privacy@example.org"}',
    ]
    begun = time.monotonic()
    terraform.run("apply", "-auto-approve", "-no-color", "-parallelism=20", *variables, folder=folder)
    applied_s = time.monotonic() - begun
    state = json.loads(terraform.run("show", "-json", folder=folder))["values"]
    missing = [name for name, output in state["outputs"].items() if not output["value"]]
    if missing:
        raise SettingsError(f"outputs without a value: {', '.join(missing)}")
    return Applied(terraform, folder, variables, list(_kinds(state["root_module"])), applied_s)


def artefacts(folder: Path) -> Path:
    """The artefacts of `make package`, or stand-ins of the same names if it has not run."""
    built = REPOSITORY / "dist"
    for name in (*_ZIPS, *_TEXTS):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if (built / name).is_file():
            shutil.copyfile(built / name, path)
        elif name in _ZIPS:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("empty.py", "")
        else:
            path.write_text("")
    return folder


@contextmanager
def moto() -> Iterator[str]:
    """The address of a fresh moto server, ended with the block. Errors: `SettingsError` when it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "local.aws.terraform.moto_server", "--host", "127.0.0.1", "--port", str(port)]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(f"{address}/moto-api/", server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - a loopback address of our own
                return
        except OSError:
            time.sleep(0.2)
    raise SettingsError(f"moto's server did not answer within {_READY_S:.0f} s")


def _environment(moto_url: str, proxy_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_REGION": _REGION,
        "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "HTTP_PROXY": proxy_url,
        "NO_PROXY": "",
    }


def _kinds(module: Mapping[str, Any]) -> Iterator[str]:
    yield from (resource["type"] for resource in module.get("resources", ()) if resource["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from _kinds(child)


if __name__ == "__main__":
    typer.run(main)
