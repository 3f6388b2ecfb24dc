"""What every `Queue` does, also with several receivers at once."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from unittest.mock import create_autospec

import pytest

from include.clock import Clock
from include.queue.backend import open_queue
from include.queue.queue import Message, Queue

MOST_RECEIVES = 20
RECEIVERS = 4


@pytest.fixture
def queue(queue_url: str, clock: Clock) -> Queue:
    return open_queue(queue_url, clock, keep_days=28)


def receive_one(queue: Queue, visibility_s: int = 30) -> Message:
    (message,) = queue.receive(1, visibility_s=visibility_s)
    return message


def bodies(messages: list[Message]) -> list[str]:
    return [message.body for message in messages]


def test_receive_answers_nothing_when_the_queue_is_empty(queue: Queue) -> None:
    assert list(queue.receive(10, visibility_s=30)) == []
    assert queue.depth() == 0
    assert list(queue.dead()) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{}", id="small"),
        pytest.param('{"title": "Zoë \'s \\"run\\" 🐕"}; DROP TABLE messages; --', id="hostile text"),
        pytest.param("ü" * 4096, id="8 KB"),
    ],
)
def test_message_arrives_as_sent(queue: Queue, clock: Clock, body: str) -> None:
    message_id = queue.send(body)

    message = receive_one(queue)
    assert (message.message_id, message.body, message.attempts) == (message_id, body, 1)
    assert abs(message.sent_at_epoch_s - clock()) < 5


def test_messages_arrive_oldest_first_and_no_more_than_asked_for(queue: Queue) -> None:
    for number in range(5):
        queue.send(str(number))

    first = list(queue.receive(3, visibility_s=30))
    second = list(queue.receive(3, visibility_s=30))

    assert (bodies(first), bodies(second)) == (["0", "1", "2"], ["3", "4"])


def test_message_is_hidden_until_its_visibility_ends(queue: Queue, pass_time: Callable[[float], None]) -> None:
    queue.send("x")
    first = receive_one(queue, visibility_s=2)
    hidden = list(queue.receive(10, visibility_s=30))
    pass_time(3)
    second = receive_one(queue)

    assert hidden == []
    assert second.message_id == first.message_id
    assert second.receipt != first.receipt
    assert second.attempts == 2


def test_message_never_comes_back_when_deleted(queue: Queue, pass_time: Callable[[float], None]) -> None:
    queue.send("x")
    message = receive_one(queue, visibility_s=1)

    queue.delete(message)
    queue.delete(message)
    pass_time(2)

    assert list(queue.receive(10, visibility_s=30)) == []
    assert queue.depth() == 0


def test_released_message_comes_back_after_its_delay(queue: Queue, pass_time: Callable[[float], None]) -> None:
    queue.send("x")
    message = receive_one(queue)
    queue.release(message, delay_s=2)
    hidden = list(queue.receive(10, visibility_s=30))
    pass_time(3)

    assert hidden == []
    assert receive_one(queue).attempts == 2


def test_released_message_comes_back_at_once_without_a_delay(queue: Queue) -> None:
    queue.send("x")

    queue.release(receive_one(queue), delay_s=0)

    assert receive_one(queue).body == "x"


def test_depth_counts_waiting_and_hidden_messages(queue: Queue) -> None:
    for number in range(3):
        queue.send(str(number))
    receive_one(queue)

    assert queue.depth() == 3


def test_buried_message_is_kept_with_its_reason(queue: Queue, pass_time: Callable[[float], None]) -> None:
    queue.send("poison 🐕")
    queue.send("good")
    poison = receive_one(queue, visibility_s=1)

    queue.bury(poison, "Airflow answered 422: 'events' is missing — 🐕")
    pass_time(2)

    ((letter, reason),) = queue.dead()
    assert (letter.message_id, letter.body) == (poison.message_id, "poison 🐕")
    assert reason == "Airflow answered 422: 'events' is missing — 🐕"
    assert bodies(list(queue.receive(10, visibility_s=30))) == ["good"]
    assert queue.depth() == 1


def test_dead_letters_come_oldest_first(queue: Queue) -> None:
    for number in range(3):
        queue.send(str(number))
    for message in queue.receive(3, visibility_s=30):
        queue.bury(message, f"reason {message.body}")

    assert [(letter.body, reason) for letter, reason in queue.dead()] == [
        ("0", "reason 0"),
        ("1", "reason 1"),
        ("2", "reason 2"),
    ]


def test_message_is_buried_when_it_was_received_too_often(queue: Queue) -> None:
    queue.send("x")
    for attempt in range(1, MOST_RECEIVES + 1):
        message = receive_one(queue)
        assert message.attempts == attempt
        queue.release(message, delay_s=0)
    alive = queue.depth()

    assert list(queue.receive(1, visibility_s=30)) == []

    ((letter, reason),) = queue.dead()
    assert (alive, queue.depth(), letter.body) == (1, 0, "x")
    assert reason


def bury_all(queue: Queue, *bodies: str) -> list[str]:
    """Let these be dead letters; their ids."""
    for body in bodies:
        queue.send(body)
    messages = queue.receive(10, visibility_s=30)
    for message in messages:
        queue.bury(message, f"reason {message.body}")
    return [message.message_id for message in messages]


def test_revived_letter_is_in_the_queue_as_if_it_had_just_been_sent(queue: Queue) -> None:
    first, _ = bury_all(queue, "first 🐕", "second")

    assert queue.revive({first}) == 1

    assert [letter.body for letter, _ in queue.dead()] == ["second"]
    message = receive_one(queue)
    assert (message.body, message.attempts) == ("first 🐕", 1)
    queue.bury(message, "again")
    assert {(letter.body, reason) for letter, reason in queue.dead()} == {
        ("first 🐕", "again"),
        ("second", "reason second"),
    }


def test_all_letters_are_revived_when_there_are_more_than_one_receipt_brings(queue: Queue) -> None:
    ids = [one for start in range(0, 30, 10) for one in bury_all(queue, *map(str, range(start, start + 10)))]

    assert queue.revive(ids) == 30

    assert (queue.depth(), list(queue.dead())) == (30, [])


def test_nothing_is_revived_that_is_no_dead_letter(queue: Queue) -> None:
    bury_all(queue, "dead")
    alive = queue.send("alive")

    assert queue.revive({alive, "unheard of"}) == 0
    assert queue.revive(()) == 0

    assert (queue.depth(), [letter.body for letter, _ in queue.dead()]) == (1, ["dead"])


def test_letter_that_was_received_too_often_is_revived(queue: Queue) -> None:
    queue.send("x")
    for _ in range(MOST_RECEIVES):
        queue.release(receive_one(queue), delay_s=0)
    queue.receive(1, visibility_s=30)
    ((letter, _),) = queue.dead()

    assert queue.revive({letter.message_id}) == 1

    assert (receive_one(queue).attempts, list(queue.dead())) == (1, [])


def test_letter_is_revived_once_when_two_do_it_one_after_the_other(queue_url: str, clock: Clock) -> None:
    ids = bury_all(open_queue(queue_url, clock, keep_days=28), "x")

    assert [open_queue(queue_url, clock, keep_days=28).revive(ids) for _ in range(2)] == [1, 0]
    assert open_queue(queue_url, clock, keep_days=28).depth() == 1


@pytest.mark.network
@pytest.mark.parametrize("step", ["send_message", "delete_message", "change_message_visibility"])
def test_letter_is_never_lost_when_reviving_dies_at_any_step(
    sqs_url: str, clock: Clock, pass_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    queue = open_queue(sqs_url, clock, keep_days=28)
    ids = bury_all(queue, "x", "y")

    with monkeypatch.context() as dying:
        dying.setattr(queue._client, step, create_autospec(getattr(queue._client, step), side_effect=KeyboardInterrupt))  # type: ignore[attr-defined]
        with pytest.raises(KeyboardInterrupt):
            queue.revive(ids[:1])
    pass_time(300)

    letters = sorted(letter.body for letter, _ in queue.dead())
    assert queue.depth() == (0 if step == "send_message" else 1)
    assert letters == (["y"] if step == "change_message_visibility" else ["x", "y"])
    # Who does it once more has it sent twice at most.
    queue.revive(ids[:1])
    assert {message.body for message in queue.receive(10, visibility_s=30)} == {"x"}


# --- many at once --------------------------------------------------------------------------------


def send_many(url: str, sender: int, count: int) -> None:
    queue = open_queue(url, time.time, keep_days=28)
    for number in range(count):
        queue.send(f"{sender}-{number}")


def receive_all(url: str) -> list[str]:
    queue = open_queue(url, time.time, keep_days=28)
    received = []
    while messages := queue.receive(3, visibility_s=600):
        for message in messages:
            received.append(message.body)
            queue.delete(message)
    return received


def test_nothing_is_lost_and_nothing_comes_twice_when_processes_send_and_receive(queue_url: str, clock: Clock) -> None:
    with ProcessPoolExecutor(RECEIVERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        for sending in [pool.submit(send_many, queue_url, sender, 30) for sender in range(RECEIVERS)]:
            sending.result()
        received = [pool.submit(receive_all, queue_url) for _ in range(RECEIVERS)]
        got = Counter(body for receiving in received for body in receiving.result())

    assert got == Counter(f"{sender}-{number}" for sender in range(RECEIVERS) for number in range(30))
    assert open_queue(queue_url, clock, keep_days=28).depth() == 0
