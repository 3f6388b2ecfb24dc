"""Disturbs a run at each of its points in turn, deletes the run, lets an hour pass, and checks the outcome."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from include.errors import RetryLater
from local.proofs.crash_walk.adapters import process
from local.proofs.crash_walk.expectations import Expectations, violations
from local.proofs.crash_walk.points import Crashed, Points
from local.proofs.crash_walk.run_scenarios import RunScenario
from local.proofs.crash_walk.system import System
from local.strava_simulator.world.simulation import Rules
from local.testbed.world import WINDOW_S, open_world

WINDOWS = 3600 // WINDOW_S
"""How many of reconcile's windows a run's work may take after it was disturbed."""

_JUMP_S = 600.0
"""A stall that outlasts every lease."""


class Disturbance(StrEnum):
    """What happens to a process at a point."""

    DEATH = "killed, its run deleted"
    SECOND = "a second worker does all of it meanwhile"
    STALL = "stands still for ten minutes"
    FAULT = "an error in place of the answer"


@dataclass(frozen=True, slots=True)
class PointOutcome:
    """One point at which a run was disturbed, and the outcome."""

    point: str
    windows: int
    """The window of reconcile after which nothing was wrong; 0 for before the first."""
    violations: tuple[str, ...]
    """What is wrong at the end."""
    is_recorded: bool = True
    """Whether the request was recorded by then: if not, nothing is owed, and nothing may have begun."""


def walk(
    scenario: RunScenario, disturbance: Disturbance = Disturbance.DEATH, *, every: int = 1
) -> Iterator[PointOutcome]:
    """Each of the scenario's points, in the order in which it passes them, each in a world of its own.

    With `every` = n, only each nth point.
    """
    with prepared(scenario) as prepared_run:
        for point in prepared_run.points()[::every]:
            yield prepared_run.disturb(disturbance, point)


@contextmanager
def prepared(scenario: RunScenario) -> Iterator[PreparedRun]:
    """The scenario's world, ready to be copied."""
    with tempfile.TemporaryDirectory(prefix="crash-walk-") as scratch:
        ready = Path(scratch, "ready")
        ready.mkdir()
        with open_world(ready, Rules()) as world:
            expected = scenario.prepare(world)
            now_epoch_s = world.clock()
        yield PreparedRun(scenario, ready, expected, now_epoch_s)


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A prepared world, in which the scenario can be run again and again."""

    scenario: RunScenario
    ready: Path
    expected: Expectations
    now_epoch_s: float

    def points(self) -> list[str]:
        """The points that the scenario passes when nothing disturbs it."""
        points = Points()
        with self._system() as system:
            self.scenario.begin(system, points)
        return points.passed

    def disturb(self, disturbance: Disturbance, point: str) -> PointOutcome:
        """Disturb the process there; reconcile does the remaining work."""
        with self._system() as system:
            points = Points(happens_at=point, event=self._disturb(disturbance, system))
            with suppress(Crashed):
                self.scenario.begin(system, points)
            if point not in points.passed:
                raise AssertionError(f"{self.scenario.name}: nothing came to {point!r} again")
            system.airflow.waiting.clear()
            lives = disturbance in (Disturbance.SECOND, Disturbance.STALL)
            is_recorded = lives or self.scenario.is_recorded_before(point)
            return self._aftermath(system, point, is_recorded=is_recorded)

    def _disturb(self, disturbance: Disturbance, system: System) -> Callable[[], None] | None:
        def second() -> None:
            self.scenario.begin(system, Points())
            for run in list(system.airflow.taken.values()):
                system.run_tasks(run, process(system.world, Points()))

        def stall() -> None:
            system.world.clock.advance(_JUMP_S)

        def fail() -> None:
            raise RetryLater("The answer was lost on the way; try again.")

        actions = {Disturbance.SECOND: second, Disturbance.STALL: stall, Disturbance.FAULT: fail}
        return actions.get(disturbance)

    def _aftermath(self, system: System, point: str, *, is_recorded: bool) -> PointOutcome:
        expected = self.expected if is_recorded else Expectations(copies=dict.fromkeys(self.expected.copies, ()))
        found, done_in = violations(system.world, expected), 0
        for window in range(1, WINDOWS + 1):
            system.world.clock.advance(WINDOW_S)
            system.reconcile(Points())
            if found:
                found, done_in = violations(system.world, expected), window
        return PointOutcome(point, done_in, violations(system.world, expected), is_recorded)

    @contextmanager
    def _system(self) -> Iterator[System]:
        folder = self.ready.with_name("run")
        shutil.copytree(self.ready, folder)
        with open_world(folder, Rules(), now_epoch_s=self.now_epoch_s) as world:
            yield System(world)
        shutil.rmtree(folder)
