"""The dispatcher on Lambda: the real runtime, an SQS queue with dead letters, MWAA's one call."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from include.clock import Clock
from include.errors import RetryLater, TriggerUnavailable
from include.queue.backend import open_queue
from include.queue.content import StravaEvent, to_body
from include.queue.queue import Message, Queue
from include.state.activities.ledger import ActivityLedger
from include.store.backend import open_store
from include.strava.events import WebhookEvent, batch_run_id
from include.trigger.api import ApiResponse
from include.trigger.finished_runs import DAGS, PAGE
from include.trigger.trigger import Started
from local.aws import mwaa_stub
from local.aws.lambda_runtime import LambdaProcess, lambda_process
from webhook_api.aws_lambda.dispatcher import LAST_START_S, MOST_PAGES, LambdaBatch, TimedTrigger, clean

pytestmark = pytest.mark.network

HANDLER = "webhook_api.aws_lambda.dispatcher.handler"
POISON = 666
THROTTLED = 429, {"message": "Rate exceeded"}, "ThrottlingException"


@dataclass
class Mwaa:
    """An environment `ingest`, whose Airflow refuses events of the activity `POISON`."""

    runs: list[tuple[str, str]] = field(default_factory=list)
    events: dict[str, list[int]] = field(default_factory=dict)
    faults: list[mwaa_stub.ApiResponse] = field(default_factory=list)
    cleaned: list[Any] = field(default_factory=list)

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> mwaa_stub.ApiResponse:
        if self.faults:
            return self.faults.pop(0)
        return mwaa_stub.invoke(self._airflow, "ingest", path, headers, body)

    def _airflow(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"is_paused": False}
        if path == "/dags/~/dagRuns/list":
            self.cleaned.append({name: body[name] for name in ("dag_ids", "states")})
            return 200, {"dag_runs": []}
        run = path.split("/")[2], body["dag_run_id"]
        if run in self.runs:
            return 409, {"detail": {"reason": "Unique constraint violation"}}
        ids = [event["object_id"] for event in body["conf"].get("events", [])]
        if POISON in ids:
            return 400, {"detail": "Invalid input for param events: the form refuses 666"}
        self.runs.append(run)
        self.events[run[1]] = ids
        return 200, {"dag_run_id": run[1]}


@dataclass
class Dispatcher:
    """A running Lambda behind its event source."""

    process: LambdaProcess
    mwaa: Mwaa
    sqs: Any
    queue_url: str

    def deliver(self, *bodies: str) -> Sequence[str]:
        """Send messages, receive them as Lambda does and invoke the handler; the bodies that shall come back."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)
        records = receive_as_lambda(self.sqs, self.queue_url)
        answer = self.process.invoke({"Records": records})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"])
        return [record["body"] for record in records if record["messageId"] in failed]


def receive_as_lambda(sqs: Any, url: str) -> list[dict[str, Any]]:
    """The records of Lambda's event for what waits in the queue."""
    records = []
    while found := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=300, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        records += [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for message in found
        ]
    return records


@pytest.fixture
def dispatcher(sqs_url: str, dynamodb_url: str, aws_environment: dict[str, str], clock: Clock) -> Iterator[Dispatcher]:
    mwaa = Mwaa()
    with mwaa_stub.serving(mwaa.answer) as url:
        environment = {
            **aws_environment,
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL_MWAA": url,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "QUEUE_URL": sqs_url,
            "STATE_URL": dynamodb_url,
            "AIRFLOW_URL": "mwaa://ingest",
        }
        with lambda_process(HANDLER, environment) as process:
            yield Dispatcher(process, mwaa, boto3.client("sqs"), sqs_url)


def event(object_id: int, **changes: Any) -> WebhookEvent:
    plain = {"object_type": "activity", "aspect_type": "create", "owner_id": 134815, "updates": {}}
    return WebhookEvent(
        object_id=object_id, subscription_id=1, event_time_epoch_s=1_516_126_040, **{**plain, **changes}
    )


def body(object_id: int, **changes: Any) -> str:
    return to_body(StravaEvent(event(object_id, **changes), 1_700_000_000.0))


def deauthorisation(athlete_id: int) -> str:
    return body(
        athlete_id,
        object_type="athlete",
        aspect_type="update",
        owner_id=athlete_id,
        updates={"authorized": "false"},
    )


def test_batch_becomes_one_run_and_deauthorisations_go_first(dispatcher: Dispatcher) -> None:
    returning = dispatcher.deliver(body(1), body(2), deauthorisation(52), body(3))

    assert returning == []
    assert [dag_id for dag_id, _ in dispatcher.mwaa.runs] == ["strava_erase", "strava_ingest"]
    assert sorted(dispatcher.mwaa.events[batch_run_id([event(1), event(2), event(3)])]) == [1, 2, 3]
    # The same again, as after an answer that Lambda never saw.
    assert dispatcher.deliver(body(3), body(2), body(1)) == []
    assert len(dispatcher.mwaa.runs) == 2


def test_activities_are_due_whatever_becomes_of_their_run(
    dispatcher: Dispatcher, dynamodb_url: str, clock: Clock
) -> None:
    dispatcher.mwaa.faults = [THROTTLED]

    dispatcher.deliver(body(1), body(2, owner_id=52))

    ledger = ActivityLedger(open_store(dynamodb_url, clock), clock)
    due = sorted((entry.athlete_id, entry.activity_id) for entry in ledger.due(time.time() + 1800))
    assert due == [(52, 2), (134815, 1)]


def test_messages_come_back_later_and_the_poison_is_buried_with_its_reason(
    dispatcher: Dispatcher, sqs_url: str, clock: Clock, pass_time: Any
) -> None:
    dispatcher.mwaa.faults = [THROTTLED]
    assert sorted(dispatcher.deliver(body(1), body(2))) == sorted([body(1), body(2)])
    assert dispatcher.deliver(body(POISON), "{") == [], "the others are hidden for their delay"
    pass_time(3)
    assert dispatcher.deliver(body(3), body(POISON)) == []

    assert sorted(number for ids in dispatcher.mwaa.events.values() for number in ids) == [1, 2, 3]
    queue = open_queue(sqs_url, clock, keep_days=28)
    assert queue.depth() == 0
    reasons = sorted((letter.body, reason) for letter, reason in queue.dead())
    assert [letter for letter, _ in reasons] == sorted([body(POISON), body(POISON), "{"])
    assert [("666" in reason or "not JSON" in reason) for _, reason in reasons] == [True] * 3

    dispatcher.process.invoke({"Records": []})
    counts: dict[str, float] = {}
    for line in map(json.loads, dispatcher.process.log):
        for metric in line.get("_aws", {"CloudWatchMetrics": [{"Metrics": []}]})["CloudWatchMetrics"][0]["Metrics"]:
            counts[metric["Name"]] = counts.get(metric["Name"], 0) + line[metric["Name"]]
    assert {name: counts[name] for name in ("EventsDispatched", "EventsReleased", "EventsBuried")} == {
        "EventsDispatched": 3,
        "EventsReleased": 2,
        "EventsBuried": 3,
    }


# --- what Lambda adds, without a process ---------------------------------------------------------


class Refusing:
    """A queue that is out of reach."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> None:
            raise RetryLater("throttled")

        return refuse


class Airflow:
    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        return Started.NOW


def test_messages_come_back_when_the_queue_cannot_even_be_told(caplog: pytest.LogCaptureFixture) -> None:
    queue: Queue = Refusing()  # type: ignore[assignment]
    batch = LambdaBatch(queue)

    batch.delete(Message("1", "r", "{}", 0.0, 1))
    batch.release(Message("2", "r", "{}", 0.0, 1), delay_s=2)
    batch.bury(Message("3", "r", "{}", 0.0, 1), "why")

    assert batch.returning == ["2", "3"]
    assert len(caplog.records) == 2


def test_nothing_is_started_when_the_invocation_is_nearly_over() -> None:
    remaining_s = iter([LAST_START_S, LAST_START_S - 0.1])
    trigger = TimedTrigger(Airflow(), lambda: next(remaining_s))

    assert trigger.start("strava_ingest", "1", {}) is Started.NOW
    with pytest.raises(TriggerUnavailable, match="time is used up"):
        trigger.start("strava_ingest", "2", {})


# --- at night ------------------------------------------------------------------------------------


@dataclass
class OldRuns:
    """An Airflow in which `waiting` runs are to be deleted."""

    waiting: int
    calls: list[str] = field(default_factory=list)
    is_out: bool = False

    def call(self, method: str, path: str, body: Any = None) -> ApiResponse:
        self.calls.append(f"{method} {path}")
        if self.is_out:
            raise TriggerUnavailable("MWAA is being updated")
        if method == "POST":
            found = range(min(PAGE, self.waiting))
            return ApiResponse(200, {"dag_runs": [{"dag_id": "strava_ingest", "dag_run_id": str(n)} for n in found]})
        self.waiting -= len(body["actions"][0]["entities"])
        return ApiResponse(200, {"delete": {"success": [], "errors": []}})


def test_schedule_has_all_old_runs_deleted_when_there_are_few(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    airflow = OldRuns(waiting=PAGE + 1)

    clean(airflow, lambda: 1.0, lambda: 50.0, keep_days=30)

    assert airflow.waiting == 0
    assert airflow.calls == ["POST /dags/~/dagRuns/list", "PATCH /dags/~/dagRuns"] * 2
    assert f"Deleted {PAGE + 1} finished run(s)" in caplog.text


def test_schedule_stops_at_its_share_and_the_next_goes_on_when_there_are_many() -> None:
    airflow = OldRuns(waiting=(MOST_PAGES + 1) * PAGE)

    clean(airflow, lambda: 1.0, lambda: 50.0, keep_days=30)
    assert airflow.waiting == PAGE

    clean(airflow, lambda: 1.0, lambda: 50.0, keep_days=30)
    assert airflow.waiting == 0


def test_schedule_begins_no_page_that_would_be_cut_off() -> None:
    remaining_s = iter([LAST_START_S, LAST_START_S - 1])
    airflow = OldRuns(waiting=3 * PAGE)

    clean(airflow, lambda: 1.0, lambda: next(remaining_s), keep_days=30)

    assert airflow.waiting == 2 * PAGE


def test_schedule_says_so_and_fails_not_when_mwaa_is_out(caplog: pytest.LogCaptureFixture) -> None:
    clean(OldRuns(waiting=1, is_out=True), lambda: 1.0, lambda: 50.0, keep_days=30)

    assert "wait for the next time: MWAA is being updated" in caplog.text


def test_schedules_invocation_reaches_airflow(dispatcher: Dispatcher) -> None:
    assert dispatcher.process.invoke({"task": "delete_finished_runs"}) == {}

    assert dispatcher.mwaa.cleaned == [{"dag_ids": list(DAGS), "states": ["success", "failed"]}]
