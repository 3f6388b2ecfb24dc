"""The dispatcher on Lambda: for batches of events from an SQS queue, and at night for Airflow's finished runs."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from include.clock import Clock
from include.errors import RetryLater, TriggerUnavailable
from include.queue.backend import open_queue
from include.queue.queue import Message, Queue
from include.queue.sqs import parse_message
from include.settings import DispatcherSettings
from include.store.backend import open_store
from include.store.store import Store
from include.trigger.api import AirflowApi
from include.trigger.backend import open_airflow
from include.trigger.finished_runs import delete_finished_runs
from include.trigger.trigger import AirflowTrigger, Started, Trigger
from webhook_api.aws_lambda import logs as lambda_logs
from webhook_api.dispatch_report import log_report
from webhook_api.dispatcher import deliver

log = logging.getLogger(__name__)

LAST_START_S = 26.0
"""With less than this left of an invocation no run is started. It suffices for two calls to MWAA of the longest
duration (is the DAG paused, start the run) and for settling the batch."""


MOST_PAGES = 20
"""The most pages of finished runs that one invocation deletes: a thousand runs. The next invocation continues."""


def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Start the runs for one batch; the answer names the messages that return to the queue.

    Lambda deletes the others. Needs `ReportBatchItemFailures` at the event source, and at most two invocations at
    once, so that all dispatchers together stay below MWAA's ten calls a second.
    Without a batch, as the nightly schedule invokes it, it deletes old finished runs.

    Errors: those of the settings, and of a queue to which this role may not write; then the whole batch returns.
    Effects: due rows, DAG runs and dead letters, see `webhook_api.dispatcher.deliver`.
    """
    _logs().request_id = context.aws_request_id

    def remaining_s() -> float:
        return float(context.get_remaining_time_in_millis() / 1000)

    if "Records" not in event:
        clean(_airflow(), time.time, remaining_s, keep_days=int(_settings().runs_keep_days))
        return {}
    queue, trigger, store = _leaves()
    batch = LambdaBatch(queue)
    messages = [parse_message(record) for record in event["Records"]]
    log_report(deliver(messages, batch, TimedTrigger(trigger, remaining_s), store, time.time))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch.returning]}


def clean(airflow: AirflowApi, clock: Clock, remaining_s: Callable[[], float], *, keep_days: int) -> None:
    """Delete runs that ended `keep_days` ago, page by page; the next invocation deletes the rest.

    Effects: deletes rows of Airflow; one log line with their number. An unreachable Airflow is no error here.
    """
    deleted = refused = 0
    try:
        for _ in range(MOST_PAGES):
            if remaining_s() < LAST_START_S:
                break
            page = delete_finished_runs(airflow, clock(), keep_days=keep_days, skipped=refused)
            deleted, refused = deleted + page.deleted, refused + page.refused
            if page.is_last:
                break
    except TriggerUnavailable as err:
        log.warning("Finished runs wait for the next time: %s", err)
    log.info(
        "Deleted %d finished run(s); Airflow kept %d", deleted, refused, extra={"metrics": {"RunsDeleted": deleted}}
    )


@dataclass(slots=True)
class LambdaBatch:
    """The inbox of a batch: Lambda deletes its messages itself, except those in `returning`."""

    queue: Queue
    returning: list[str] = field(default_factory=list)

    def delete(self, message: Message) -> None:
        """No effect: Lambda deletes the message."""

    def release(self, message: Message, *, delay_s: int) -> None:
        """Return the message to the queue after `delay_s`, or after its visibility timeout if that call fails."""
        self.returning.append(message.message_id)
        try:
            self.queue.release(message, delay_s=delay_s)
        except RetryLater as err:
            log.warning("Message %s returns to the queue later than intended: %s", message.message_id, err)

    def bury(self, message: Message, reason: str) -> None:
        """Move the message to the dead letters; if that fails, it returns to the queue and is buried later."""
        try:
            self.queue.bury(message, reason)
        except RetryLater as err:
            self.returning.append(message.message_id)
            log.warning("Message %s returns to the queue, to be buried later: %s", message.message_id, err)


@dataclass(frozen=True, slots=True)
class TimedTrigger:
    """A trigger that starts no run near the end of an invocation, so that no start is cut off."""

    trigger: Trigger
    remaining_s: Callable[[], float]

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Start the run. Errors: those of the trigger, and `TriggerUnavailable` when too little time is left."""
        if self.remaining_s() < LAST_START_S:
            raise TriggerUnavailable("This invocation's time is used up; the rest of the batch waits for another.")
        return self.trigger.start(dag_id, run_id, conf)


@cache
def _logs() -> lambda_logs.JsonFormatter:
    return lambda_logs.configure()


@cache
def _settings() -> DispatcherSettings:
    return DispatcherSettings.from_environ(os.environ)


@cache
def _airflow() -> AirflowApi:
    return open_airflow(_settings())


@cache
def _leaves() -> tuple[Queue, Trigger, Store]:
    settings = _settings()
    queue = open_queue(settings.queue_url, time.time, keep_days=int(settings.messages_keep_days))
    return queue, AirflowTrigger(_airflow()), open_store(settings.state_url, time.time)


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    # During initialisation Lambda gives a process a whole processor, afterwards only a share of one.
    _logs()
    _leaves()
