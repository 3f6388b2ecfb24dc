"""Runs the whole system until Ctrl-C: `python -m local.stack.up`."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests
from rich.console import Console

from include.errors import ApplicationInactive, IngestError, QuotaSpent, RetryLater, WrongInstallation
from local.demo.browser import FlowFailed
from local.stack import family
from local.stack.disk import ensure_room_is_left
from local.stack.progress import Progress
from local.stack.system import SIMULATOR, Stack
from ops.machine.environment import read_overrides
from ops.repository import REPOSITORY
from ops.subscription import end_elsewhere, prove, subscribe

WATCH_S = 1.0
ASK_AGAIN_S = 60.0
"""The interval between two tries to reach Strava, until it answers."""


@dataclass(frozen=True, slots=True)
class Strava:
    """The result of the request that Strava send events here, in words, and whether Strava answered."""

    told: str
    answers: bool


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
        strava = ask(stack)
        progress.say(welcome(stack, strava))
        watch(stack, progress, asks=not strava.answers)


def watch(stack: Stack, progress: Progress, *, asks: bool) -> None:
    """Watch processes and disk; with `asks`, also try to reach Strava until it answers, and print that it does.

    Errors: as `run`; does not return.
    """
    asked, is_away = time.monotonic(), stack.processes.is_away(SIMULATOR)
    while True:
        stack.processes.check_inside()
        ensure_room_is_left(stack.state_dir.root)
        if not is_away and stack.processes.is_away(SIMULATOR):
            is_away = True
            progress.say(_AWAY)
        if asks and time.monotonic() - asked >= ASK_AGAIN_S:
            strava, asked = ask(stack), time.monotonic()
            if strava.answers:
                asks = False
                progress.say(strava.told)
        time.sleep(WATCH_S)


def ask(stack: Stack) -> Strava:
    """Make Strava send events here if it can; the system also runs without it.

    Errors: `WrongInstallation` where a server that is not Strava's API answers.
    Effects: a simulated Strava without accounts gets the example family, connected and linked.
    """
    if stack.processes.is_away(SIMULATOR):
        return Strava(_AWAY, answers=False)
    try:
        return Strava(await_events(stack), answers=True)
    except WrongInstallation as err:
        if not stack.simulator_url or not stack.settings.strava_api_url.startswith(stack.simulator_url):
            raise
        return Strava(_DOWN.format(err=err), answers=False)
    except (RetryLater, QuotaSpent, ApplicationInactive, FlowFailed, requests.RequestException) as err:
        return Strava(_DOWN.format(err=err), answers=False)


_WAITS = (
    "The system runs without it: pages, Airflow and `make query` work, and what needs Strava waits and is done later."
)
_DOWN = f"Strava is down: {{err}} {_WAITS} It is asked again every minute, and this terminal says when it answers."
_AWAY = f"The simulated Strava has ended. {_WAITS} To have it back: Ctrl-C, then `make up` again."


def await_events(stack: Stack) -> str:
    """Make Strava send events here if it can; returns in words whether it does. Errors: as `prove` and `subscribe`."""
    prove(stack.settings)
    if not stack.simulator_url and not stack.settings.public_url.startswith("https://"):
        return (
            "Strava cannot send events to this machine: set PUBLIC_URL in .env to an https address that leads here; "
            "until then load activities with strava_backfill in Airflow."
        )
    if stack.simulator_url:
        end_elsewhere(stack.settings)
    subscription = subscribe(stack.settings)
    if stack.simulator_url:
        family.set_up(stack)
    return f"Strava sends events to this system (subscription {subscription.subscription_id})."


def welcome(stack: Stack, strava: Strava) -> str:
    """The addresses of all parts, and the next step as the last line."""
    login = stack.airflow_login
    return "\n".join(
        [
            "",
            "  Everything is running.",
            "",
            f"  Athletes   {stack.web_url}",
            f"  Airflow    {stack.airflow_url}   user {login.username}   password {login.password}",
            f"  Strava     {stack.simulator_url or 'the real one (credentials from .env)'}",
            f"  Logs       {stack.processes.log('*')}",
            "",
            f"  {strava.told}",
            f"  Ask the lake from a second terminal: {_query()}",
            *([f"  {stack.settings.missing_rules_text}"] if stack.settings.missing_rules else []),
            "  Ctrl-C ends it all and keeps the state.",
            "",
            f"  Next: {_next_step(stack)}",
        ]
    )


def _query() -> str:
    """A call of `make query` for this system."""
    chosen = os.environ.get("STATE_DIR")
    where = [f"STATE_DIR={chosen}"] if chosen else []
    return " ".join(["make query", *where, 'SQL="select * from activities limit 5"'])


def _next_step(stack: Stack) -> str:
    if not stack.simulator_url:
        return f"open {stack.web_url}/ and connect an athlete; new activities then appear in Airflow."
    first = "" if family.is_set_up(stack.state_dir) else f"connect and link two athletes at {stack.web_url}/, then "
    return (
        f"{first}open {stack.simulator_url}/ and press “Finish activity”: the child has a copy seconds later. "
        "Other buttons there rename, hide and delete, and let Strava fail in five ways."
    )


if __name__ == "__main__":
    main()
