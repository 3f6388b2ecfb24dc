"""The processes of a local system: started together, watched, and ended together, with all their descendants."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from include.errors import IngestError

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
MARK = "STRAVA_STACK_RUN"
"""The variable that every process of a run inherits. Its value is a random number that is stored in the state
directory: a process with this value belongs to that run, whatever its parent, session or process id is now."""

GRACE_S = 15.0
"""How long the processes may take to end before they are killed."""
TAIL_LINES = 15


class StackFailed(IngestError):
    """A part of the local system ended or did not become ready; the message names its log and quotes the end of it."""


def with_tail(what: str, log: Path) -> str:
    """A message with what happened, the log file and its last lines."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:] if log.exists() else []
    return "\n  ".join([f"{what}; {log} ends with:", *(lines or ["(nothing)"])])


@dataclass(frozen=True, slots=True)
class Command:
    """One program to run; `name` is also the name of its log file."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    ends_by: signal.Signals = signal.SIGTERM
    """The signal that ends it quickly and cleanly."""
    is_outside: bool = False
    """Whether it simulates an external system, without which this system continues to run."""

    @classmethod
    def module(cls, name: str, arguments: Iterable[str], environment: Mapping[str, str]) -> Command:
        """`python -m name argument…` with the interpreter that runs this one."""
        return cls(process_name(name), [sys.executable, "-m", name, *arguments], environment)

    def outside(self) -> Command:
        """The same command, as that of an external system."""
        return replace(self, is_outside=True)


def process_name(module: str) -> str:
    """The name of a process that runs the module, for example `airflow_server` for `local.stack.airflow.server`."""
    return module.split(".", 2)[-1].replace(".", "_")


class Processes:
    """The processes of one run, each the leader of its own session, with its output in `<logs>/<name>.log`."""

    def __init__(self, logs: Path, run_id: str) -> None:
        self._logs = logs
        self._run_id = run_id
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._ends_by: dict[str, signal.Signals] = {}
        self._outside: set[str] = set()

    @classmethod
    def open(cls, logs: Path, memory: Path) -> Processes:
        """The processes of a new run; first ends those that a killed run left behind.

        Effects: stores the run's mark in the file `memory` before its first process starts; starts new logs, those of
        the earlier run stay as `<name>.log.1`.
        """
        if memory.exists():
            cls(logs, memory.read_text().strip()).stop()
        for log in logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))
        run_id = secrets.token_hex(16)
        memory.write_text(run_id + "\n")
        return cls(logs, run_id)

    def start(self, command: Command) -> None:
        """Start a program that gets SIGTERM when this process ends, however it ends."""
        self._ends_by[command.name] = command.ends_by
        if command.is_outside:
            self._outside.add(command.name)
        with self.log(command.name).open("ab") as log:
            self._started[command.name] = subprocess.Popen(
                [sys.executable, "-IS", str(DIE_WITH_PARENT), str(os.getpid()), *command.argv],
                env={**command.environment, MARK: self._run_id, "SPT_NOENV": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        """The log file of the process `name`."""
        return self._logs / f"{name}.log"

    def check(self) -> None:
        """Check that all processes run. Errors: `StackFailed` for the first that ended."""
        self._refuse_ended(self._started)

    def check_inside(self) -> None:
        """Check that the system's own processes run; external ones may have ended. Errors: as `check`."""
        self._refuse_ended(self._started.keys() - self._outside)

    def is_away(self, name: str) -> bool:
        """Whether this process simulates an external system and has ended."""
        return name in self._outside and self._started[name].poll() is not None

    def _refuse_ended(self, names: Iterable[str]) -> None:
        for name in names:
            if (status := self._started[name].poll()) is not None:
                raise self.failure(name, f"{name} ended with exit code {status}")

    def failure(self, name: str, what: str) -> StackFailed:
        """An error with what happened, the log file and its last lines."""
        return StackFailed(with_tail(what, self.log(name)))

    def alive(self) -> Sequence[psutil.Process]:
        """Every living process of this run, including orphans and descendants in other sessions."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._run_id and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False

    def stop(self) -> None:
        """End every process of the run in reverse order, each with its own signal; the remaining ones are killed.

        Safe to repeat. No process of the run remains when it returns.
        """
        deadline = time.monotonic() + GRACE_S
        for name, process in reversed(self._started.items()):
            process.send_signal(self._ends_by[name])
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        self._signal(signal.SIGTERM, max(1.0, deadline - time.monotonic()))
        while self._signal(signal.SIGKILL, 1.0):
            pass
        for process in self._started.values():
            process.wait()

    def _signal(self, signum: signal.Signals, wait_s: float) -> Sequence[psutil.Process]:
        """Signal all living processes and wait for them; returns those that are still alive."""
        alive = self.alive()
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signum)
        return psutil.wait_procs(alive, timeout=wait_s)[1]
