"""The proof of the web edge tells what holds from what does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from local.proofs.edge import crowd, proof
from local.proofs.edge.proof import Crowd, Measurements
from local.proofs.edge.silent_strava import SilentStrava

CROWD = Crowd(callbacks=20, half_open=200, posters=3)
TOLD = {"half_open": 200, "callbacks": 50, "refused": 9, "other_ends": 0, "posted_bytes": 10**7}


@contextmanager
def answering(answer: bytes, read_bytes: int) -> Iterator[int]:
    """A server that takes one connection, reads so much of it, answers and closes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken:
                left = read_bytes
                while left > 0 and (piece := taken.recv(65_536)):
                    left -= len(piece)
                taken.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so, for some seconds at most."""
    waiting = threading.Event()
    ends_at_s = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends_at_s
        waiting.wait(0.01)


@pytest.mark.network
def test_silent_strava_knows_how_many_wait_for_it() -> None:
    with SilentStrava.serving() as strava:
        address = urlsplit(strava.url)
        callers = [socket.create_connection((address.hostname or "", address.port or 0)) for _ in range(3)]
        until(lambda: strava.waiting == 3)
        callers.pop().close()
        until(lambda: strava.waiting == 2)
        for caller in callers:
            caller.close()


@pytest.mark.network
@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(
    ("answer", "is_refused"),
    [
        pytest.param(b"HTTP/1.1 413 Large\r\n\r\n", True, id="413"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", False, id="200"),
    ],
)
def test_body_that_is_refused_is_told_from_one_that_is_taken(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, *, is_refused: bool, is_chunked: bool
) -> None:
    monkeypatch.setattr(crowd, "BODY_BYTES", 100_000)

    with answering(answer, 131_000) as port:
        sent, refused = crowd._post_once(port, is_chunked=is_chunked)

    assert sent >= 100_000
    assert refused is is_refused


@pytest.mark.parametrize(("slow", "holds"), [(5, True), (6, False)])
def test_p99_of_500_webhooks_lets_five_be_slow(slow: int, *, holds: bool) -> None:
    seen = Measurements(webhook_s=[0.01] * (500 - slow) + [1.0] * slow)

    assert proof._in_time(seen, 500, 0.2).holds is holds


@pytest.mark.parametrize(("queued", "depth"), [(29, 30), (30, 29), (30, 31)])
def test_no_webhook_may_be_lost_or_queued_twice(queued: int, depth: int) -> None:
    assert not proof._queued(Measurements(queued=queued), 30, depth).holds
    assert proof._queued(Measurements(queued=30), 30, 30).holds


@pytest.mark.parametrize(
    ("hanging", "changes", "holds"),
    [
        pytest.param([20, 19], {}, True, id="there"),
        pytest.param([20, 2], {}, False, id="callbacks end"),
        pytest.param([20, 20], {"half_open": 100}, False, id="half requests are closed"),
        pytest.param([20, 20], {"refused": 0}, False, id="nobody posts"),
        pytest.param([20, 20], {"other_ends": 1}, False, id="a body is taken"),
    ],
)
def test_proof_holds_only_while_the_crowd_is_there(hanging: list[int], changes: dict[str, int], *, holds: bool) -> None:
    assert proof._crowded(Measurements(hanging=hanging), [TOLD | changes], CROWD).holds is holds


def test_start_page_has_to_come_each_time_and_soon() -> None:
    assert proof._pages(Measurements(page_s=[0.1, 1.9], pages=2), 2.0).holds
    assert not proof._pages(Measurements(page_s=[0.1, 1.9], pages=1), 2.0).holds
    assert not proof._pages(Measurements(page_s=[0.1, 2.1], pages=2), 2.0).holds
