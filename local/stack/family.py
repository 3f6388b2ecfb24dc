"""A parent and a child for whoever starts a new system: with accounts at the simulated Strava, connected and linked."""

from __future__ import annotations

from datetime import UTC, datetime

from local.demo import browser
from local.demo.scenario import CHILD_ID, CHILD_NAME, PARENT_ID, invented, populate
from local.stack.system import Stack
from local.strava_simulator.control_client import SimulatorControl
from ops.links import link
from ops.machine.state_dir import StateDir

SEED = 2026
"""Which activities the parent has."""
_BEGUN, _DONE = "begun", "done"


def settle(stack: Stack) -> None:
    """Let the family have accounts, connect and be linked, where nobody has an account yet; later it is left alone.

    Errors: `WalkFailed` where Strava does not answer meanwhile; to be repeated then, as after a kill.
    """
    note = stack.state_dir.root / "family"
    with SimulatorControl(stack.simulator_url) as control:
        if not note.exists():
            if control.athletes():
                return
            note.write_text(_BEGUN)
        if is_settled(stack.state_dir):
            return
        populate(control, invented(datetime.now(UTC), seed=SEED))
    for athlete_id in (PARENT_ID, CHILD_ID):
        browser.connect(stack.web_url, athlete_id, options={"receive": "yes"})
    link(stack.settings, PARENT_ID, CHILD_ID, (CHILD_NAME,))
    note.write_text(_DONE)


def is_settled(place: StateDir) -> bool:
    """Whether the system has had a family that was connected and linked at its start."""
    note = place.root / "family"
    return note.exists() and note.read_text() == _DONE
