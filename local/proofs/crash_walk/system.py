"""Dispatcher, runs and reconcile of one world, with an Airflow that forgets runs but not their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from include.errors import IngestError
from include.pipeline.erasure.watch import remove_late_records
from include.pipeline.reconcile.due import queue_due
from include.pipeline.services import Services
from include.trigger.trigger import Started
from local.proofs.crash_walk.adapters import CrashingStore, process
from local.proofs.crash_walk.points import Points
from local.testbed.runs import InlineRuns
from local.testbed.world import World
from webhook_api.dispatcher import dispatch


@dataclass(frozen=True, slots=True)
class Run:
    """A run that Airflow has accepted and not started."""

    dag_id: str
    conf: Mapping[str, Any]


@dataclass(slots=True)
class Airflow:
    """Accepts each run id once. A run whose tasks died never continues, but its id stays taken: a 409 starts none."""

    taken: dict[str, Run] = field(default_factory=dict)
    waiting: list[Run] = field(default_factory=list)

    def begun(self) -> Iterator[Run]:
        """The waiting runs; each leaves the list when it starts."""
        while self.waiting:
            yield self.waiting.pop(0)


@dataclass(frozen=True, slots=True)
class CrashingTrigger:
    """A trigger with a point on either side of the call to Airflow."""

    airflow: Airflow
    points: Points

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """As `Trigger.start`."""
        with self.points.around(f"start `{dag_id}`"):
            if run_id in self.airflow.taken:
                return Started.BEFORE
            self.airflow.taken[run_id] = Run(dag_id, conf)
            self.airflow.waiting.append(self.airflow.taken[run_id])
            return Started.NOW


@dataclass(frozen=True, slots=True)
class System:
    """The processes of a world, which may die, over stores that do not."""

    world: World
    airflow: Airflow = field(default_factory=Airflow)

    def deliver(self, points: Points) -> None:
        """Deliver the queue: the dispatcher starts runs, and their tasks do the work."""
        world, services = self.world, process(self.world, points)
        store, trigger = CrashingStore(world.store, points), CrashingTrigger(self.airflow, points)
        received = True
        while received:
            received = False
            with suppress(IngestError):
                received = dispatch(services.queue, trigger, store, world.clock).received > 0
            for run in self.airflow.begun():
                self.run_tasks(run, services)

    def run_tasks(self, run: Run, services: Services) -> None:
        """Run the tasks of a run. A task that fails stops no other, and is not tried again."""
        InlineRuns(services, self.world.settings, failures=[]).run(run.dag_id, run.conf)

    def reconcile(self, points: Points) -> None:
        """Let reconcile queue the due work of the ledgers, and do it.

        Strava's lists are not read: they would hide that a ledger has forgotten work.
        """
        services = process(self.world, points)
        for step in (queue_due, remove_late_records):
            with suppress(IngestError):
                step(services)
        self.deliver(points)
