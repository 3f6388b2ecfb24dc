"""Workers live through rounds, die when told to, and are replaced."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from include.errors import RetryLater
from local.proofs.race.workers.pool import SharedClock, WorkerDied, Workers, hosted


@contextmanager
def obedient(worker: int, clock: SharedClock) -> Iterator[Callable[[Any], Any]]:
    def work(job: str) -> Any:
        if job == "fail":
            raise RetryLater("later")
        if job == "crash":
            os._exit(1)
        if job == "hang":
            time.sleep(60)
        return worker, os.getpid(), clock()

    yield work


@contextmanager
def served(word: str) -> Iterator[str]:
    yield f"{word} from {os.getpid()}"


@pytest.fixture
def clock() -> SharedClock:
    return SharedClock(1000.0)


@pytest.fixture
def workers(clock: SharedClock) -> Iterator[Workers]:
    with Workers(3, obedient, clock) as workers:
        yield workers


def test_workers_are_processes_that_read_the_shared_clock(workers: Workers, clock: SharedClock) -> None:
    first = workers.all_do(["say"] * 3)
    clock.advance(7)
    second = workers.all_do(["say"] * 3)

    assert [answer.value[0] for answer in first] == [0, 1, 2]
    assert len({answer.value[1] for answer in first} | {os.getpid()}) == 4
    assert [answer.value[1] for answer in first] == [answer.value[1] for answer in second]
    assert {answer.value[2] for answer in second} == {1007.0}


def test_error_of_the_domain_is_an_answer(workers: Workers) -> None:
    (answer,) = workers.all_do(["fail"])

    assert isinstance(answer.error, RetryLater)
    assert workers.all_do(["say"])[0].error is None


def test_killed_worker_is_gone_at_once_and_replaced(workers: Workers) -> None:
    before = workers.all_do(["say"] * 3)
    workers.send(1, "hang")
    workers.kill(1)

    assert (workers.alive, workers.busy) == ({0, 2}, set())
    with pytest.raises(ProcessLookupError):
        os.kill(before[1].value[1], 0)
    workers.replace_killed()
    after = workers.all_do(["say"] * 3)
    assert after[1].value[1] != before[1].value[1]
    assert after[2].value[1] == before[2].value[1]


def test_worker_that_ends_by_itself_is_a_defect(workers: Workers) -> None:
    with pytest.raises(WorkerDied, match="worker 0 ended unexpectedly"):
        workers.all_do(["crash"])


def test_hosted_server_lives_in_another_process_until_the_block_ends() -> None:
    with hosted(served, "hello") as text:
        word, _, process = text.partition(" from ")
        os.kill(int(process), 0)

    assert (word, int(process) != os.getpid()) == ("hello", True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)
