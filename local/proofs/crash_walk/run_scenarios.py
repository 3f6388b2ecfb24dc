"""Scenarios of the run walk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from include.queue.content import EraseAthlete, StravaEvent, to_body
from include.state.erasures.ledger import EraseReason
from include.strava.events import WebhookEvent
from local.proofs.crash_walk.adapters import process
from local.proofs.crash_walk.expectations import Expectations
from local.proofs.crash_walk.points import Crashed, Points
from local.proofs.crash_walk.system import Run, System
from local.strava_simulator.world.applications import Application
from local.testbed.consent import READ_AND_WRITE
from local.testbed.world import MIA_ID, PARENT_ID, REX_ID, World
from webhook_api.dispatcher import BACKFILL_DAG

_DUE_S = 2700.0
"""After this time all work is due that a dead run has left."""


@dataclass(frozen=True, slots=True)
class RunScenario:
    """A world in which the system has just received a request, and the expected outcome."""

    name: str
    prepare: Callable[[World], Expectations]
    fewest_points: int
    """The smallest number of points expected: with fewer the walk would miss parts of the system."""
    begin: Callable[[System, Points], None] = System.deliver
    """The process that is disturbed; reconcile does the work that it leaves."""
    recorded_by: str = ""
    """The write that records the request, where the disturbed process makes it: before that nothing is requested."""

    def is_recorded_before(self, point: str) -> bool:
        """Whether the request is recorded when the process dies at the point."""
        return not self.recorded_by or point != f"before {self.recorded_by}"


def _family(world: World) -> None:
    world.connect(PARENT_ID, READ_AND_WRITE)
    world.connect(REX_ID, READ_AND_WRITE)
    world.link(REX_ID, "Rex")


def _tell(world: World, activity_id: int, aspect: str) -> None:
    _send(world, WebhookEvent("activity", activity_id, aspect, PARENT_ID, 1, int(world.clock())))


def _send(world: World, event: WebhookEvent) -> None:
    world.services.queue.send(to_body(StravaEvent(event, world.clock())))


def _two_finished(world: World) -> Expectations:
    _family(world)
    named = world.finish(PARENT_ID, "Morning run with Rex")
    unnamed = world.finish(PARENT_ID, "Evening run", hours_ago=3, seed=3)
    _tell(world, named, "create")
    _tell(world, unnamed, "create")
    return Expectations((named, unnamed), {REX_ID: (named,)})


def _stored(world: World) -> int:
    """An activity that is in the lake and was copied, a day ago."""
    _family(world)
    activity_id = world.finish(PARENT_ID, "Morning run with Rex")
    _tell(world, activity_id, "create")
    System(world).deliver(Points())
    world.clock.advance(3600)
    return activity_id


def _renamed(world: World) -> Expectations:
    activity_id = _stored(world)
    world.connect(MIA_ID, READ_AND_WRITE)
    world.link(MIA_ID, "Mia")
    world.control.rename(activity_id, "Morning run with Rex and Mia")
    _tell(world, activity_id, "update")
    return Expectations((activity_id,), {REX_ID: (activity_id,), MIA_ID: (activity_id,)})


def _deleted(world: World) -> Expectations:
    activity_id = _stored(world)
    world.control.delete_activity(activity_id)
    _tell(world, activity_id, "delete")
    return Expectations((activity_id,), {REX_ID: (activity_id,)})


def _access_taken_away(world: World) -> Expectations:
    activity_id = _stored(world)
    world.control.disconnect(PARENT_ID, Application().client_id)
    _send(
        world,
        WebhookEvent("athlete", PARENT_ID, "update", PARENT_ID, 1, int(world.clock()), {"authorized": "false"}),
    )
    return Expectations(copies={REX_ID: (activity_id,)}, erased=(PARENT_ID,))


def _erasure_asked_for(world: World) -> Expectations:
    activity_id = _stored(world)
    erasure = world.services.state.erasures.ask_now(PARENT_ID, EraseReason.ATHLETE)
    world.services.queue.send(to_body(EraseAthlete(erasure.athlete_id, erasure.grounds, world.clock())))
    return Expectations(copies={REX_ID: (activity_id,)}, erased=(PARENT_ID,))


def _child_erased(world: World) -> Expectations:
    activity_id = _stored(world)
    erasure = world.services.state.erasures.ask_now(REX_ID, EraseReason.ATHLETE)
    world.services.queue.send(to_body(EraseAthlete(erasure.athlete_id, erasure.grounds, world.clock())))
    return Expectations((activity_id,), erased=(REX_ID,))


def _history(world: World) -> Expectations:
    _family(world)
    outings = ((9, "Run"), (8, "Run with Rex"), (7, "Ride"))
    ids = tuple(world.finish(PARENT_ID, title, hours_ago=days * 24, seed=days) for days, title in outings)
    return Expectations(ids, {REX_ID: (ids[1],)})


_FORM = {"athlete": PARENT_ID, "from": "2026-06-01", "to": "2026-06-16", "dry_run": False}


def _backfill(system: System, points: Points) -> None:
    system.run_tasks(Run(BACKFILL_DAG, _FORM), process(system.world, points))


def _half_planned(world: World) -> Expectations:
    """The listing died at the third activity: the history's row shows that the list is not complete."""
    expected = _history(world)
    with suppress(Crashed):
        _backfill(System(world), Points(happens_at="after write the file (2)"))
    world.clock.advance(_DUE_S)
    return expected


def _left_by(prepare: Callable[[World], Expectations], point: str) -> Callable[[World], Expectations]:
    """The world after a run died at `point`, when its work is due again."""

    def prepared(world: World) -> Expectations:
        expected = prepare(world)
        with suppress(Crashed):
            System(world).deliver(Points(happens_at=point))
        world.clock.advance(_DUE_S)
        return expected

    return prepared


RUN_SCENARIOS = (
    RunScenario("two activities, one of which names a child", _two_finished, 80),
    RunScenario("title renamed, to name a second child too", _renamed, 45),
    RunScenario("activity deleted at Strava", _deleted, 40),
    RunScenario("access taken away at Strava", _access_taken_away, 60),
    RunScenario("athlete asks to be erased", _erasure_asked_for, 60),
    RunScenario("child asks to be erased", _child_erased, 45),
    RunScenario(
        "reconcile takes up what died before its first write",
        _left_by(_two_finished, "before put `events`"),
        80,
        begin=System.reconcile,
    ),
    RunScenario(
        "reconcile takes up what died right after an upload",
        _left_by(_two_finished, "after `POST /uploads`"),
        60,
        begin=System.reconcile,
    ),
    RunScenario(
        "reconcile takes up an erasure that died under way",
        _left_by(_erasure_asked_for, "after delete `activities`"),
        20,
        begin=System.reconcile,
    ),
    RunScenario("backfill of three activities", _history, 60, begin=_backfill, recorded_by="put `histories`"),
    RunScenario("reconcile takes up a backfill whose plan died", _half_planned, 60, begin=System.reconcile),
)
"""Every scenario of the walk."""
