"""The example family of a new system: a parent and a child at the simulated Strava, connected and linked."""

from __future__ import annotations

from datetime import UTC, datetime

from local.demo import browser
from local.demo.scenario import CHILD_ID, CHILD_NAME, PARENT_ID, invented, populate
from local.stack.system import Stack
from local.strava_simulator.control_client import SimulatorControl
from ops.links.__main__ import link
from ops.machine.state_dir import StateDir

SEED = 2026
"""The seed of the parent's activities."""
_BEGUN, _DONE = "begun", "done"


def set_up(stack: Stack) -> None:
    """Create the family's accounts, connect and link them, unless the simulated Strava already has accounts of others.

    Errors: `FlowFailed` where Strava does not answer; call it again then, as after a kill.
    Effects: none once the family is linked, whatever users have done to it since.
    """
    note = stack.state_dir.root / "family"
    with SimulatorControl(stack.simulator_url) as control:
        if not note.exists():
            if control.athletes():
                return
            note.write_text(_BEGUN)
        if is_set_up(stack.state_dir):
            return
        populate(control, invented(datetime.now(UTC), seed=SEED))
    for athlete_id in (PARENT_ID, CHILD_ID):
        browser.connect(stack.web_url, athlete_id, options={"receive": "yes"})
    link(stack.settings, PARENT_ID, CHILD_ID, (CHILD_NAME,))
    note.write_text(_DONE)


def is_set_up(place: StateDir) -> bool:
    """Whether this system once connected and linked the example family."""
    note = place.root / "family"
    return note.exists() and note.read_text() == _DONE
