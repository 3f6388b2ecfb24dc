"""The simulator's command line: `python -m local.strava_simulator`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from local.strava_simulator.control_client import SimulatorControl
from local.strava_simulator.recordings.directory import load_directory
from local.strava_simulator.server import running_simulator
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.quota import Tier
from local.strava_simulator.world.simulation import DuplicateText, OlderPair, Rules

_RECORDED_ATHLETE_ID = 5_000_001


def main(  # noqa: PLR0913, PLR0917 - each parameter is one option of the command
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 for any free one.")] = 8180,
    state: Annotated[str, typer.Option(help="SQLite file that keeps everything, or :memory:.")] = ":memory:",
    data: Annotated[Path | None, typer.Option(help="Directory of recorded activities for one athlete.")] = None,
    limits: Annotated[Tier, typer.Option(help="Rate limits and athletes of the application.")] = Tier.STANDARD,
    processing_s: Annotated[float, typer.Option(min=0, help="Seconds that an upload is processed.")] = 1.5,
    retry_gap_s: Annotated[float, typer.Option(min=0, help="Seconds between tries to deliver an event.")] = 60.0,
    duplicate_text: Annotated[DuplicateText, typer.Option(help="Form of the duplicate error.")] = DuplicateText.HTML,
    seed: Annotated[int, typer.Option(help="Seed of the random faults.")] = 0,
    older_pair: Annotated[
        OlderPair, typer.Option(help="What a new authorisation does to earlier token pairs.")
    ] = OlderPair.DIES,
    around: Annotated[
        list[str] | None, typer.Option(metavar="NAME=URL", help="A page of the system to link to; once for each.")
    ] = None,
) -> None:
    """Serve a simulation of Strava's API v3 until interrupted; its control API is under /simulator/.

    The application is that of STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET, else the simulator's own.
    """
    application = replace(_application(os.environ), athlete_capacity=limits.athlete_capacity)
    rules = Rules(limits.limits, processing_s, retry_gap_s, duplicate_text, seed, older_pair)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    links = {name: address for name, _, address in (each.partition("=") for each in around or ())}
    with running_simulator(state_path=state, application=application, rules=rules, port=port, around=links) as running:
        if data is not None:
            _load(running.control, data)
        print(f"Strava simulator at {running.base_url} for application {application.client_id}", flush=True)
        stopped.wait()


def _application(environ: Mapping[str, str]) -> Application:
    own = Application()
    try:
        client_id = int(environ.get("STRAVA_CLIENT_ID", own.client_id))
    except ValueError as err:
        raise typer.BadParameter("STRAVA_CLIENT_ID is a number, such as 10001") from err
    return Application(client_id, environ.get("STRAVA_CLIENT_SECRET", own.client_secret))


def _load(control: SimulatorControl, directory: Path) -> None:
    """Give the recorded athlete the recordings that it does not have yet; a restart adds none twice."""
    if _RECORDED_ATHLETE_ID not in {athlete["id"] for athlete in control.athletes()}:
        control.create_athlete(athlete_id=_RECORDED_ATHLETE_ID, firstname="Recorded", lastname="Athlete")
    known = set(control.activity_ids(_RECORDED_ATHLETE_ID))
    for activity in load_directory(directory, athlete_id=_RECORDED_ATHLETE_ID):
        if activity.activity_id not in known:
            control.finish_activity(_RECORDED_ATHLETE_ID, activity, announce=False)


if __name__ == "__main__":
    typer.run(main)
