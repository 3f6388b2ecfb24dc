"""Starts Airflow runs for queued events on one machine: `python -m local.dispatcher`."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from include.clock import Clock
from include.errors import RetryLater
from include.queue.backend import open_queue
from include.queue.queue import Queue
from include.settings import DispatcherSettings
from include.state.backend import open_store
from include.state.store import Store
from include.trigger.backend import open_trigger
from include.trigger.trigger import Trigger
from webhook_api.dispatcher import BATCH_SIZE, dispatch, log_report

IDLE_POLL_S = 0.2
GATHER_S = 2.0
"""So long after a run was started events gather for the next one: under load they come in batches, each a run of few
tasks, and an event in quiet times finds nothing to wait for."""
QUEUE_RETRY_S = 2.0

log = logging.getLogger("local.dispatcher")


@dataclass(slots=True)
class Stop:
    """Whether somebody asked the loop to end; a bare flag, because a signal handler must not touch a lock."""

    requested: bool = False

    def request(self, _signum: int, _frame: FrameType | None) -> None:
        """Ask for the end: the handler for SIGTERM and SIGINT."""
        self.requested = True


def run(
    queue: Queue, trigger: Trigger, store: Store, clock: Clock, *, stop: Stop, sleep: Callable[[float], None]
) -> None:
    """Dispatch batch after batch until `stop` is requested; a batch under way is finished first.

    Where a batch was full more is waiting, and the next one follows at once.

    Effects: due rows, DAG runs, and one log line for each.
    """
    while not stop.requested:
        try:
            report = dispatch(queue, trigger, store, clock)
        except RetryLater:
            log.exception("The queue cannot be reached; trying again in %s s", QUEUE_RETRY_S)
            sleep(QUEUE_RETRY_S)
            continue
        log_report(report)
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
    queue, store = open_queue(settings.queue_url, time.time), open_store(settings.state_url, time.time)
    run(queue, open_trigger(settings), store, time.time, stop=stop, sleep=time.sleep)
    log.info("Stopped")


if __name__ == "__main__":
    main()
