"""Backup and restore of the system on this machine: `python -m ops.backup take|restore FOLDER`, `reconnects`."""

from __future__ import annotations

import os
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from include.errors import BadRequest, IngestError, NotConnected, RetryLater
from include.pipeline.services import Services, open_services
from include.state.accounts.athletes import AthleteRow, AthleteStatus
from ops.backup.decisions import TakenOver
from ops.backup.manifest import Manifest
from ops.backup.restore import Restored
from ops.backup.restore import restore as put_back
from ops.backup.take import take as take_backup
from ops.installation import ENV, WHICH, installed_settings, named_root, shown
from ops.machine.environment import read_overrides
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY

_ELSEWHERE = ("STATE_URL", "QUEUE_URL", "LAKE_URL", "KEY_URL")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Backup and restore of state, keys and lake of a system on this machine; docs/recovery.md is about AWS too.",
)
Folder = Annotated[Path, typer.Argument(file_okay=False, help="The folder of the backup.")]


@app.command()
def take(folder: Folder) -> None:
    """Copy state, keys and lake into a new folder; the system may run meanwhile."""
    place = _place("this only reads")
    manifest = take_backup(place, folder.resolve(), _version(), time.time)
    print(f"Backed up into {folder}: {_size(manifest)}.")
    print("It holds keys and tokens: keep it as safe as the system itself.")


@app.command()
def restore(
    folder: Folder,
    over: Annotated[bool, typer.Option("--over", help="Replace a system; its files are moved aside.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and tell, change nothing.")] = False,
) -> None:
    """Put a backup back into STATE_DIR, whose system must not run."""
    place = _place("this only reads" if dry_run else "this writes, it restores a backup")
    restored = put_back(place, folder.resolve(), over=over, clock=time.time, dry_run=dry_run)
    print("\n".join(report(restored, dry_run=dry_run)))


@app.command(epilog=WHICH)
def reconnects() -> None:
    """Ask Strava about every athlete's tokens, and list who has to connect again; counts in no quota."""
    with open_services(installed_settings("renews the tokens of every athlete")) as services:
        refused = refused_athletes(services)
    if not refused:
        print("Strava accepts the tokens of everyone who is connected.")
        return
    table = Table("athlete", "name", "refused since")
    for athlete in refused:
        since = datetime.fromtimestamp(athlete.refused_at_epoch_s or 0, UTC)
        table.add_row(str(athlete.athlete_id), athlete.firstname, f"{since:%Y-%m-%d %H:%M} UTC")
    Console().print(table)
    print("They connect again on the start page; until then nothing of theirs is fetched, and nothing is lost.")


def refused_athletes(services: Services) -> list[AthleteRow]:
    """The athletes who have to connect again, after each pair of tokens was tried.

    Errors: `RetryLater` while Strava does not answer. Effects: the tokens are renewed; safe to repeat.
    """
    everyone = [one for one in services.state.athletes.all() if one.status is not AthleteStatus.REVOKED]
    for athlete in track(everyone, "Asking Strava", console=Console(stderr=True), transient=True):
        try:
            services.strava.tokens.prove(athlete.athlete_id)
        except NotConnected:
            continue  # disconnected or erased meanwhile
    return [one for one in services.state.athletes.all() if one.status is AthleteStatus.NEEDS_REAUTH]


def report(restored: Restored, *, dry_run: bool) -> list[str]:
    """The result of a restore, and the operator's next steps, in lines."""
    manifest = restored.manifest
    backup = f"{_size(manifest)}, taken by version {manifest.version}"
    lines = [f"The backup is whole: {backup}. Nothing was changed." if dry_run else f"Restored: {backup}."]
    if restored.aside is not None:
        lines.append(f"What was there is in {restored.aside}; delete it when all is well.")
    lines.append(_decided(restored.taken_over, dry_run=dry_run))
    if not dry_run:
        lines.append(
            "Next: `make up`, then `make reconnects`: it lists whose tokens Strava has renewed since, who have to "
            "connect again. All athletes are signed out. What happened since is found in Strava's lists within hours; "
            "nothing is uploaded twice."
        )
    return lines


def _decided(taken_over: TakenOver | None, *, dry_run: bool) -> str:
    """The decisions that people have made since the backup, and whether the restored state has them."""
    if taken_over is None and dry_run:
        return (
            "There is no state here that can be read, so a restore would not know whose data was erased, and who ended "
            "or changed a link, after that time. Mail addresses, invitations and hidden places would be those of then."
        )
    if taken_over is None:
        return (
            "Not known: whose data was erased, and who ended or changed a link, after that time. If there is anybody "
            "(mails, certificates), start strava_erase for them, or `make links ARGS=end`, before anything else. "
            "Mail addresses, invitations and hidden places are those of that time."
        )
    erased = ", ".join(map(str, taken_over.erased)) or "nobody"
    links = ", ".join(f"{parent_id}→{child_id}" for parent_id, child_id in taken_over.links) or "none"
    did = "A restore would take over from the state that is here" if dry_run else "Taken over from the replaced state"
    return (
        f"{did}: erasures of {erased}; changed links: {links}; {taken_over.rows} rows of mail addresses, mails sent, "
        "invitations and hidden places."
    )


def _size(manifest: Manifest) -> str:
    return f"{len(manifest.files)} files, {manifest.megabytes:.1f} MB, as of {manifest.taken_at}"


def _version() -> str:
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"])


def _place(effect: str) -> StateDir:
    """The system's directory, named on standard error first. Errors: `BadRequest` if its data is kept elsewhere."""
    if ENV in os.environ:
        raise BadRequest(
            f"ENV={os.environ[ENV]}: AWS keeps backups of its own, and docs/recovery.md says how each is restored."
        )
    elsewhere = [name for name in _ELSEWHERE if name in read_overrides(REPOSITORY / ".env")]
    if elsewhere:
        raise BadRequest(f".env sets {', '.join(elsewhere)}: back up what lies there with the means of that place.")
    root = named_root()
    print(f"the system in {shown(root)}: {effect}.", file=sys.stderr)
    return StateDir(root)


if __name__ == "__main__":
    try:
        app()
    except (IngestError, RetryLater) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(
            f"{error.filename or 'The disk'}: {error.strerror or error}. Mend that. Then take a backup into a new "
            "folder; a restore goes on with the same command."
        )
