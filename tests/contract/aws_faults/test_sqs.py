"""What the queue on SQS does when AWS throttles, fails or refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.clock import Clock
from include.errors import RetryLater, SettingsError
from include.queue.backend import open_queue
from include.queue.queue import Queue

pytestmark = pytest.mark.network

Answer = tuple[int, str]


@pytest.fixture
def queue(sqs_url: str, proxy: Any, waits: list[float], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    return open_queue(sqs_url, clock, keep_days=28)


QUEUE_CALLS: list[Any] = [
    pytest.param(lambda queue, message: queue.send("y"), id="send"),
    pytest.param(lambda queue, message: queue.receive(1, visibility_s=30), id="receive"),
    pytest.param(lambda queue, message: queue.delete(message), id="delete"),
    pytest.param(lambda queue, message: queue.release(message, delay_s=1), id="release"),
    pytest.param(lambda queue, message: queue.bury(message, "why"), id="bury"),
    pytest.param(lambda queue, message: queue.depth(), id="depth"),
    pytest.param(lambda queue, message: queue.dead(), id="dead"),
]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((403, "RequestThrottled"), id="throttled"),
        pytest.param((400, "OverLimit"), id="too many in flight"),
        pytest.param((500, "InternalError"), id="internal error"),
        pytest.param((503, ""), id="unavailable"),
    ],
)
@pytest.mark.parametrize("call", QUEUE_CALLS)
def test_queue_asks_for_another_try_and_loses_nothing_when_sqs_keeps_failing(
    queue: Queue, proxy: Any, call: Callable[[Queue, Any], object], fault: Answer, pass_time: Callable[[float], None]
) -> None:
    queue.send("x")
    (message,) = queue.receive(1, visibility_s=30)
    proxy.always = fault
    with pytest.raises(RetryLater, match=r"^QUEUE_URL: "):
        call(queue, message)

    proxy.always = None
    pass_time(31)
    assert [again.body for again in queue.receive(10, visibility_s=30)] == ["x"]


def test_queue_answers_when_sqs_was_throttled_for_a_moment(queue: Queue, proxy: Any, waits: list[float]) -> None:
    proxy.faults = [(403, "RequestThrottled"), (503, "ServiceUnavailable")]
    queue.send("x")

    assert queue.depth() == 1
    assert len(waits) == 2


def test_setting_is_named_when_the_queue_does_not_exist(queue: Queue, sqs_url: str, clock: Clock) -> None:
    with pytest.raises(SettingsError, match=r"^QUEUE_URL: .*exists"):
        open_queue(f"{sqs_url}-missing", clock, keep_days=28).send("x")


def test_setting_is_named_when_the_queue_has_no_dead_letters(queue: Queue, sqs_url: str, clock: Clock) -> None:
    bare = open_queue(f"{sqs_url}-dead", clock, keep_days=28)
    bare.send("x")
    (message,) = bare.receive(1, visibility_s=30)

    with pytest.raises(SettingsError, match=r"^QUEUE_URL: .*redrive policy"):
        bare.bury(message, "why")
