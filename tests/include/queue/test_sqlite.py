"""What is particular to the queue in a SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.errors import RetryLater
from include.queue.queue import Message
from include.queue.sqlite import SqliteQueue
from include.store.sqlite import SqliteStore
from include.store.store import ABSENT, Key
from local.testbed.manual_clock import ManualClock


@pytest.fixture
def queue(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(tmp_path / "state.sqlite", clock, keep_days=28, max_receives=3)
    yield queue
    queue.close()


def receive_one(queue: SqliteQueue) -> Message:
    (message,) = queue.receive(1, visibility_s=30)
    return message


@pytest.fixture
def stale_and_held(queue: SqliteQueue, clock: ManualClock) -> tuple[Message, Message]:
    """One message as a receiver that was too slow knows it, and as the next receiver does."""
    queue.send("x")
    stale = receive_one(queue)
    clock.advance(31)
    return stale, receive_one(queue)


def test_slow_receiver_cannot_release_what_another_has_in_hand(
    queue: SqliteQueue, stale_and_held: tuple[Message, Message]
) -> None:
    queue.release(stale_and_held[0], delay_s=0)

    assert list(queue.receive(1, visibility_s=30)) == []


def test_slow_receiver_cannot_bury_what_another_has_in_hand(
    queue: SqliteQueue, stale_and_held: tuple[Message, Message]
) -> None:
    queue.bury(stale_and_held[0], "too slow")

    assert (list(queue.dead()), queue.depth()) == ([], 1)


def test_slow_receiver_can_delete_because_its_work_is_done(
    queue: SqliteQueue, stale_and_held: tuple[Message, Message]
) -> None:
    queue.delete(stale_and_held[0])

    assert queue.depth() == 0


def test_dead_letter_stays_when_its_message_is_deleted_or_released(queue: SqliteQueue) -> None:
    queue.send("x")
    message = receive_one(queue)
    queue.bury(message, "poison")

    queue.delete(message)
    queue.release(message, delay_s=0)
    queue.bury(message, "another reason")

    assert [reason for _, reason in queue.dead()] == ["poison"]
    assert list(queue.receive(1, visibility_s=30)) == []


def test_message_is_buried_when_its_receivers_keep_crashing(queue: SqliteQueue, clock: ManualClock) -> None:
    queue.send("x")
    for _ in range(3):
        receive_one(queue)
        clock.advance(30)

    assert list(queue.receive(1, visibility_s=30)) == []
    ((letter, reason),) = queue.dead()
    assert (letter.attempts, reason) == (3, "received 3 times without success")


def test_message_in_hand_is_not_buried_by_another_receive(queue: SqliteQueue) -> None:
    queue.send("x")
    for _ in range(2):
        queue.release(receive_one(queue), delay_s=0)
    last = receive_one(queue)
    queue.receive(1, visibility_s=30)
    queue.delete(last)

    assert (list(queue.dead()), queue.depth()) == ([], 0)


def test_queue_and_store_share_a_file(queue: SqliteQueue, tmp_path: Path, clock: ManualClock) -> None:
    store = SqliteStore(tmp_path / "state.sqlite", clock)

    store.put(Key("events", "1"), {"n": 1}, expected_version=ABSENT)
    queue.send("x")

    assert store.get(Key("events", "1")) is not None
    assert receive_one(queue).body == "x"


def test_message_survives_when_the_file_is_opened_again(queue: SqliteQueue, tmp_path: Path) -> None:
    message_id = queue.send("x")
    queue.close()

    reopened = SqliteQueue(tmp_path / "state.sqlite", lambda: 1_700_000_000.0, keep_days=28)

    assert receive_one(reopened).message_id == message_id


def test_send_says_try_later_when_the_file_stays_locked(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    queue = SqliteQueue(path, lambda: 0.0, keep_days=28, busy_timeout_s=0.01)

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetryLater):
            queue.send("x")

    assert queue.depth() == 0
