"""Lambda's event source for the dispatcher: `python -m local.aws.event_source`.

It polls the queue as AWS does; the Lambda's environment is this process's own.
Source: docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.aws import aws_faults, open_client
from include.errors import RetryLater
from include.settings import DispatcherSettings
from local.aws.lambda_runtime import LambdaFailed, lambda_process
from local.aws.resources import ACCOUNT, BATCH_SIZE, BATCH_WINDOW_S, DISPATCHER_TIMEOUT_S, REGION

HANDLER = "webhook_api.aws_lambda.dispatcher.handler"
POLL_S = 0.5
_MOST_AT_ONCE = 10

log = logging.getLogger("local.aws.event_source")

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventSource:
    """The event source of one queue."""

    sqs: Any
    queue_url: str
    invoke: Callable[[Any], Any]
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def hand_over(self) -> int:
        """Invoke the handler with one batch, if there is one; returns how many messages it had.

        Effects: deletes the messages that the handler does not return. After a failure all messages become visible
        again when their visibility timeout ends.
        """
        records = self._batch()
        if not records:
            return 0
        try:
            answer = self.invoke({"Records": records})
        except LambdaFailed:
            log.exception("The handler failed; its %d message(s) become visible again", len(records))
            return len(records)
        returning = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in returning:
                with aws_faults("QUEUE_URL"):
                    self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"])
        return len(records)

    def _batch(self) -> Sequence[Record]:
        """The waiting messages, and those that arrive within the window, up to a full batch."""
        records = self._receive(_MOST_AT_ONCE)
        until = self.clock() + BATCH_WINDOW_S
        while records and len(records) < BATCH_SIZE and self.clock() < until:
            found = self._receive(min(_MOST_AT_ONCE, BATCH_SIZE - len(records)))
            records += found
            if not found:
                self.sleep(POLL_S)
        return records

    def _receive(self, most: int) -> list[Record]:
        # The server answers one call after the other: a call that waits for a message would block its arrival.
        with aws_faults("QUEUE_URL"):
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        return [self._record(message) for message in answer.get("Messages", ())]

    def _record(self, message: Mapping[str, Any]) -> Record:
        """The message in the handler's event."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": message.get("MessageAttributes", {}),
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.queue_url.rpartition('/')[2]}",
            "awsRegion": REGION,
        }


def main() -> None:
    """Hand over until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    queue_url = DispatcherSettings.from_environ(os.environ).queue_url
    with lambda_process(HANDLER, os.environ, timeout_s=DISPATCHER_TIMEOUT_S, tell=print) as dispatcher:
        sqs = open_client("sqs", "QUEUE_URL")
        source = EventSource(sqs, queue_url, dispatcher.invoke, time.monotonic, time.sleep)
        while True:
            try:
                idle = not source.hand_over()
            except RetryLater:
                log.exception("The queue cannot be reached")
                idle = True
            if idle:
                time.sleep(POLL_S)


if __name__ == "__main__":
    main()
