"""Scenarios of the copy walk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from include.state.copies.ledger import CopyState
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_WRITE, READ
from local.proofs.crash_walk import copying
from local.proofs.crash_walk.points import Crashed, Points
from local.strava_simulator.world.simulation import DuplicateText, Rules
from local.testbed.consent import READ_AND_WRITE
from local.testbed.world import MIA_ID, PARENT_ID, REX_ID, World

_WRITE_ONLY = (READ, ACTIVITY_WRITE)
_READ_ONLY = (READ, ACTIVITY_READ)
_SLOW_S = 700.0
"""Processing time that outlasts a run's polling and a dead run's lease."""

_SLOWEST_S = 1000.0
"""Processing time that outlasts reconcile's next window."""

_DAY_S = 86_400.0
_STUCK_S = 3 * _DAY_S + 300.0
"""Processing time that outlasts the polling of an upload; it has ended when the parent asks for the copy again."""

_UPLOADED = "after `POST /uploads`"


@dataclass(frozen=True, slots=True)
class CopyScenario:
    """A world that is ready for one copy, and the state in which the copy must end."""

    name: str
    prepare: Callable[[World], int]
    """Prepares the world and returns the activity's id."""
    fewest_points: int
    """The smallest number of points expected: with fewer the walk would miss parts of a copy."""
    child_id: int = REX_ID
    rules: Rules = field(default_factory=Rules)
    resumed: bool = False
    """Whether the walk is through reconcile's next window, not through the task after a sync."""
    ends_as: CopyState = CopyState.DONE


def _family(world: World, scopes: tuple[str, ...] = READ_AND_WRITE) -> None:
    world.connect(PARENT_ID, READ_AND_WRITE)
    world.connect(REX_ID, scopes)
    world.link(REX_ID, "Rex")


def _finished(world: World, kind: str = "run", title: str = "Morning run with Rex") -> int:
    activity_id = world.finish(PARENT_ID, title, kind=kind)
    copying.store(world, activity_id)
    return activity_id


def _fresh(world: World) -> int:
    _family(world)
    return _finished(world)


def _indoors(world: World) -> int:
    _family(world)
    return _finished(world, "indoor_ride", "Trainer with Rex")


def _no_reading(world: World) -> int:
    _family(world, _WRITE_ONLY)
    return _finished(world)


def _renamed(world: World) -> int:
    _family(world)
    world.connect(MIA_ID, READ_AND_WRITE)
    world.link(MIA_ID, "Mia")
    activity_id = _finished(world)
    copying.copy(world, activity_id, Points())
    world.control.rename(activity_id, "Morning run with Rex and Mia")
    copying.store(world, activity_id)
    return activity_id


def _still_processing(world: World) -> int:
    activity_id = _fresh(world)
    copying.copy(world, activity_id, Points())
    return activity_id


def _uploaded_twice(world: World) -> int:
    """The answer to the first upload was lost, processing is slow; the file was sent again and is due for polling."""
    activity_id = _fresh(world)
    try:
        copying.copy(world, activity_id, Points(happens_at=_UPLOADED))
    except Crashed:
        copying.reconcile(world, Points())
    world.clock.advance(_SLOWEST_S)
    return activity_id


def _let_in_again(world: World) -> int:
    """The child has now granted writing, and the copy is due again."""
    world.connect(PARENT_ID, READ_AND_WRITE)
    world.connect(REX_ID, _READ_ONLY)
    world.link(REX_ID, "Rex")
    activity_id = _finished(world)
    copying.copy(world, activity_id, Points())
    world.clock.advance(_DAY_S)
    world.connect(REX_ID, READ_AND_WRITE)
    return activity_id


def _asked_for_again(world: World) -> int:
    """Strava did not finish the upload for three days; then the parent asks for the copy again."""
    activity_id = _still_processing(world)
    world.clock.advance(3 * _DAY_S)
    copying.copy(world, activity_id, Points())
    world.services.state.copies.reopen(activity_id, REX_ID, world.clock())
    world.clock.advance(_SLOW_S)
    return activity_id


def _own_recording(world: World) -> int:
    _family(world)
    world.finish(REX_ID, "My own watch had it too")
    return _finished(world)


COPY_SCENARIOS = (
    CopyScenario("fresh copy", _fresh, 24),
    CopyScenario("title renamed later, to name a second child too", _renamed, 25, child_id=MIA_ID),
    CopyScenario("no positions: TCX", _indoors, 24),
    CopyScenario("child granted writing only", _no_reading, 24),
    CopyScenario("slow processing, the run that uploads", _fresh, 36, rules=Rules(processing_s=_SLOW_S)),
    CopyScenario(
        "slow processing, the run that resumes",
        _still_processing,
        13,
        rules=Rules(processing_s=_SLOW_S),
        resumed=True,
    ),
    CopyScenario("access granted again, the run that goes on", _let_in_again, 25, resumed=True),
    CopyScenario(
        "unfinished and asked for again",
        _asked_for_again,
        13,
        rules=Rules(processing_s=_STUCK_S),
        resumed=True,
    ),
    *(
        CopyScenario(
            f"sent twice, answered duplicate ({form})",
            _uploaded_twice,
            17,
            rules=Rules(processing_s=_SLOWEST_S, duplicate_text=form),
            resumed=True,
        )
        for form in DuplicateText
    ),
    *(
        CopyScenario(
            f"child's own recording, answered duplicate ({form})",
            _own_recording,
            24,
            rules=Rules(duplicate_text=form),
            ends_as=CopyState.DUPLICATE,
        )
        for form in DuplicateText
    ),
)
"""Every scenario of the walk."""
