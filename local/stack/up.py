"""Runs the whole system until Ctrl-C: `python -m local.stack.up`."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from include.errors import IngestError, NotProved
from local.demo.scenario import invented, populate
from local.stack.disk import ensure_room_is_left
from local.stack.progress import Progress
from local.stack.system import Stack
from local.strava_simulator.control_client import SimulatorControl
from ops.machine.environment import read_overrides
from ops.repository import REPOSITORY
from ops.subscription import end_elsewhere, prove, subscribe

WATCH_S = 1.0
FAMILY_SEED = 2026
"""Which activities the athletes of a new simulated Strava have."""


def main() -> None:
    """Start, print the addresses, and keep running. Exit status: 1 when a part failed."""
    progress = Progress(Console())
    try:
        run(progress)
    except KeyboardInterrupt:
        progress.say("Stopped. The state is kept: `make up` continues where this ended.")
    except IngestError as err:
        sys.exit(f"{err}")


def run(progress: Progress) -> None:
    """Run the system in `STATE_DIR`, with the settings in `.env`, until a signal.

    Errors: `StackFailed` when one of its processes ends, `SettingsError` too when its disk is full.
    """
    state_dir = Path(os.environ.get("STATE_DIR") or REPOSITORY / ".state" / "up")
    progress.say(f"Starting Strava Data Ingest in {state_dir}")
    with Stack.start(
        state_dir=state_dir,
        dags=sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py")),
        progress=progress,
        overrides=read_overrides(REPOSITORY / ".env"),
    ) as stack:
        events = await_events(stack)
        progress.say(welcome(stack, events))
        while True:
            stack.processes.check()
            ensure_room_is_left(state_dir)
            time.sleep(WATCH_S)


def await_events(stack: Stack) -> str:
    """Make Strava send events here, if it can; returns in words whether it does.

    Errors: `WrongInstallation` where something else than Strava's API answers; while nothing answers the system runs.
    Effects: a simulated Strava without athletes gets a parent with some history and a child.
    """
    if stack.simulator_url:
        with SimulatorControl(stack.simulator_url) as control:
            if not control.athletes():
                populate(control, invented(datetime.now(UTC), seed=FAMILY_SEED))
    try:
        prove(stack.settings)
    except NotProved as err:
        return f"{err} Run `make subscription ARGS=create` then, so that Strava sends events."
    if not stack.simulator_url and not stack.settings.public_url.startswith("https://"):
        return (
            "Strava cannot send events to this machine: set PUBLIC_URL in .env to an https address that leads here; "
            "until then load activities with strava_backfill in Airflow."
        )
    if stack.simulator_url:
        end_elsewhere(stack.settings)
    subscription = subscribe(stack.settings)
    return f"Strava sends events to this system (subscription {subscription.subscription_id})."


def welcome(stack: Stack, events: str) -> str:
    """The addresses of all parts, and the next steps."""
    login = stack.airflow_login
    strava = stack.simulator_url or "the real one (credentials from .env)"
    return "\n".join(
        [
            "",
            "  Everything is running.",
            "",
            f"  Athletes   {stack.web_url}",
            f"  Airflow    {stack.airflow_url}   user {login.username}   password {login.password}",
            f"  Strava     {strava}",
            f"  Logs       {stack.processes.log('*')}",
            "",
            f"  {events}",
            f"  Next: open {stack.web_url}/ and connect an athlete; new activities then appear in Airflow.",
            '  Ask the lake from a second terminal: make query SQL="select * from activities limit 5"',
            *([f"  {stack.settings.missing_rules_text}"] if stack.settings.missing_rules else []),
            "  Ctrl-C ends it all and keeps the state.",
        ]
    )


if __name__ == "__main__":
    main()
