"""From the queue to Airflow: nothing lost, nothing buried that could succeed."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.errors import IngestError, RetryLater, TriggerRefused, TriggerUnavailable
from include.queue.queue import Message
from include.queue.queued_event import QueuedEvent
from include.queue.sqlite import SqliteQueue
from include.state.activities.ledger import ActivityLedger, ActivityState, Mark
from include.state.erasures.ledger import Erasures
from include.state.outages import Outages
from include.store.sqlite import SqliteStore
from include.strava.events import WebhookEvent, batch_run_id
from include.trigger.trigger import Started
from webhook_api.dispatcher import LONGEST_DELAY_S, MOST_TRIES, StartedRun, delay_after, dispatch

POISON = 666
OWNER = 134815


@dataclass
class Airflow:
    """A trigger that keeps the runs it started and fails as it is told."""

    runs: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fault: Callable[[str], IngestError | None] = lambda dag_id: None

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        self.calls.append(dag_id)
        if fault := self.fault(dag_id):
            raise fault
        if any(event["object_id"] == POISON for event in conf.get("events", [])):
            raise TriggerRefused("the form refuses 666")
        if (dag_id, run_id) in self.runs:
            return Started.BEFORE
        self.runs[dag_id, run_id] = json.loads(json.dumps(conf))
        return Started.NOW

    def ingested(self) -> list[int]:
        confs = [conf for (dag_id, _), conf in self.runs.items() if dag_id == "strava_ingest"]
        return [event["object_id"] for conf in confs for event in conf["events"]]


@dataclass
class Now:
    epoch_s: float = 1_760_000_000.0

    def __call__(self) -> float:
        return self.epoch_s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def queue(tmp_path: Path, now: Now) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(tmp_path / "queue.sqlite", now, keep_days=28)
    yield queue
    queue.close()


@pytest.fixture
def store(tmp_path: Path, now: Now) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state.sqlite", now)
    yield store
    store.close()


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


def event(object_id: int, **changes: Any) -> WebhookEvent:
    plain = WebhookEvent("activity", object_id, "create", 134815, 120475, 1_516_126_040, {})
    return replace(plain, **changes)


def deauthorisation(athlete: int) -> WebhookEvent:
    return event(
        athlete, object_type="athlete", aspect_type="update", owner_id=athlete, updates={"authorized": "false"}
    )


def send(queue: SqliteQueue, now: Now, *events: WebhookEvent) -> None:
    for each in events:
        queue.send(QueuedEvent(each, now()).to_body())


def unavailable(dag_id: str) -> IngestError:
    return TriggerUnavailable("Airflow is starting")


def test_nothing_starts_when_the_queue_is_empty(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    report = dispatch(queue, airflow, store, now)

    assert (report.received, report.runs, report.released, report.buried) == (0, (), 0, 0)
    assert airflow.calls == []


def test_one_run_named_after_the_event_starts_when_one_waits(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, event(7, updates={"title": "Morning run with Rex", "private": "true"}))
    received_at = now()
    now.epoch_s += 1.5

    report = dispatch(queue, airflow, store, now)

    ((dag_id, run_id), conf), *others = airflow.runs.items()
    assert (dag_id, others) == ("strava_ingest", [])
    assert run_id == event(7, updates={"title": "Morning run with Rex", "private": "true"}).run_id
    assert conf["events"][0]["received_at_epoch_s"] == received_at
    assert conf["events"][0]["updates"]["private"] == "true"
    assert "Rex" not in json.dumps(conf)
    assert report.runs == (StartedRun("strava_ingest", run_id, 1, Started.NOW, 1.5),)
    assert queue.depth() == 0


def test_one_run_starts_when_a_hundred_events_wait(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    events = [event(number) for number in range(1, 101)]
    send(queue, now, *events)

    dispatch(queue, airflow, store, now)

    assert list(airflow.runs) == [("strava_ingest", batch_run_id(events))]
    assert sorted(airflow.ingested()) == list(range(1, 101))
    assert queue.depth() == 0


def test_the_rest_waits_for_the_next_batch_when_more_wait_than_fit(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, *(event(number) for number in (1, 2, 3)))

    assert dispatch(queue, airflow, store, now, batch_size=2).received == 2
    assert queue.depth() == 1
    dispatch(queue, airflow, store, now, batch_size=2)
    assert sorted(airflow.ingested()) == [1, 2, 3]


def test_message_is_deleted_when_its_run_existed_before(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    for _ in range(2):
        send(queue, now, event(7))
        report = dispatch(queue, airflow, store, now)

    assert [run.started for run in report.runs] == [Started.BEFORE]
    assert airflow.ingested() == [7]
    assert queue.depth() == 0


def test_deauthorisations_start_first_and_alone_when_others_wait_before_them(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, event(1), deauthorisation(52), event(2), deauthorisation(53))

    report = dispatch(queue, airflow, store, now)

    assert airflow.calls == ["strava_erase", "strava_erase", "strava_ingest"]
    for athlete_id in (52, 53):
        told = deauthorisation(athlete_id)
        assert airflow.runs["strava_erase", told.run_id] == {
            "athlete": athlete_id,
            "reason": "deauthorisation",
            "asked_at_epoch_s": told.event_time_epoch_s,
        }
    assert sorted(airflow.ingested()) == [1, 2]
    assert len(report.runs) == 3


def test_other_events_go_on_when_erasing_is_not_possible(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, deauthorisation(52), event(1))
    airflow.fault = lambda dag_id: unavailable(dag_id) if dag_id == "strava_erase" else None

    report = dispatch(queue, airflow, store, now)

    assert airflow.ingested() == [1]
    assert (report.released, queue.depth()) == (1, 1)


def test_deauthorisation_is_buried_with_the_reason_when_it_is_refused(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, deauthorisation(52))
    airflow.fault = lambda dag_id: TriggerRefused("no such DAG: strava_erase")

    assert dispatch(queue, airflow, store, now).buried == 1
    [(message, reason)] = queue.dead()
    assert QueuedEvent.parse(message.body).event == deauthorisation(52)
    assert reason == "no such DAG: strava_erase"


def test_messages_come_back_later_and_later_when_airflow_is_unavailable(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, event(1), event(2))
    airflow.fault = unavailable
    for delay_s in (2, 4, 8, 16):
        report = dispatch(queue, airflow, store, now)
        assert (report.released, report.reasons) == (2, ("Airflow is starting",))
        now.epoch_s += delay_s - 0.1
        assert dispatch(queue, airflow, store, now).received == 0
        now.epoch_s += 0.1

    airflow.fault = lambda dag_id: None
    dispatch(queue, airflow, store, now)
    assert sorted(airflow.ingested()) == [1, 2]


def test_only_the_bad_event_is_buried_when_a_batch_is_refused(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, event(1), event(POISON), event(2))

    report = dispatch(queue, airflow, store, now)

    assert sorted(airflow.ingested()) == [1, 2]
    assert (report.buried, len(report.runs), queue.depth()) == (1, 2, 0)
    [(message, reason)] = queue.dead()
    assert QueuedEvent.parse(message.body).event == event(POISON)
    assert reason == "the form refuses 666"


def test_good_events_return_to_the_queue_when_airflow_fails_after_refusing_their_batch(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    send(queue, now, event(1), event(2))
    faults = iter([TriggerRefused("no"), None, TriggerUnavailable("gone")])
    airflow.fault = lambda dag_id: next(faults)

    report = dispatch(queue, airflow, store, now)

    assert (len(report.runs), report.released, report.buried) == (1, 1, 0)
    assert queue.dead() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="broken"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no-time"),
        pytest.param('{"received_at_epoch_s": true}', id="time-is-no-number"),
        pytest.param('{"received_at_epoch_s": 1.0}', id="no-event"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_malformed_message_is_buried_and_the_others_start(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now, body: str
) -> None:
    queue.send(body)
    send(queue, now, event(1))

    report = dispatch(queue, airflow, store, now)

    assert (report.received, report.buried) == (2, 1)
    assert [message.body for message, _ in queue.dead()] == [body]
    assert airflow.ingested() == [1]


# --- due before begun ------------------------------------------------------------------------------


def test_activity_is_due_before_its_run_is_started(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    ledger = ActivityLedger(store, now)
    seen: list[Any] = []
    airflow.fault = lambda dag_id: seen.append(ledger.get(OWNER, 7))  # the run is not there yet
    send(queue, now, event(7))

    dispatch(queue, airflow, store, now)

    assert seen == [ledger.get(OWNER, 7)]
    assert (seen[0].state, seen[0].asked) == (ActivityState.PENDING, Mark(1_516_126_040, int(now()) + 1800))
    assert [entry.activity_id for entry in ledger.due(now() + 1800)] == [7]


def test_only_activities_are_made_due(queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now) -> None:
    send(queue, now, event(OWNER, object_type="athlete"), deauthorisation(52))
    queue.send(QueuedEvent.look_again(OWNER, 8, now(), copies_only=True).to_body())

    dispatch(queue, airflow, store, now)

    assert list(ActivityLedger(store, now).due(now() + 1e6)) == []
    assert len(airflow.runs) == 2


def test_event_goes_back_and_starts_nothing_when_it_cannot_be_made_due(
    queue: SqliteQueue, airflow: Airflow, now: Now, tmp_path: Path
) -> None:
    class OutOfReach(SqliteStore):
        def put(self, *args: Any, **options: Any) -> int:
            if args[0].sort == "2":
                raise RetryLater("STATE_URL: throttled")
            return super().put(*args, **options)

    store = OutOfReach(tmp_path / "state.sqlite", now)
    send(queue, now, event(1), event(2), deauthorisation(52))

    report = dispatch(queue, airflow, store, now)
    store.close()

    assert airflow.ingested() == [1]
    assert (report.released, report.reasons, queue.depth()) == (1, ("STATE_URL: throttled",), 1)


def test_event_is_due_and_its_message_done_while_strava_is_out(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    outages = Outages(store, now)
    outages.begin("503")
    send(queue, now, event(1), deauthorisation(52))

    report = dispatch(queue, airflow, store, now)

    assert (airflow.calls, report.waiting, queue.depth()) == (["strava_erase"], 1, 0)
    assert [entry.activity_id for entry in ActivityLedger(store, now).due(now())] == [1]
    outages.end()
    send(queue, now, event(2))
    assert dispatch(queue, airflow, store, now).waiting == 0
    assert airflow.ingested() == [2]


def test_events_are_left_to_the_ledger_when_airflow_starts_no_run_for_hours(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now
) -> None:
    airflow.fault = unavailable
    send(queue, now, event(1), deauthorisation(52), event(OWNER, object_type="athlete"))

    reports = []
    for _ in range(MOST_TRIES):
        reports.append(dispatch(queue, airflow, store, now))
        now.epoch_s += LONGEST_DELAY_S

    assert [report.waiting for report in reports] == [0] * (MOST_TRIES - 1) + [2]
    assert (queue.depth(), queue.dead()) == (1, []), "no row speaks of the event about an athlete"
    assert [entry.activity_id for entry in ActivityLedger(store, now).due(now())] == [1]
    assert [erasure.athlete_id for erasure in Erasures(store, now).due()] == [52]


def test_event_is_not_left_to_a_ledger_that_is_out_of_reach(
    queue: SqliteQueue, airflow: Airflow, now: Now, tmp_path: Path
) -> None:
    class OutOfReach(SqliteStore):
        def put(self, *args: Any, **options: Any) -> int:
            raise RetryLater("STATE_URL: throttled")

    store = OutOfReach(tmp_path / "state.sqlite", now)
    send(queue, now, event(1))

    for _ in range(MOST_TRIES + 2):
        assert dispatch(queue, airflow, store, now).waiting == 0
        now.epoch_s += LONGEST_DELAY_S
    store.close()

    assert queue.depth() == 1


class Crash(Exception):
    """The process ends here."""


@dataclass
class CrashingQueue:
    """A queue whose process dies now and then, before or after a step is durable."""

    queue: SqliteQueue
    dice: random.Random

    def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
        return self._crash_around(lambda: self.queue.receive(max_messages, visibility_s=visibility_s))

    def delete(self, message: Message) -> None:
        self._crash_around(lambda: self.queue.delete(message))

    def release(self, message: Message, *, delay_s: int) -> None:
        self._crash_around(lambda: self.queue.release(message, delay_s=delay_s))

    def bury(self, message: Message, reason: str) -> None:
        self._crash_around(lambda: self.queue.bury(message, reason))

    def send(self, body: str) -> str:
        return self.queue.send(body)

    def depth(self) -> int:
        return self.queue.depth()

    def dead(self) -> Sequence[tuple[Message, str]]:
        return self.queue.dead()

    def _crash_around(self, step: Callable[[], Any]) -> Any:
        if self.dice.random() < 0.02:
            raise Crash
        result = step()
        if self.dice.random() < 0.02:
            raise Crash
        return result


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed-{seed}") for seed in range(12)])
def test_nothing_is_lost_when_airflow_and_the_dispatcher_fail_at_random(
    queue: SqliteQueue, airflow: Airflow, store: SqliteStore, now: Now, seed: int
) -> None:
    dice = random.Random(seed)
    good = list(range(1, 31))
    leaving = [1052, 1053]
    events = [event(number) for number in [*good, POISON]] + [deauthorisation(athlete) for athlete in leaving]
    dice.shuffle(events)
    send(queue, now, *events)
    airflow.fault = lambda dag_id: unavailable(dag_id) if dice.random() < 0.4 else None

    for _ in range(400):
        with contextlib.suppress(Crash):
            dispatch(CrashingQueue(queue, dice), airflow, store, now, batch_size=7)
        now.epoch_s += 60

    assert queue.depth() == 0
    assert {entry.activity_id for entry in ActivityLedger(store, now).due(now() + 1800)} == {*good, POISON}
    assert set(airflow.ingested()) == set(good)
    assert [QueuedEvent.parse(message.body).event.object_id for message, _ in queue.dead()] == [POISON]
    erased = {conf["athlete"] for (dag_id, _), conf in airflow.runs.items() if dag_id == "strava_erase"}
    assert erased == set(leaving)


@given(attempts=st.integers(min_value=1, max_value=10**6))
def test_delay_grows_and_stays_bounded_for_any_number_of_attempts(attempts: int) -> None:
    assert 2 <= delay_after(attempts) <= delay_after(attempts + 1) <= LONGEST_DELAY_S


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
events = st.builds(
    WebhookEvent,
    object_type=st.sampled_from(["activity", "athlete"]),
    object_id=st.integers(1, 2**63 - 1),
    aspect_type=st.sampled_from(["create", "update", "delete"]),
    owner_id=st.integers(1, 2**63 - 1),
    subscription_id=st.integers(1, 2**63 - 1),
    event_time_epoch_s=st.integers(1, 2_000_000_000),
    updates=st.dictionaries(texts, texts, max_size=3),
)


@given(event=events, received_at=st.floats(min_value=0, max_value=2e9))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_queued_event_keeps_its_ids_and_time_when_written_and_parsed(event: WebhookEvent, received_at: float) -> None:
    parsed = QueuedEvent.parse(QueuedEvent(event, received_at).to_body())

    assert parsed.received_at_epoch_s == received_at
    assert (parsed.event.event_id, parsed.event.run_id) == (event.event_id, event.run_id)
    assert parsed.event.is_deauthorisation == event.is_deauthorisation


# --- backfills that go on ------------------------------------------------------------------------

FORM = {"athlete": OWNER, "from": "2026-05-01", "to": "2026-06-17", "dry_run": False, "asked_at_epoch_s": 1_759_000_000}


def resumed(now: Now, **changes: object) -> str:
    return QueuedEvent.resume_backfill({**FORM, **changes}, now()).to_body()


def test_backfill_that_goes_on_starts_its_own_run_with_the_same_form(
    queue: SqliteQueue, store: SqliteStore, now: Now
) -> None:
    airflow = Airflow()
    for changes in ({}, {"to": "2026-06-18"}, {"dry_run": True}):
        queue.send(resumed(now, **changes))
    queue.send(QueuedEvent.look_again(OWNER, 8, now()).to_body())

    report = dispatch(queue, airflow, store, now)

    assert airflow.calls == ["strava_ingest", *["strava_backfill"] * 3]
    forms = [conf for (dag_id, _), conf in airflow.runs.items() if dag_id == "strava_backfill"]
    assert forms == [FORM, {**FORM, "to": "2026-06-18"}, {**FORM, "dry_run": True}]
    assert (len(report.runs), queue.depth()) == (4, 0)


def test_backfill_that_goes_on_twice_has_one_run_for_each_time(
    queue: SqliteQueue, store: SqliteStore, now: Now
) -> None:
    airflow = Airflow()
    for body in (resumed(now), resumed(now)):
        queue.send(body)
        dispatch(queue, airflow, store, now)
    now.epoch_s += 900
    queue.send(resumed(now))
    dispatch(queue, airflow, store, now)

    assert len(airflow.runs) == 2


@pytest.mark.parametrize(
    ("fault", "depth", "dead"),
    [
        pytest.param(TriggerUnavailable("503"), 1, 0, id="waits while Airflow is out"),
        pytest.param(TriggerRefused("no such form"), 0, 1, id="is a dead letter where Airflow refuses it"),
    ],
)
def test_backfill_that_airflow_does_not_take(
    queue: SqliteQueue, store: SqliteStore, now: Now, fault: IngestError, depth: int, dead: int
) -> None:
    queue.send(resumed(now))

    dispatch(queue, Airflow(fault=lambda _: fault), store, now)

    assert (queue.depth(), len(queue.dead())) == (depth, dead)


def test_message_with_a_backfill_that_nobody_wrote_is_buried(queue: SqliteQueue, store: SqliteStore, now: Now) -> None:
    queue.send(json.dumps({**json.loads(resumed(now)), "backfill": "all of it"}))

    assert dispatch(queue, Airflow(), store, now).buried == 1
