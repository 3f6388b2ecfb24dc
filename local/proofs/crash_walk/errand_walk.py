"""Strikes a run at each of its points in turn, deletes it, lets an hour pass, and looks what came of it."""

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
from local.proofs.crash_walk.errands import Errand
from local.proofs.crash_walk.judge import Owed, faults
from local.proofs.crash_walk.points import Crashed, Points
from local.proofs.crash_walk.system import System
from local.strava_simulator.world.simulation import Rules
from local.testbed.world import WINDOW_S, open_world

WINDOWS = 3600 // WINDOW_S
"""How many of reconcile's windows a run's work may take after it was struck."""

_JUMP_S = 600.0
"""Longer than any lease."""


class Blow(StrEnum):
    """What happens to a process at a point."""

    DEATH = "killed, its run deleted"
    SECOND = "a second worker does all of it meanwhile"
    STALL = "stands still for ten minutes"
    FAULT = "an error in place of the answer"


@dataclass(frozen=True, slots=True)
class Struck:
    """One point at which a run was struck, and what came of it."""

    point: str
    windows: int
    """In which of reconcile's windows everything was as it should be for good; 0 for before the first."""
    faults: tuple[str, ...]
    """What is wrong in the end."""
    is_said: bool = True
    """Whether the system had been told by then what it was asked for: if not, it owes nothing and has begun nothing."""


def walk(errand: Errand, blow: Blow = Blow.DEATH, *, every: int = 1) -> Iterator[Struck]:
    """Each of the errand's points, in the order in which it passes them, each in a world of its own.

    With `every`, only each so many-th.
    """
    with prepared(errand) as ground:
        for point in ground.points()[::every]:
            yield ground.strike(blow, point)


@contextmanager
def prepared(errand: Errand) -> Iterator[Ground]:
    """The errand's world, ready to be copied."""
    with tempfile.TemporaryDirectory(prefix="crash-walk-") as scratch:
        ready = Path(scratch, "ready")
        ready.mkdir()
        with open_world(ready, Rules()) as world:
            owed = errand.prepare(world)
            now = world.clock()
        yield Ground(errand, ready, owed, now)


@dataclass(frozen=True, slots=True)
class Ground:
    """A prepared world, in which the errand can be run again and again."""

    errand: Errand
    ready: Path
    owed: Owed
    now: float

    def points(self) -> list[str]:
        """What the errand passes when nothing happens to it."""
        points = Points()
        with self._system() as system:
            self.errand.begin(system, points)
        return points.passed

    def strike(self, blow: Blow, point: str) -> Struck:
        """The process is struck there; what it leaves falls to reconcile."""
        with self._system() as system:
            points = Points(happens_at=point, event=self._blow(blow, system))
            with suppress(Crashed):
                self.errand.begin(system, points)
            if point not in points.passed:
                raise AssertionError(f"{self.errand.name}: nothing came to {point!r} again")
            system.airflow.waiting.clear()
            is_said = blow in (Blow.SECOND, Blow.STALL) or self.errand.is_said_before(point)
            return self._aftermath(system, point, is_said=is_said)

    def _blow(self, blow: Blow, system: System) -> Callable[[], None] | None:
        def second() -> None:
            self.errand.begin(system, Points())
            for run in list(system.airflow.taken.values()):
                system.play(run, process(system.world, Points()))

        def stall() -> None:
            system.world.clock.pass_s(_JUMP_S)

        def fail() -> None:
            raise RetryLater("The answer was lost on the way; try again.")

        return {Blow.DEATH: None, Blow.SECOND: second, Blow.STALL: stall, Blow.FAULT: fail}[blow]

    def _aftermath(self, system: System, point: str, *, is_said: bool) -> Struck:
        owed = self.owed if is_said else Owed(copies=dict.fromkeys(self.owed.copies, ()))
        found, done_in = faults(system.world, owed), 0
        for window in range(1, WINDOWS + 1):
            system.world.clock.pass_s(WINDOW_S)
            system.reconcile(Points())
            if found:
                found, done_in = faults(system.world, owed), window
        return Struck(point, done_in, faults(system.world, owed), is_said)

    @contextmanager
    def _system(self) -> Iterator[System]:
        folder = self.ready.with_name("run")
        shutil.copytree(self.ready, folder)
        with open_world(folder, Rules(), now=self.now) as world:
            yield System(world)
        shutil.rmtree(folder)
