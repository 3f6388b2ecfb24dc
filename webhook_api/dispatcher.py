"""The dispatcher: turns a batch of queued events into DAG runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from include.clock import Clock
from include.errors import BadEvent, RetryLater, TriggerRefused, TriggerUnavailable
from include.queue.content import Content, ResumeBackfill, grounds_of, is_about_activities, to_conf
from include.queue.content import parse as parse_content
from include.queue.queue import Message, Queue
from include.state.activities.ledger import ActivityLedger
from include.state.application.outages import Outages
from include.state.erasures.ledger import ErasureGrounds, Erasures
from include.store.store import Store
from include.strava.events import batch_run_id
from include.trigger.trigger import Trigger
from webhook_api.dispatch_report import DispatchReport, StartedRun

log = logging.getLogger(__name__)

INGEST_DAG = "strava_ingest"
ERASE_DAG = "strava_erase"
BACKFILL_DAG = "strava_backfill"

BATCH_SIZE = 100
"""The most events of one run."""

VISIBILITY_S = 300
"""Longer than a dispatch takes; if it takes longer, another dispatcher repeats it safely, see `deliver`."""

LONGEST_DELAY_S = 900
"""The longest delay before a message is tried again: one window, as reconcile would wait."""

MOST_TRIES = 16
"""How often a message is tried, in over two hours, while Airflow starts no runs; then only the ledger keeps its work.
The queue makes a message a dead letter after twenty receives, which an outage of Airflow must not cause."""


_persistently = Retrying(retry=retry_if_exception_type(RetryLater), stop=stop_after_attempt(5), reraise=True)
"""Retries calls of the state store at once, because another receive would use up one of the message's tries."""


class Inbox(Protocol):
    """Settles received messages: the queue itself, or Lambda's batch."""

    def delete(self, message: Message) -> None:
        """Delete a message whose run exists."""
        ...

    def release(self, message: Message, *, delay_s: int) -> None:
        """Return the message to the queue after `delay_s`."""
        ...

    def bury(self, message: Message, reason: str) -> None:
        """Move the message to the dead letters."""
        ...


def dispatch(queue: Queue, trigger: Trigger, store: Store, clock: Clock) -> DispatchReport:
    """Receive up to `BATCH_SIZE` messages and `deliver` them.

    Errors: `RetryLater` when the queue itself is out of reach; received messages then return by themselves.
    """
    return deliver(queue.receive(BATCH_SIZE, visibility_s=VISIBILITY_S), queue, trigger, store, clock)


def deliver(messages: Sequence[Message], inbox: Inbox, trigger: Trigger, store: Store, clock: Clock) -> DispatchReport:
    """Start the runs for received messages, and settle each message at the `inbox` that it came from.

    Before a run is started, its activities are made due in the ledger, or its erasure is stored: if the run fails,
    reconcile finds the remaining work. So a run that exists already (409) counts as started.

    Each erasure request starts a `strava_erase` run of its own, before everything else; all events about activities
    together start one `strava_ingest` run; each request to continue a backfill starts a `strava_backfill` run. While
    Airflow or the ledger is unavailable (outages, updates, a paused or broken DAG), messages return to the queue with a
    growing delay. After some hours only the ledger keeps their work, and reconcile queues it again when Airflow is
    back. A message that Airflow refuses for its content is buried with the reason; a refused batch is first retried
    event by event, so that one bad event does not bury the others.

    A message is deleted after its run exists, never before.
    A crash in between delivers it again, then perhaps in another batch with another run id.
    That second run is harmless: events are hints, and a run asks Strava for the truth.

    Errors: `RetryLater` when the inbox itself is out of reach; received messages then return by themselves.
    Effects: DAG runs, and messages deleted, released or buried; safe in several processes at once.
    """
    batch = _Batch(inbox, trigger, ActivityLedger(store, clock), Erasures(store, clock), Outages(store, clock), clock)
    deliveries = [delivery for message in messages if (delivery := batch.open(message))]
    for delivery in deliveries:
        if grounds := grounds_of(delivery.content):
            batch.erase(delivery, grounds)
    batch.ingest(batch.make_due([delivery for delivery in deliveries if is_about_activities(delivery.content)]))
    for delivery in deliveries:
        if isinstance(delivery.content, ResumeBackfill):
            batch.start_backfill(delivery, delivery.content.form)
    return DispatchReport(
        len(messages), tuple(batch.runs), batch.released, batch.buried, batch.waiting, tuple(batch.reasons)
    )


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: Message
    content: Content

    @property
    def is_in_ledger(self) -> bool:
        """Whether the ledger has its work before its run is started, so that the message is not needed for it."""
        return self.content.event.object_type == "activity" or not is_about_activities(self.content)


@dataclass(slots=True)
class _Batch:
    """The messages of one dispatch, and the counts of their outcomes."""

    inbox: Inbox
    trigger: Trigger
    activities: ActivityLedger
    erasures: Erasures
    outages: Outages
    clock: Clock
    runs: list[StartedRun] = field(default_factory=list)
    released: int = 0
    buried: int = 0
    waiting: int = 0
    reasons: dict[str, None] = field(default_factory=dict)

    def open(self, message: Message) -> _Delivery | None:
        try:
            return _Delivery(message, parse_content(message.body))
        except BadEvent as err:
            self._bury(message, str(err))
            return None

    def erase(self, delivery: _Delivery, grounds: ErasureGrounds) -> None:
        event = delivery.content.event
        conf = {"athlete": event.owner_id, "reason": grounds.reason, "asked_at_epoch_s": grounds.asked_at_epoch_s}
        try:
            _persistently(self.erasures.ask, event.owner_id, grounds)
            self._start(ERASE_DAG, event.run_id, conf, [delivery])
        except TriggerRefused as err:
            self._bury(delivery.message, str(err))
        except RetryLater as err:
            self._release([delivery], err)

    def start_backfill(self, delivery: _Delivery, form: Mapping[str, Any]) -> None:
        try:
            self._start(BACKFILL_DAG, delivery.content.event.run_id, form, [delivery])
        except TriggerRefused as err:
            self._bury(delivery.message, str(err))

    def make_due(self, deliveries: Sequence[_Delivery]) -> list[_Delivery]:
        """Make the events' activities due in the ledger; returns the deliveries for which a run has to be started.

        The others are returned to the queue, or deleted: while Strava is down no run is started, and reconcile
        continues afterwards.
        """
        is_out = bool(deliveries) and self._is_strava_out()
        return [delivery for delivery in deliveries if self._is_to_be_run(delivery, is_out)]

    def _is_strava_out(self) -> bool:
        try:
            return self.outages.current() is not None
        except RetryLater as err:
            log.warning("Whether Strava is down cannot be read, so runs are started, which notice it: %s", err)
            return False

    def _is_to_be_run(self, delivery: _Delivery, is_out: bool) -> bool:
        event = delivery.content.event
        if event.object_type != "activity" or event.asks_for_copies_only:
            return True
        try:
            _persistently(
                self.activities.make_due,
                event.owner_id,
                event.object_id,
                asked_at_epoch_s=event.event_time_epoch_s,
                due_at_epoch_s=int(self.clock()) if is_out else None,
            )
        except RetryLater as err:
            self._release([delivery], err)
            return False
        if is_out:
            self.inbox.delete(delivery.message)
            self.waiting += 1
        return not is_out

    def ingest(self, deliveries: Sequence[_Delivery]) -> None:
        if not deliveries:
            return
        run_id = batch_run_id([delivery.content.event for delivery in deliveries])
        conf = {"events": [to_conf(delivery.content) for delivery in deliveries]}
        try:
            self._start(INGEST_DAG, run_id, conf, deliveries)
        except TriggerRefused as err:
            if len(deliveries) == 1:
                self._bury(deliveries[0].message, str(err))
                return
            for delivery in deliveries:
                self.ingest([delivery])

    def _start(self, dag_id: str, run_id: str, conf: Mapping[str, Any], deliveries: Sequence[_Delivery]) -> None:
        try:
            started = self.trigger.start(dag_id, run_id, conf)
        except TriggerUnavailable as err:
            self._put_off(deliveries, err)
            return
        for delivery in deliveries:
            self.inbox.delete(delivery.message)
        oldest = min(delivery.content.queued_at_epoch_s for delivery in deliveries)
        self.runs.append(StartedRun(dag_id, run_id, len(deliveries), started, self.clock() - oldest))

    def _put_off(self, deliveries: Sequence[_Delivery], reason: TriggerUnavailable) -> None:
        """Return the messages to the queue; after `MOST_TRIES`, delete those whose work is in the ledger."""
        left = [
            delivery for delivery in deliveries if delivery.is_in_ledger and delivery.message.attempts >= MOST_TRIES
        ]
        for delivery in left:
            self.inbox.delete(delivery.message)
        self.waiting += len(left)
        self._release([delivery for delivery in deliveries if delivery not in left], reason)

    def _release(self, deliveries: Sequence[_Delivery], reason: RetryLater) -> None:
        self.reasons[str(reason)] = None
        for delivery in deliveries:
            self.inbox.release(delivery.message, delay_s=delay_after(delivery.message.attempts))
        self.released += len(deliveries)

    def _bury(self, message: Message, reason: str) -> None:
        self.inbox.bury(message, reason)
        self.reasons[reason] = None
        self.buried += 1


def delay_after(attempts: int) -> int:
    """Seconds until a message that was received `attempts` times comes back: 2, 4, 8, … up to a quarter of an hour."""
    return int(min(LONGEST_DELAY_S, 2 ** min(attempts, 30)))
