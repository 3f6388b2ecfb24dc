"""The result of a dispatch of one batch of messages, and its log lines."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from include.trigger.trigger import Started

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that exists now; `waited_s` is the time from its oldest event's arrival to its start."""

    dag_id: str
    run_id: str
    events: int
    started: Started
    waited_s: float


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """The outcome of one batch: each message was deleted with its run, released, buried, or left to the ledger."""

    received: int
    runs: Sequence[StartedRun]
    released: int
    buried: int
    waiting: int
    """Events left to the ledger, where they are due; no run was started for them."""
    reasons: Sequence[str]
    """Why messages were released or buried, each reason once."""


def log_report(report: DispatchReport) -> None:
    """Log one line for each run, and one that says why messages went back or were buried; each with its counters."""
    for run in report.runs:
        log.info(
            "%s run %s: %d event(s), started %s, oldest waited %.2f s",
            run.dag_id,
            run.run_id,
            run.events,
            run.started.value,
            run.waited_s,
            extra={
                "metrics": {
                    "RunsStarted": int(run.started is Started.NOW),
                    "EventsDispatched": run.events,
                    "EventWaitSeconds": run.waited_s,
                }
            },
        )
    if report.waiting:
        log.warning(
            "%d event(s) are left to the ledger, as Strava or Airflow is out: reconcile queues them again. %s",
            report.waiting,
            " ".join(report.reasons),
            extra={"metrics": {"EventsWaiting": report.waiting}},
        )
    if report.released or report.buried:
        log.warning(
            "%d event(s) returned to the queue, %d buried: %s",
            report.released,
            report.buried,
            " ".join(report.reasons),
            extra={"metrics": {"EventsReleased": report.released, "EventsBuried": report.buried}},
        )
