"""What a handler gives back stays in the queue, what it does not give back is deleted: as Lambda does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from include.queue.sqs import parse_message
from local.aws.event_source import EventSource
from local.aws.lambda_runtime import LambdaFailed
from local.aws.resources import BATCH_SIZE, BATCH_WINDOW_S
from local.testbed.manual_clock import ManualClock

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/strava-demo-events"


@dataclass
class Queue:
    """SQS as far as an event source sees it; a message that was received is not seen again."""

    waiting: list[str]
    deleted: list[str] = field(default_factory=list)

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> Mapping[str, Any]:  # noqa: N803 - SQS's name
        taken = [self.waiting.pop(0) for _ in range(min(MaxNumberOfMessages, len(self.waiting), 10))]
        return {"Messages": [message(one) for one in taken]} if taken else {}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803 - SQS's names
        assert QueueUrl == URL
        self.deleted.append(ReceiptHandle)


@dataclass
class Handler:
    """Remembers its batches, and gives back what it is told to."""

    returning: Sequence[str] = ()
    fails: bool = False
    batches: list[list[Any]] = field(default_factory=list)

    def __call__(self, event: Any) -> Any:
        self.batches.append(event["Records"])
        if self.fails:
            raise LambdaFailed("no")
        return {"batchItemFailures": [{"itemIdentifier": name} for name in self.returning]}


def message(name: str) -> dict[str, Any]:
    attributes = {"SentTimestamp": "1764000000000", "ApproximateReceiveCount": "1"}
    return {
        "MessageId": name,
        "ReceiptHandle": f"receipt of {name}",
        "Body": "{}",
        "Attributes": attributes,
        "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
    }


def source(queue: Queue, handler: Handler, clock: ManualClock | None = None) -> EventSource:
    clock = clock or ManualClock(0.0)
    return EventSource(queue, URL, handler, clock, clock.advance)


def test_empty_queue_invokes_nothing() -> None:
    handler = Handler()
    assert source(Queue([]), handler).hand_over() == 0
    assert handler.batches == []


def test_messages_become_one_batch_and_those_given_back_stay() -> None:
    queue, handler = Queue(["a", "b", "c"]), Handler(returning=["b"])

    assert source(queue, handler).hand_over() == 3

    assert [[record["messageId"] for record in batch] for batch in handler.batches] == [["a", "b", "c"]]
    assert queue.deleted == ["receipt of a", "receipt of c"]


def test_nothing_is_deleted_when_the_handler_fails() -> None:
    queue = Queue(["a", "b"])
    assert source(queue, Handler(fails=True)).hand_over() == 2
    assert queue.deleted == []


@pytest.mark.parametrize(
    ("there", "batches"),
    [pytest.param(BATCH_SIZE, [100], id="one whole batch"), pytest.param(BATCH_SIZE + 5, [100, 5], id="and a rest")],
)
def test_batch_is_no_larger_than_the_mapping_allows(there: int, batches: list[int]) -> None:
    handler = Handler()
    mapping = source(Queue([str(number) for number in range(there)]), handler)
    while mapping.hand_over():
        pass
    assert [len(batch) for batch in handler.batches] == batches


def test_batch_waits_no_longer_than_its_window_for_company() -> None:
    clock = ManualClock(0.0)
    source(Queue(["a"]), Handler(), clock).hand_over()
    assert BATCH_WINDOW_S <= clock.now_epoch_s < BATCH_WINDOW_S + 0.5


def test_record_is_read_by_the_handler_as_the_message_that_it_was() -> None:
    handler = Handler()
    source(Queue(["a"]), handler).hand_over()

    read = parse_message(handler.batches[0][0])

    assert (read.message_id, read.receipt, read.body, read.attempts) == ("a", "receipt of a", "{}", 1)
    assert read.sent_at_epoch_s == 1764000000
    assert handler.batches[0][0]["eventSourceARN"] == "arn:aws:sqs:eu-central-1:123456789012:strava-demo-events"
