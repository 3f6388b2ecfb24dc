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
from include.state.erasures.ledger import ErasureGrounds, Erasures
from include.state.outages import Outages
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
"""Longer than a dispatch takes; if one takes longer, another dispatcher repeats it safely, see `deliver`."""

LONGEST_DELAY_S = 900
"""The longest delay before a message is tried again: one window, as reconcile would wait."""

MOST_TRIES = 16
"""How often a message is tried while Airflow starts no runs, over two hours; then it is left to the ledger. A queue
makes a message a dead letter after twenty receipts, which an outage of Airflow must not cause."""


_persistently = Retrying(retry=retry_if_exception_type(RetryLater), stop=stop_after_attempt(5), reraise=True)
"""Retries the state store at once: another receipt would cost the message more."""


class Inbox(Protocol):
    """Settles received messages: the queue itself, or Lambda's batch."""

    def delete(self, message: Message) -> None:
        """Forget a message whose run exists."""
        ...

    def release(self, message: Message, *, delay_s: int) -> None:
        """Let the message come back after `delay_s`."""
        ...

    def bury(self, message: Message, reason: str) -> None:
        """Move the message to the dead letters."""
        ...


def dispatch(
    queue: Queue, trigger: Trigger, store: Store, clock: Clock, *, batch_size: int = BATCH_SIZE
) -> DispatchReport:
    """Receive up to `batch_size` messages and `deliver` them.

    Errors: `RetryLater` when the queue itself is out of reach; messages in hand come back by themselves.
    """
    return deliver(queue.receive(batch_size, visibility_s=VISIBILITY_S), queue, trigger, store, clock)


def deliver(messages: Sequence[Message], inbox: Inbox, trigger: Trigger, store: Store, clock: Clock) -> DispatchReport:
    """Start the runs for received messages, and settle each message at the `inbox` that it came from.

    Before a run is started its activities are due in the ledger, or the erasure is stored: whatever becomes of the run,
    reconcile finds the remaining work. So a run that exists already (409) counts as started.

    Each erasure request starts a `strava_erase` run of its own, before everything else; all events about activities
    together start one `strava_ingest` run; each backfill that goes on starts a `strava_backfill` run. While Airflow or
    the ledger is unavailable, messages go back to the queue with a growing delay: during outages and updates, and while
    a DAG is paused or broken. After some hours only the ledger keeps them: reconcile queues them again when Airflow is
    back. A message that Airflow refuses for its content is buried with the reason; a refused batch is first retried
    event by event, so that one bad event does not bury the others.

    A message is deleted after its run exists, never before.
    A crash in between delivers it again, then perhaps in another batch with another run id.
    That second run is harmless: events are hints, and a run asks Strava for the truth.

    Errors: `RetryLater` when the inbox itself is out of reach; messages in hand come back by themselves.
    Effects: DAG runs, and messages deleted, released or buried; safe in several processes at once.
    """
    batch = _Batch(inbox, trigger, ActivityLedger(store, clock), Erasures(store, clock), Outages(store, clock), clock)
    parcels = [parcel for message in messages if (parcel := batch.open(message))]
    for parcel in parcels:
        if grounds := grounds_of(parcel.content):
            batch.erase(parcel, grounds)
    batch.ingest(batch.make_due([parcel for parcel in parcels if is_about_activities(parcel.content)]))
    for parcel in parcels:
        if isinstance(parcel.content, ResumeBackfill):
            batch.start_backfill(parcel, parcel.content.form)
    return DispatchReport(
        len(messages), tuple(batch.runs), batch.released, batch.buried, batch.waiting, tuple(batch.reasons)
    )


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: Message
    content: Content

    @property
    def is_in_ledger(self) -> bool:
        """Whether, before its run is started, a row says what it asks for."""
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

    def erase(self, parcel: _Delivery, grounds: ErasureGrounds) -> None:
        event = parcel.content.event
        conf = {"athlete": event.owner_id, "reason": grounds.reason, "asked_at_epoch_s": grounds.asked_at_epoch_s}
        try:
            _persistently(self.erasures.ask, event.owner_id, grounds)
            self._start(ERASE_DAG, event.run_id, conf, [parcel])
        except TriggerRefused as err:
            self._bury(parcel.message, str(err))
        except RetryLater as err:
            self._release([parcel], err)

    def start_backfill(self, parcel: _Delivery, form: Mapping[str, Any]) -> None:
        try:
            self._start(BACKFILL_DAG, parcel.content.event.run_id, form, [parcel])
        except TriggerRefused as err:
            self._bury(parcel.message, str(err))

    def make_due(self, parcels: Sequence[_Delivery]) -> list[_Delivery]:
        """Say in the ledger that the events' activities are due; returns those for which a run is to be started.

        The others go back, or are done: while Strava is down no run is started, and reconcile continues afterwards.
        """
        is_out = bool(parcels) and self._is_strava_out()
        return [parcel for parcel in parcels if self._is_to_be_run(parcel, is_out)]

    def _is_strava_out(self) -> bool:
        try:
            return self.outages.current() is not None
        except RetryLater as err:
            log.warning("It cannot be read whether Strava is down, so runs are started, which will find out: %s", err)
            return False

    def _is_to_be_run(self, parcel: _Delivery, is_out: bool) -> bool:
        event = parcel.content.event
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
            self._release([parcel], err)
            return False
        if is_out:
            self.inbox.delete(parcel.message)
            self.waiting += 1
        return not is_out

    def ingest(self, parcels: Sequence[_Delivery]) -> None:
        if not parcels:
            return
        run_id = batch_run_id([parcel.content.event for parcel in parcels])
        conf = {"events": [to_conf(parcel.content) for parcel in parcels]}
        try:
            self._start(INGEST_DAG, run_id, conf, parcels)
        except TriggerRefused as err:
            if len(parcels) == 1:
                self._bury(parcels[0].message, str(err))
                return
            for parcel in parcels:
                self.ingest([parcel])

    def _start(self, dag_id: str, run_id: str, conf: Mapping[str, Any], parcels: Sequence[_Delivery]) -> None:
        try:
            started = self.trigger.start(dag_id, run_id, conf)
        except TriggerUnavailable as err:
            self._put_off(parcels, err)
            return
        for parcel in parcels:
            self.inbox.delete(parcel.message)
        oldest = min(parcel.content.queued_at_epoch_s for parcel in parcels)
        self.runs.append(StartedRun(dag_id, run_id, len(parcels), started, self.clock() - oldest))

    def _put_off(self, parcels: Sequence[_Delivery], reason: TriggerUnavailable) -> None:
        """Let come back what the ledger knows of, until it has been tried often enough; then that is left to it."""
        left = [parcel for parcel in parcels if parcel.is_in_ledger and parcel.message.attempts >= MOST_TRIES]
        for parcel in left:
            self.inbox.delete(parcel.message)
        self.waiting += len(left)
        self._release([parcel for parcel in parcels if parcel not in left], reason)

    def _release(self, parcels: Sequence[_Delivery], reason: RetryLater) -> None:
        self.reasons[str(reason)] = None
        for parcel in parcels:
            self.inbox.release(parcel.message, delay_s=delay_after(parcel.message.attempts))
        self.released += len(parcels)

    def _bury(self, message: Message, reason: str) -> None:
        self.inbox.bury(message, reason)
        self.reasons[reason] = None
        self.buried += 1


def delay_after(attempts: int) -> int:
    """Seconds until a message that was received `attempts` times comes back: 2, 4, 8, … up to a quarter of an hour."""
    return int(min(LONGEST_DELAY_S, 2 ** min(attempts, 30)))
