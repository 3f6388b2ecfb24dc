"""Processes that work for many rounds, may be killed at any moment, and are then replaced."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self, TypeVar

from include.errors import IngestError

T = TypeVar("T")
Work = Callable[[Any], Any]
"""A worker's function of a job; the result goes back to the coordinator."""
Build = Callable[..., AbstractContextManager[Work]]
"""Opens a worker's function; is called in the worker with its number and further arguments."""

# New processes are forked from a server that has imported the code already: a replacement is there at once.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "boto3",
        "local.proofs.race.workers.copy_worker",
        "local.proofs.race.workers.quota_worker",
        "local.proofs.race.workers.sync_worker",
        "local.proofs.race.workers.token_worker",
    ]
)

_PATIENCE_S = 60.0
_READY = "ready"


class WorkerDied(Exception):
    """A process ended that nobody had killed, or did not answer in time: a defect, not an outcome."""


class SharedClock:
    """The simulated time: every process of a race reads it, only the coordinator moves it."""

    def __init__(self, now_epoch_s: float) -> None:
        self._now = CONTEXT.Value("d", now_epoch_s, lock=False)

    def __call__(self) -> float:
        """Seconds since 1970."""
        return float(self._now.value)

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._now.value += seconds


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended: with a value, or with an error of the domain."""

    worker: int
    value: Any
    error: IngestError | None = None


class Workers:
    """Workers that are numbered from 0, each with at most one job at a time."""

    def __init__(self, count: int, build: Build, *arguments: Any) -> None:
        self._build = build
        self._arguments = arguments
        self._processes: dict[int, BaseProcess] = {}
        self._pipes: dict[int, Connection] = {}
        self._stalled: set[int] = set()
        self.count = count
        self.busy: set[int] = set()
        """The workers that have a job now."""

    def __enter__(self) -> Self:
        self.replace_killed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in list(self._processes):
            self.kill(worker)

    @property
    def alive(self) -> set[int]:
        """The workers that have not been killed."""
        return set(self._processes)

    def send(self, worker: int, job: Any) -> None:
        """Give the worker its next job."""
        self._pipes[worker].send(job)
        self.busy.add(worker)

    def answers(self, timeout_s: float) -> list[JobResult]:
        """The workers' answers since the last call; waits at most that long for the first one.

        Errors: `WorkerDied`.
        """
        pipes = {self._pipes[worker]: worker for worker in self.busy}
        found = [
            self._receive(pipes[pipe], pipe) for pipe in wait(list(pipes), timeout_s) if isinstance(pipe, Connection)
        ]
        self.busy -= {answer.worker for answer in found}
        return found

    def finish(self) -> list[JobResult]:
        """Every answer that is still awaited. Errors: `WorkerDied` also when one does not arrive."""
        found: list[JobResult] = []
        deadline = time.monotonic() + _PATIENCE_S
        while self.busy:
            if time.monotonic() > deadline:
                raise WorkerDied(f"workers {sorted(self.busy)} did not answer within {_PATIENCE_S:g} s")
            found += self.answers(timeout_s=1.0)
        return found

    def all_do(self, jobs: Sequence[Any]) -> list[JobResult]:
        """One job for each of the first workers, all at once, and every answer in the workers' order."""
        for worker, job in enumerate(jobs):
            self.send(worker, job)
        return sorted(self.finish(), key=lambda answer: answer.worker)

    def kill(self, worker: int) -> None:
        """End the worker at once with SIGKILL, whatever it does; returns when it has ended."""
        process = self._processes.pop(worker)
        process.kill()
        process.join()
        process.close()
        self._pipes.pop(worker).close()
        self.busy.discard(worker)

    def stall(self, worker: int) -> None:
        """Stop the worker where it is."""
        os.kill(self._pid(worker), signal.SIGSTOP)
        self._stalled.add(worker)

    def wake(self) -> None:
        """Let all stopped workers continue."""
        for worker in self._stalled & self.alive:
            os.kill(self._pid(worker), signal.SIGCONT)
        self._stalled.clear()

    def _pid(self, worker: int) -> int:
        pid = self._processes[worker].pid
        if pid is None:
            raise WorkerDied(f"worker {worker} has no process")
        return pid

    def replace_killed(self) -> None:
        """Start a new process for every one that was killed; returns when all are ready."""
        missing = [worker for worker in range(self.count) if worker not in self._processes]
        for worker in missing:
            self._start(worker)
        for worker in missing:
            if self._receive_or_die(worker, self._pipes[worker]) != _READY:
                raise WorkerDied(f"worker {worker} answered before it was asked")

    def _start(self, worker: int) -> None:
        here, there = CONTEXT.Pipe()
        process = CONTEXT.Process(target=_work, args=(there, self._build, worker, *self._arguments), daemon=True)
        process.start()
        there.close()
        self._processes[worker], self._pipes[worker] = process, here

    def _receive(self, worker: int, pipe: Connection) -> JobResult:
        value = self._receive_or_die(worker, pipe)
        return JobResult(worker, None, value) if isinstance(value, IngestError) else JobResult(worker, value)

    @staticmethod
    def _receive_or_die(worker: int, pipe: Connection) -> Any:
        try:
            if pipe.poll(_PATIENCE_S):
                return pipe.recv()
        except EOFError:
            raise WorkerDied(f"worker {worker} ended unexpectedly; its traceback is above") from None
        raise WorkerDied(f"worker {worker} was not ready within {_PATIENCE_S:g} s")


@contextmanager
def hosted(serve: Callable[..., AbstractContextManager[T]], *arguments: Any) -> Iterator[T]:
    """The value that `serve(*arguments)` yields, in a process of its own that serves until the block ends."""
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_host, args=(there, serve, arguments), daemon=True)
    process.start()
    there.close()
    with ExitStack() as ending:
        ending.callback(process.join)
        ending.callback(here.close)
        if not here.poll(_PATIENCE_S):
            raise WorkerDied(f"{serve.__name__} was not ready within {_PATIENCE_S:g} s")
        yield here.recv()


def _host(pipe: Connection, serve: Callable[..., AbstractContextManager[T]], arguments: Sequence[Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator ends its processes itself
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # callers that wait are what a race needs
    with serve(*arguments) as served:
        pipe.send(served)
        wait([pipe])


def _work(pipe: Connection, build: Build, worker: int, *arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with build(worker, *arguments) as work:
        pipe.send(_READY)
        while True:
            job = pipe.recv()
            try:
                answer = work(job)
            except IngestError as error:
                answer = error
            pipe.send(answer)
