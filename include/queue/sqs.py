"""The event queue in Amazon SQS: the implementation of `Queue` for AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from include.aws import WORK, Patience, aws_faults, open_client
from include.errors import SettingsError
from include.queue.queue import Message

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

_SETTING = "QUEUE_URL"
_MOST_AT_ONCE = 10
_LISTING_S = 120
"""How long dead letters are hidden while they are listed or revived, so that none is received twice."""

_EMPTY_RECEIPTS = 3
"""SQS asks only some of its servers: after this many empty receives in a row, all messages count as received."""

_WAITING: Sequence[QueueAttributeNameType] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_UNREASONED = "received too often without success"
_LONGEST_REASON = 1000
_UNSENDABLE = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_STALE = frozenset({"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"})


class SqsQueue:
    """A standard queue with a dead-letter queue, both of one account; safe for any number of machines.

    The queue's redrive policy says how often a message is received before SQS itself moves it to the dead letters.
    A buried message is first sent to the dead letters and then deleted: a crash in between leaves it in both, and the
    next receiver buries it again.
    SQS delivers at least once and only roughly in order, which is all that `Queue` promises.

    Errors: `RetryLater` and `SettingsError` from every call, see `include.aws`.
    The role needs `sqs:SendMessage` to send, `sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:ChangeMessageVisibility`
    and `sqs:GetQueueAttributes` to receive, and `sqs:SendMessage` on the dead-letter queue to bury.
    Listing and reviving dead letters receives, hides and deletes in their queue, and sends to this one.
    """

    def __init__(self, url: str, patience: Patience = WORK) -> None:
        self._client = open_client("sqs", _SETTING, patience)
        self._url = url
        self._dead_letters_url: str | None = None

    def send(self, body: str) -> str:
        """Durably enqueue one message before returning its id."""
        with aws_faults(_SETTING):
            return self._client.send_message(QueueUrl=self._url, MessageBody=body)["MessageId"]

    def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
        """Up to `max_messages`, hidden from other receivers for `visibility_s`; never waits."""
        messages: list[Message] = []
        while len(messages) < max_messages:
            found = self._receive(self._url, max_messages - len(messages), visibility_s)
            if not found:
                break
            messages.extend(map(parse_message, found))
        return messages

    def delete(self, message: Message) -> None:
        """Delete a message; safe to repeat."""
        with aws_faults(_SETTING):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def release(self, message: Message, *, delay_s: int) -> None:
        """Make a received message visible again after `delay_s`, unless its receipt is stale."""
        with aws_faults(_SETTING):
            try:
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=delay_s
                )
            except self._client.exceptions.ClientError as err:
                # Another receiver has it, or it is deleted: nothing to release.
                if err.response["Error"]["Code"].rpartition(".")[2] not in _STALE:
                    raise

    def bury(self, message: Message, reason: str) -> None:
        """Move a received message to the dead letters, with the reason."""
        origin = {
            "reason": _UNSENDABLE.sub("?", reason)[:_LONGEST_REASON] or _UNREASONED,
            "message_id": message.message_id,
            "sent_at_epoch_s": repr(message.sent_at_epoch_s),
            "attempts": str(message.attempts),
        }
        with aws_faults(_SETTING):
            self._client.send_message(
                QueueUrl=self._dead_letters(),
                MessageBody=message.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in origin.items()
                },
            )
        self.delete(message)

    def depth(self) -> int:
        """About how many messages wait or are in flight: SQS counts approximately."""
        counts = self._attributes(_WAITING)
        return sum(int(counts[kind]) for kind in _WAITING)

    def dead(self) -> Sequence[tuple[Message, str]]:
        """The dead letters with their reasons, oldest first; other receivers do not see them meanwhile."""
        with self._letters() as found:
            return sorted(map(_parse_letter, found), key=lambda letter: letter[0].sent_at_epoch_s)

    def revive(self, message_ids: Collection[str]) -> int:
        """Send these dead letters again, then delete them: a crash in between leaves one in both places."""
        with self._letters() as found:
            chosen = [letter for letter in found if _parse_letter(letter)[0].message_id in message_ids]
            for letter in chosen:
                self.send(letter["Body"])
                with aws_faults(_SETTING):
                    self._client.delete_message(QueueUrl=self._dead_letters(), ReceiptHandle=letter["ReceiptHandle"])
                found.remove(letter)
        return len(chosen)

    @contextmanager
    def _letters(self) -> Iterator[list[MessageTypeDef]]:
        """All dead letters, hidden from others; those that remain in the list are released at the end."""
        url = self._dead_letters()
        found: dict[str, MessageTypeDef] = {}
        empty = 0
        while empty < _EMPTY_RECEIPTS:
            batch = {letter["MessageId"]: letter for letter in self._receive(url, _MOST_AT_ONCE, _LISTING_S)}
            empty = 0 if batch.keys() - found.keys() else empty + 1
            found |= batch
        listed = list(found.values())
        try:
            yield listed
        finally:
            for letter in listed:
                with aws_faults(_SETTING):
                    self._client.change_message_visibility(
                        QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"], VisibilityTimeout=0
                    )

    def _receive(self, url: str, most: int, visibility_s: int) -> Sequence[MessageTypeDef]:
        with aws_faults(_SETTING):
            answer = self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(most, _MOST_AT_ONCE),
                VisibilityTimeout=visibility_s,
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            )
        return answer.get("Messages", [])

    def _attributes(self, names: Sequence[QueueAttributeNameType]) -> Mapping[QueueAttributeNameType, str]:
        with aws_faults(_SETTING):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(names))
        return answer.get("Attributes", {})

    def _dead_letters(self) -> str:
        """The dead-letter queue's URL; SQS requires the same account and region."""
        if self._dead_letters_url is None:
            policy = self._attributes(["RedrivePolicy"]).get("RedrivePolicy")
            if not policy:
                raise SettingsError(f"{_SETTING}: the queue has no dead-letter queue; give it a redrive policy.")
            name = json.loads(policy)["deadLetterTargetArn"].rpartition(":")[2]
            self._dead_letters_url = f"{self._url.rpartition('/')[0]}/{name}"
        return self._dead_letters_url

    def close(self) -> None:
        """Close the HTTP connections; the queue is not used afterwards."""
        self._client.close()


def parse_message(received: Mapping[str, Any]) -> Message:
    """The message that SQS returned; Lambda's events have the same fields with a lower-case first letter."""
    fields = {name[0].lower() + name[1:]: value for name, value in received.items()}
    return Message(
        message_id=fields["messageId"],
        receipt=fields["receiptHandle"],
        body=fields["body"],
        sent_at_epoch_s=int(fields["attributes"]["SentTimestamp"]) / 1000,
        attempts=int(fields["attributes"]["ApproximateReceiveCount"]),
    )


def _parse_letter(received: MessageTypeDef) -> tuple[Message, str]:
    """A dead letter as the original message; one that SQS moved itself has no reason of ours."""
    message = parse_message(received)
    origin = dict(_texts(received.get("MessageAttributes", {})))
    if "reason" not in origin:
        return message, _UNREASONED
    buried = Message(
        message_id=origin["message_id"],
        receipt=message.receipt,
        body=message.body,
        sent_at_epoch_s=float(origin["sent_at_epoch_s"]),
        attempts=int(origin["attempts"]),
    )
    return buried, origin["reason"]


def _texts(attributes: Mapping[str, MessageAttributeValueOutputTypeDef]) -> Iterator[tuple[str, str]]:
    for name, attribute in attributes.items():
        yield name, attribute["StringValue"]
