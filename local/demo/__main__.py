"""The demo's command line: `python -m local.demo [--data DIR]`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from include.errors import IngestError
from local.demo import erasure, report
from local.demo.play import Play
from local.demo.scenario import Scenario, invented, recorded
from local.environment import REPOSITORY
from local.progress import Progress
from local.stack import Stack
from local.strava_simulator.control_client import SimulatorControl

INTERRUPTED = 130


def main(
    data: Annotated[
        Path | None, typer.Option(help="Folder of recordings: <name>/activity.json + streams.json.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which activities are invented.")] = 2026,
) -> None:
    """Show everything end to end on this machine, and check every point of it.

    Exit status: 0 only if the lake and the child's account hold what the parent did.
    """
    console = Console(soft_wrap=not sys.stdout.isatty())
    try:
        scenario = recorded(data) if data else invented(datetime.now(UTC), seed=seed)
        holds = perform(scenario, console)
    except KeyboardInterrupt:
        console.print("Interrupted; every process of the demo has ended. `make demo` starts afresh.")
        raise typer.Exit(INTERRUPTED) from None
    except IngestError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    raise typer.Exit(0 if holds else 1)


def perform(scenario: Scenario, console: Console) -> bool:
    """Play the scenario on a fresh system and print the report; whether everything holds."""
    progress = Progress(console)
    began = time.monotonic()

    def step(what: str) -> None:
        progress.say(f"[{time.monotonic() - began:5.1f} s] {what}")

    step("Starting the simulated Strava, the web pages, the dispatcher and Airflow")
    with (
        Stack.start(
            state_dir=REPOSITORY / ".state" / "demo",
            dags=sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py")),
            progress=progress,
            fresh=True,
        ) as stack,
        SimulatorControl(stack.simulator_url) as control,
    ):
        play = Play(stack, scenario, progress, control)
        step("A parent and a child connect")
        play.connect()
        step("The parent finishes activities")
        play.finish_activities()
        step("The parent renames one")
        play.rename()
        step("An operator loads the parent's history")
        play.load_history()
        step("Comparing")
        findings = report.examine(play)
        report.show(console, play, findings)
        step("The parent has everything erased")
        erased = play.erase_parent()
        erasure.show(console, erased)
    step("Everything has ended")
    return findings.hold and erased.hold


if __name__ == "__main__":
    typer.run(main)
