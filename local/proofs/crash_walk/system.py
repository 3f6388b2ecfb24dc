"""Dispatcher, runs and reconcile of one world, with an Airflow that forgets runs but not their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, ParamSpec, TypeVar

from include.errors import IngestError
from include.pipeline.backfill.history import keys, take_share
from include.pipeline.backfill.loading import load
from include.pipeline.backfill.request import BackfillRequest, ask
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.erasure.erase import EraseRequest, erase
from include.pipeline.erasure.watch import look_again
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.pipeline.services import Services
from include.strava.events import WebhookEvent
from include.trigger.trigger import Started
from local.proofs.crash_walk.points import MortalStore, Points
from local.proofs.crash_walk.world import World
from webhook_api.dispatcher import BACKFILL_DAG, ERASE_DAG, INGEST_DAG, dispatch

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """A run that Airflow has taken and not begun with."""

    dag_id: str
    conf: Mapping[str, Any]


@dataclass(slots=True)
class Airflow:
    """Takes each run once. One whose tasks died never goes on, and its id stays taken: a 409 starts nothing."""

    taken: dict[str, Run] = field(default_factory=dict)
    waiting: list[Run] = field(default_factory=list)

    def begun(self) -> Iterator[Run]:
        """The runs, each as it begins; then it is nobody's but the process that plays it."""
        while self.waiting:
            yield self.waiting.pop(0)


@dataclass(frozen=True, slots=True)
class MortalTrigger:
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
    """What works in a world: processes that may die, over stores that do not."""

    world: World
    airflow: Airflow = field(default_factory=Airflow)

    def deliver(self, points: Points) -> None:
        """What is in the queue: the dispatcher starts the runs, and their tasks do their work."""
        world, services = self.world, self.world.process(points)
        store, trigger = MortalStore(world.store, points), MortalTrigger(self.airflow, points)
        received = True
        while received:
            report = _task(dispatch, services.queue, trigger, store, world.time)
            received = report is not None and report.received > 0
            for run in self.airflow.begun():
                self.play(run, services)

    def play(self, run: Run, services: Services) -> None:
        """The tasks of a run. One that fails fails alone, and Airflow does not try it again."""
        now = datetime.fromtimestamp(self.world.time(), UTC)
        if run.dag_id == INGEST_DAG:
            self._ingest(services, [WebhookEvent.from_conf(event) for event in run.conf["events"]])
        elif run.dag_id == ERASE_DAG:
            _task(erase, services, EraseRequest.from_params(run.conf, or_asked_at=now), self.world.settings)
        elif run.dag_id == BACKFILL_DAG:
            self._backfill(services, BackfillRequest.from_params(run.conf, or_asked_at=now))

    def reconcile(self, points: Points) -> None:
        """Reconcile queues what the ledgers say, and that is done.

        Lists are not asked: they would find what the ledgers have forgotten.
        """
        services = self.world.process(points)
        for task in (queue_due, look_again):
            _task(task, services)
        self.deliver(points)

    def _backfill(self, services: Services, request: BackfillRequest) -> None:
        history = _task(lambda: take_share(services, ask(services, request)))
        if history is not None:
            _task(load, services, keys(history))

    def _ingest(self, services: Services, events: list[WebhookEvent]) -> None:
        for item in _task(plan, services, events) or ():
            if _task(partial(sync, source="webhook"), services, item) is not None:
                _task(copy_to_children, services, item.athlete_id, item.activity_id)


def _task(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """What the task returns; None where it fails."""
    with suppress(IngestError):
        return work(*args, **kwargs)
    return None
