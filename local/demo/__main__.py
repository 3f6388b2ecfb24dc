"""The demo's command line: `python -m local.demo [--data DIR] [--backend aws]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from include.errors import IngestError
from local.aws.backend import Aws
from local.aws.resources import Resources
from local.demo import erasure, report
from local.demo.demo_run import DemoRun
from local.demo.scenario import Scenario, invented, recorded
from local.stack.backend import Backend, Embedded
from local.stack.progress import Progress
from local.stack.system import Stack
from local.strava_simulator.control_client import SimulatorControl
from ops.machine.environment import API_PATH, API_PATH_2027
from ops.repository import REPOSITORY

INTERRUPTED = 130


class StorageLocations(Enum):
    """Where the system keeps its data."""

    EMBEDDED = "embedded"
    AWS = "aws"


@dataclass(frozen=True, slots=True)
class DemoSystem:
    """The system on which the demo runs."""

    backend: Backend
    state_dir: Path
    opening: str
    patience_s: float


SYSTEMS: Mapping[StorageLocations, DemoSystem] = {
    StorageLocations.EMBEDDED: DemoSystem(
        Embedded(),
        REPOSITORY / ".state" / "demo",
        "Starting the simulated Strava, the web pages, the dispatcher and Airflow",
        patience_s=150,
    ),
    StorageLocations.AWS: DemoSystem(
        Aws(Resources("strava-demo")),
        REPOSITORY / ".state" / "demo-aws",
        "Starting AWS's APIs, the simulated Strava, Lambda's runtime with both handlers, and Airflow as MWAA",
        patience_s=450,  # one server simulates all of AWS, one call after the other
    ),
}


def main(
    data: Annotated[
        Path | None, typer.Option(help="Folder of recordings: <name>/activity.json + streams.json.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of the generated activities.")] = 2026,
    backend: Annotated[
        StorageLocations, typer.Option(help="The home of state, queue and lake: this machine, or AWS's APIs.")
    ] = StorageLocations.EMBEDDED,
    is_2027: Annotated[bool, typer.Option("--base-2027", help="Use Strava's base URL of 2027.")] = False,
) -> None:
    """Run the whole system end to end on this machine, and check every point.

    Exit status: 0 only if the lake and the child's account agree with the parent's activities.
    """
    console = Console(soft_wrap=not sys.stdout.isatty())
    try:
        scenario = recorded(data) if data else invented(datetime.now(UTC), seed=seed)
        holds = perform(scenario, console, SYSTEMS[backend], API_PATH_2027 if is_2027 else API_PATH)
    except KeyboardInterrupt:
        console.print("Interrupted; every process of the demo has ended. `make demo` starts again from the beginning.")
        raise typer.Exit(INTERRUPTED) from None
    except IngestError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    raise typer.Exit(0 if holds else 1)


def perform(scenario: Scenario, console: Console, system: DemoSystem, api_path: str = API_PATH) -> bool:
    """Run the scenario on a fresh system and print the report; returns whether all checks succeeded."""
    progress = Progress(console)
    began = time.monotonic()

    def step(what: str) -> None:
        progress.say(f"[{time.monotonic() - began:5.1f} s] {what}")

    step(system.opening)
    with (
        Stack.start(
            state_dir=system.state_dir,
            dags=sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py")),
            progress=progress,
            fresh=True,
            backend=system.backend,
            api_path=api_path,
        ) as stack,
        SimulatorControl(stack.simulator_url) as control,
    ):
        stack.processes.check()
        demo_run = DemoRun(stack, scenario, progress, control, system.patience_s)
        step("A parent and a child connect")
        demo_run.connect()
        step("The parent finishes activities")
        demo_run.finish_activities()
        step("The parent renames one, while an operator starts a dry run of a backfill")
        demo_run.rename()
        step("An operator loads the parent's history")
        demo_run.load_history()
        step("Comparing")
        findings = report.examine(demo_run)
        report.show(console, demo_run, findings)
        step("The parent has everything erased")
        erased = demo_run.erase_parent()
        erasure.show(console, erased)
    step("Everything has ended")
    progress.say(
        "Next: `make up` keeps such a system running, and its last line names a page of buttons: finish, rename, hide "
        "or delete an activity, or let Strava fail."
    )
    return findings.hold and erased.hold


if __name__ == "__main__":
    typer.run(main)
