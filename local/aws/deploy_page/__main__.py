"""Runs every command of `docs/deploy.md` in order against moto: `python -m local.aws.deploy_page`.

What moto lacks is beside it: MWAA's own API, an HTTP API with both functions behind it, and Strava.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from include.errors import SettingsError
from local.aws.deploy_page.account import functions_and_airflow, open_account
from local.aws.deploy_page.machine import Machine
from local.aws.deploy_page.page import PageCommand, commands
from local.aws.deploy_page.shell import Ended, page_shell
from local.docs.pages import write
from local.proofs import record
from local.proofs.record import Run
from local.proofs.verdict import Verdict
from ops.repository import REPOSITORY

PAGE = REPOSITORY / "docs" / "deploy.md"
NOT_RUN: Mapping[str, str] = {
    "make env PYTHON=python3.12": "the clone has the packages of the environment that runs this",
    "make test-terraform": "a gate of its own, which needs no account",
    "make apply-moto": "a gate of its own; everything is applied here too",
}
"""The commands that are not run, and why."""

SAYS: Mapping[str, str] = {
    "terraform -chdir=terraform/bootstrap apply -var region=eu-central-1": "Apply complete! Resources: 6 added",
    "make deploy ENV=dev": "Strava sends events to",
    "make subscription ENV=dev ARGS=create": "Strava sends events to this system",
    "make subscription ENV=dev ARGS=delete": "has ended",
    "make alarms ENV=dev": "a mail with the subject Test",
    "make dead-letters ENV=dev": "0 dead letter(s)",
    'make query ENV=dev SQL="SELECT name, sport_type, distance_m FROM activities ORDER BY start_ts_utc DESC LIMIT 5"': (
        "dev on AWS (eu-central-1, account 123456789012), simulated Strava: this only reads."
    ),
    'curl -s "https://$(jq -r .WebServerHostname <<<"$token")/aws_mwaa/cli" '
    '-H "Authorization: Bearer $(jq -r .CliToken <<<"$token")" -H \'Content-Type: text/plain\' \\': (
        "Called: db clean --tables log,asset_event --clean-before-timestamp 20"
    ),
    "make destroy ENV=dev": "Destroy complete!",
}
"""What has to stand in the answers of some, beside an exit status of 0."""

_FAILED = 2
"""Of make, whatever the status of what it runs."""
_FIRST_DEPLOYMENT = "make deploy ENV=dev"
_NO_SECRET = "has no value yet"  # noqa: S105 - what is said of it
_SECRET_IS_SET = "aws secretsmanager put-secret-value"  # noqa: S105 - a command


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A command of the page, how it ended, and what is wrong with that; the fault is empty where all is well."""

    command: PageCommand
    ended: Ended | None
    """None for one that is not run."""
    fault: str


def run_commands(scratch: Path) -> Iterator[CommandRun]:
    """Run the page's commands in order, with a machine and an account below the empty folder `scratch`.

    Errors: `SettingsError` where the machine lacks a program.
    """
    with ExitStack() as stack:
        account, addresses = stack.enter_context(open_account())
        machine = Machine.set_up(scratch, addresses)
        shell = stack.enter_context(page_shell(machine.clone, machine.environ, scratch / "typed"))
        typed = {
            "terraform -chdir=terraform/bootstrap apply -var region=eu-central-1": "yes\n",
            "read -rp 'Client ID: ' client_id": f"{account.application.client_id}\n",
            "read -rsp 'Client secret: ' client_secret": f"{account.application.client_secret}\n",
            "make destroy ENV=dev": "y\n",
        }
        hidden: Mapping[str, str] = {}
        for command in commands(PAGE.read_text()):
            if command.line in NOT_RUN:
                yield CommandRun(command, None, "")
                continue
            ended = shell.run(command.text, typed.get(command.line, ""))
            yield CommandRun(command, ended, fault_of(command.line, ended, hidden))
            if command.line.startswith(_SECRET_IS_SET):
                hidden = stack.enter_context(functions_and_airflow(machine, account))


def fault_of(line: str, ended: Ended, hidden: Mapping[str, str]) -> str:
    """What is wrong with how a command ended; `hidden` are the values that nothing may print, known once they are set.

    The first deployment finds no secret, and so has to fail and say so.
    """
    if shown := [name for name, value in hidden.items() if value in ended.printed]:
        return f"it prints {', '.join(shown)}"
    is_first = line == _FIRST_DEPLOYMENT and not hidden
    status, words = (_FAILED, _NO_SECRET) if is_first else (0, SAYS.get(line, ""))
    if ended.status != status:
        return f"it ended with {ended.status}"
    return "" if words in " ".join(ended.printed.split()) else f"it does not say {words!r}"


def main() -> None:
    """Run every command, say how each ended and how long it took, and write that to docs/proofs.md.

    What a faulty one printed is shown.
    """
    console = Console(highlight=False)
    machine, began_s, verdicts = record.machine(), time.monotonic(), []
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for command_run in run_commands(Path(scratch)):
                _show(console, command_run)
                if command_run.ended is not None:
                    verdicts.append(verdict_of(command_run.command, command_run.ended, command_run.fault))
    except SettingsError as err:
        console.print(f"[red]✗[/] {err}")
        raise typer.Exit(1) from None
    record.keep("deploy_page", Run.of_today(round(time.monotonic() - began_s), machine, verdicts))
    write("proofs")
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(1)


def verdict_of(command: PageCommand, ended: Ended, fault: str) -> Verdict:
    """One row of docs/proofs.md."""
    figures = f"{ended.took_s:.1f} s{f'; {fault}' if fault else ''}"
    return Verdict(command.section, f"`{command.line}`", figures, not fault)


def _show(console: Console, command_run: CommandRun) -> None:
    line, ended = command_run.command.line, command_run.ended
    if ended is None:
        console.print(f"  –         {line}: not run, {NOT_RUN[line]}", markup=False, soft_wrap=True)
        return
    mark = "[red]✗[/]" if command_run.fault else "[green]✓[/]"
    console.print(f"  {mark} {ended.took_s:5.1f} s", end=" ")
    console.print(f"{line}{f': {command_run.fault}' if command_run.fault else ''}", markup=False, soft_wrap=True)
    if command_run.fault:
        console.print(ended.printed, markup=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
