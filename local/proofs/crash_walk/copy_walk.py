"""Kills a copy at each of its points in turn, continues as production would, and checks the outcome."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from include.errors import RetryLater
from include.pipeline.copying.copies import CopyResult
from include.state.copies.ledger import CopyState
from local.proofs.crash_walk import copying
from local.proofs.crash_walk.copy_scenarios import CopyScenario
from local.proofs.crash_walk.points import Crashed, Points
from local.testbed.world import PARENT_ID, World, open_world

RETRY_AFTER_S = 10
"""The delay of Airflow's first retry."""

_WINDOWS = 6
"""A copy that is not finished after this many windows of reconcile is stuck."""

_CALLS = {
    "POST /uploads": "uploaded",
    "GET /uploads/…": "polled",
    "GET /athlete/activities": "listed",
    "GET /activities/…": "looked",
}


@dataclass(frozen=True, slots=True)
class CrashOutcome:
    """One crash and its outcome."""

    point: str
    retry: str
    """What the task's retry did, in words."""
    windows: str
    """What reconcile's windows did, if work was left for them."""
    state: CopyState | None
    """The copy's state in the ledger; None where the ledger has no row."""
    activities: int
    """How many activities the child has: exactly one is right."""
    named: bool
    """Whether the ledger names that activity."""
    left: int
    """How many copies are still due, messages still wait, and rows of the lake differ from the ledger."""

    def holds(self, scenario: CopyScenario) -> bool:
        """Whether nothing was lost and nothing was done twice."""
        return self.state is scenario.ends_as and self.activities == 1 and self.named and self.left == 0


def walk(scenario: CopyScenario) -> Iterator[CrashOutcome]:
    """Each of the scenario's points, in the order in which a copy passes them, each in a world of its own.

    The retry comes while the dead run's lease, if it had one, is still valid, so reconcile has to do the rest.
    """
    with tempfile.TemporaryDirectory(prefix="crash-walk-") as scratch:
        ready = Path(scratch, "ready")
        ready.mkdir()
        with open_world(ready, scenario.rules) as world:
            activity_id = scenario.prepare(world)
            now_epoch_s = world.clock()
        runs = _Runs(scenario, ready, activity_id, now_epoch_s)
        for point in runs.points():
            yield runs.crash_at(point)


@dataclass(frozen=True, slots=True)
class _Runs:
    scenario: CopyScenario
    ready: Path
    activity_id: int
    now_epoch_s: float

    def points(self) -> list[str]:
        """The points that a copy passes when nothing disturbs it."""
        points = Points()
        with self._world() as world:
            self._step(world, points)
        return points.passed

    def crash_at(self, point: str) -> CrashOutcome:
        """Kill the copy at this point, then let production continue."""
        with self._world() as world:
            try:
                self._step(world, Points(happens_at=point))
            except Crashed:
                return self._aftermath(world, point)
        raise AssertionError(f"{self.scenario.name}: the copy did not come to {point!r} again")

    @contextmanager
    def _world(self) -> Iterator[World]:
        folder = self.ready.with_name("run")
        shutil.copytree(self.ready, folder)
        with open_world(folder, self.scenario.rules, now_epoch_s=self.now_epoch_s) as world:
            yield world
        shutil.rmtree(folder)

    def _step(self, world: World, points: Points) -> list[CopyResult]:
        return (
            copying.reconcile(world, points) if self.scenario.resumed else copying.copy(world, self.activity_id, points)
        )

    def _aftermath(self, world: World, point: str) -> CrashOutcome:
        world.clock.advance(RETRY_AFTER_S)
        retry = self._retry(world)
        windows: list[str] = []
        while self._left(world) and len(windows) < _WINDOWS:
            points = Points()
            windows.append(self._story(copying.reconcile(world, points), points))
        children = world.control.activity_ids(self.scenario.child_id)
        copy = world.services.state.copies.get(self.activity_id, self.scenario.child_id)
        stale = world.services.lake.copy_rows.repair([PARENT_ID])
        return CrashOutcome(
            point=point,
            retry=retry,
            windows="; then ".join(windows),
            state=copy.state if copy else None,
            activities=len(children),
            named=copy is not None and copy.child_activity_id in children,
            left=self._left(world) + stale,
        )

    def _retry(self, world: World) -> str:
        points = Points()
        try:
            return self._story(copying.copy(world, self.activity_id, points), points)
        except RetryLater:
            return "the dead run's lease holds"

    def _left(self, world: World) -> int:
        """How much work is due now or later."""
        return len(list(world.services.state.copies.due(float("inf")))) + world.services.queue.depth()

    def _story(self, results: Iterable[CopyResult], points: Points) -> str:
        mine = [result for result in results if result.child_id == self.scenario.child_id]
        calls = [_call(name) for name in points.passed if name.startswith("after `") and " /" in name]
        did = ", ".join(dict.fromkeys(calls)) or "no call"
        return " ".join(f"{did}: {_ended(result)}" for result in mine) or "nothing due yet"


def _call(point: str) -> str:
    return _CALLS[point.split("`")[1]]


def _ended(result: CopyResult) -> str:
    return "the dead run's lease holds" if "another run" in result.reason else str(result.state)
