"""Rebuilds the lake's tables from the raw zone: `python -m ops.replay [--athlete 7] [--since 2026-01-01]`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from include.errors import BadRequest, IngestError
from include.pipeline.catalog import register_waiting
from include.pipeline.replay import Replayed, plan, replay
from include.pipeline.services import Services, open_services
from ops.installation import WHICH, installed_settings

app = typer.Typer(add_completion=False)


@app.command(epilog=WHICH)
def main(
    athlete: Annotated[int | None, typer.Option(min=1, help="Strava's id of the athlete; else everyone.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only activities from this day (UTC) on."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, write nothing.")] = False,
) -> None:
    """Rebuild the rows of streams, activities and laps from the raw zone, without a call to Strava.

    Unchanged objects are not written. The system may run meanwhile, and the command may be repeated at any time.
    The exit status is 1 when an object could not be read; the others are rebuilt nevertheless.
    """
    try:
        settings = installed_settings("" if dry_run else "rebuilds the lake's tables")
        with open_services(settings) as services:
            first_start_at = since.replace(tzinfo=UTC) if since else None
            done = replay_all(services, athlete, first_start_at, dry_run=dry_run)
            register_waiting(services)
    except IngestError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    for message in done.unreadable:
        print(message, file=sys.stderr)
    print(summary(done, dry_run=dry_run))
    if done.unreadable:
        raise typer.Exit(1)


def replay_all(
    services: Services, athlete_id: int | None, first_start_at: datetime | None, *, dry_run: bool
) -> Replayed:
    """Replay one athlete, or everyone, with a progress bar on a terminal.

    Errors: `BadRequest` for an unknown athlete; those of `replay`.
    """
    everyone = [athlete.athlete_id for athlete in services.state.athletes.all()]
    if athlete_id is not None and athlete_id not in everyone:
        raise BadRequest(f"There is no athlete {athlete_id} here; leave --athlete out to replay everyone.")
    athletes = everyone if athlete_id is None else [athlete_id]
    chunks = [chunk for one in athletes for chunk in plan(services, one, first_start_at)]
    done = Replayed()
    columns = (
        TextColumn("Replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("activities"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=sum(len(chunk.activity_ids) for chunk in chunks))
        for chunk in chunks:
            done += replay(services, chunk, dry_run=dry_run)
            progress.advance(bar, len(chunk.activity_ids))
    return done


def summary(done: Replayed, *, dry_run: bool) -> str:
    """The result in one line."""
    parts = [f"{done.activities} activities, {done.rows} rows"]
    parts += [f"{done.busy} activities left to the runs that hold them"] if done.busy else []
    parts += [f"{len(done.unreadable)} objects unreadable"] if done.unreadable else []
    return f"{'Would rebuild' if dry_run else 'Rebuilt'}: {'; '.join(parts)}."


if __name__ == "__main__":
    app()
