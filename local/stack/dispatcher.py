"""Starts Airflow runs for queued events on one machine, and deletes old ones: `python -m local.stack.dispatcher`."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from include.clock import Clock
from include.errors import RetryLater, TriggerUnavailable
from include.queue.backend import open_queue
from include.queue.queue import Queue
from include.settings import DispatcherSettings
from include.store.backend import open_store
from include.store.store import Store
from include.trigger.api import AirflowApi
from include.trigger.backend import open_airflow
from include.trigger.finished_runs import delete_finished_runs
from include.trigger.trigger import AirflowTrigger, Trigger
from webhook_api.dispatch_report import log_report
from webhook_api.dispatcher import BATCH_SIZE, dispatch

IDLE_POLL_S = 0.2
GATHER_S = 2.0
"""After it has started a run, the dispatcher waits this long, so that events under load share a run and its tasks; an
event in quiet times does not wait."""
QUEUE_RETRY_S = 2.0
FIRST_CLEANING_S = 300.0
CLEAN_EVERY_S = 3600.0

log = logging.getLogger("local.stack.dispatcher")


@dataclass(slots=True)
class Stop:
    """A request to end the loop: a plain flag, because a signal handler must not take a lock."""

    requested: bool = False

    def request(self, _signum: int, _frame: FrameType | None) -> None:
        """Handle SIGTERM and SIGINT: request the end."""
        self.requested = True


@dataclass(slots=True)
class Cleaning:
    """Deletes Airflow's finished runs while no event waits: every hour, because this machine may be off at night."""

    airflow: AirflowApi
    clock: Clock
    keep_days: int
    """How long a run stays after its end."""
    due_epoch_s: float
    skipped: int = 0

    def delete_page(self) -> None:
        """Delete one page of runs if it is due: only one, so that no event waits longer. The next is due at once."""
        if self.clock() < self.due_epoch_s:
            return
        self.due_epoch_s = self.clock() + CLEAN_EVERY_S
        try:
            page = delete_finished_runs(self.airflow, self.clock(), keep_days=self.keep_days, skipped=self.skipped)
        except TriggerUnavailable as err:
            log.warning("Finished runs wait for the next hour: %s", err)
            return
        if page.deleted or page.refused:
            log.info("Deleted %d finished run(s); Airflow kept %d", page.deleted, page.refused)
        self.skipped = 0 if page.is_last else self.skipped + page.refused
        if not page.is_last:
            self.due_epoch_s = self.clock()


@dataclass(frozen=True, slots=True)
class Connections:
    """The open connections of the loop."""

    queue: Queue
    trigger: Trigger
    store: Store
    clock: Clock
    cleaning: Cleaning


def run(connections: Connections, *, stop: Stop, sleep: Callable[[float], None]) -> None:
    """Dispatch batch after batch until `stop` is requested; a batch under way is finished first.

    After a full batch more events wait, so the next batch follows at once.

    Effects: writes due rows, starts DAG runs, logs a line for each, and deletes old finished runs.
    """
    while not stop.requested:
        try:
            report = dispatch(connections.queue, connections.trigger, connections.store, connections.clock)
        except RetryLater:
            log.exception("The queue cannot be reached; trying again in %s s", QUEUE_RETRY_S)
            sleep(QUEUE_RETRY_S)
            continue
        log_report(report)
        if not report.received:
            connections.cleaning.delete_page()
        if report.received < BATCH_SIZE:
            sleep(GATHER_S if report.runs else IDLE_POLL_S)


def main() -> None:
    """Read settings from the environment and dispatch until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = DispatcherSettings.from_environ(os.environ)
    stop = Stop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop.request)
    log.info("Dispatching")
    queue = open_queue(settings.queue_url, time.time, keep_days=int(settings.messages_keep_days))
    store = open_store(settings.state_url, time.time)
    airflow = open_airflow(settings)
    cleaning = Cleaning(airflow, time.time, int(settings.runs_keep_days), time.time() + FIRST_CLEANING_S)
    run(Connections(queue, AirflowTrigger(airflow), store, time.time, cleaning), stop=stop, sleep=time.sleep)
    log.info("Stopped")


if __name__ == "__main__":
    main()
