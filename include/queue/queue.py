"""The protocol of the event queue: at-least-once delivery, visibility timeout, dead letters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One received message; `receipt` is valid until the visibility timeout ends."""

    message_id: str
    receipt: str
    body: str
    sent_at_epoch_s: float
    attempts: int
    """How often it was received, this time included."""


class Queue(Protocol):
    """Messages are kept until deleted. Every implementation passes `tests/contract/test_queue.py` unchanged."""

    def send(self, body: str) -> str:
        """Durably enqueue one message before returning its id. Errors: `RetryLater` when the queue refuses."""
        ...

    def receive(self, max_messages: int, *, visibility_s: int) -> Sequence[Message]:
        """Up to `max_messages`, oldest first, hidden from other receivers for `visibility_s`. Never waits."""
        ...

    def delete(self, message: Message) -> None:
        """Delete a message whose work is done or stored elsewhere; safe to repeat."""
        ...

    def release(self, message: Message, *, delay_s: int) -> None:
        """Make a received message visible again after `delay_s`."""
        ...

    def bury(self, message: Message, reason: str) -> None:
        """Move a message that can never succeed to the dead letters, with the reason."""
        ...

    def depth(self) -> int:
        """How many messages wait or are in flight, dead letters not counted."""
        ...

    def dead(self) -> Sequence[tuple[Message, str]]:
        """The dead letters with their reasons, oldest first."""
        ...

    def revive(self, message_ids: Collection[str]) -> int:
        """Put these dead letters back into the queue, as if they had just been sent; returns how many were found.

        Nothing is lost when the process dies meanwhile. On AWS a message may then be in both places; if it is revived
        again it is delivered twice, and the second delivery finds its run started.
        """
        ...

    def close(self) -> None:
        """Close the connections to the queue, which is not used afterwards."""
        ...
