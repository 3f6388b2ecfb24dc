"""DAG runs without Airflow: a run's tasks are done at once, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, ParamSpec, TypeVar

from include.errors import IngestError, TriggerRefused
from include.pipeline.backfill.history import keys, list_batch
from include.pipeline.backfill.loading import load
from include.pipeline.backfill.request import BackfillRequest, ask
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.erasure.erase import EraseRequest, erase
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.services import Services
from include.settings import Settings
from include.strava.events import WebhookEvent
from include.trigger.trigger import Started
from webhook_api.dispatcher import BACKFILL_DAG, ERASE_DAG, INGEST_DAG

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InlineRuns:
    """A trigger whose runs are finished when it returns.

    Errors: those of the tasks; if `failures` is given they are collected there, and the run's other tasks continue.
    """

    services: Services
    settings: Settings
    failures: list[IngestError] | None = None

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """As `Trigger.start`. Errors: `TriggerRefused` for a DAG that neither a page nor an event starts."""
        if dag_id not in (INGEST_DAG, ERASE_DAG, BACKFILL_DAG):
            raise TriggerRefused(f"Nothing here starts {dag_id} (run {run_id}).")
        self.run(dag_id, conf)
        return Started.NOW

    def run(self, dag_id: str, conf: Mapping[str, Any]) -> None:
        """Do the tasks of a run."""
        now = datetime.fromtimestamp(self.services.clock(), UTC)
        if dag_id == ERASE_DAG:
            self._task(erase, self.services, EraseRequest.from_params(conf, default_asked_at=now), self.settings)
        elif dag_id == BACKFILL_DAG:
            self._backfill(BackfillRequest.from_params(conf, default_asked_at=now))
        else:
            self.ingest([WebhookEvent.from_conf(event) for event in conf["events"]])

    def ingest(self, events: Sequence[WebhookEvent]) -> None:
        """Do a run of `strava_ingest` for these events."""
        for item in self._task(plan, self.services, events) or ():
            if self._task(partial(sync, source="webhook"), self.services, item) is not None:
                self._task(copy_to_children, self.services, item.athlete_id, item.activity_id)

    def _backfill(self, request: BackfillRequest) -> None:
        history = self._task(lambda: list_batch(self.services, ask(self.services, request)))
        if history is not None:
            self._task(load, self.services, keys(history))

    def _task(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return work(*args, **kwargs)
        except IngestError as error:
            if self.failures is None:
                raise
            self.failures.append(error)
            return None
