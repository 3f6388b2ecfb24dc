"""One `make up` in processes of its own, with the actions that are possible from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from include.settings import Settings
from local.proofs.stack.family import NotInTime
from local.stack.processes import Processes
from ops.repository import REPOSITORY

READY_S = 240.0
END_S = 60.0
_READY = "Everything is running."


class StackProcess:
    """A system in `state_dir`; the file `said` has its output."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.said = state_dir.parent / "said.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the system, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(END_S)

    def launch(self) -> subprocess.Popen[bytes]:
        """Begin to start the system, without waiting."""
        self.said.parent.mkdir(parents=True, exist_ok=True)
        with self.said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.stack.up"],
                cwd=REPOSITORY,
                env={**os.environ, "STATE_DIR": str(self.state_dir)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    def await_ready(self) -> float:
        """Wait until the system is ready; returns the seconds. Errors: `NotInTime` with the end of its output."""
        began = time.monotonic()
        while _READY not in self.said.read_text():
            has_ended = self._process is None or self._process.poll() is not None
            if has_ended or time.monotonic() - began > READY_S:
                raise NotInTime(f"{self.state_dir} does not come up:\n{self.said.read_text()[-2000:]}")
            time.sleep(0.2)
        return time.monotonic() - began

    def processes(self) -> list[psutil.Process]:
        """Its living processes: the supervisor, those with the run's mark, and their descendants."""
        run = self.state_dir / "run"
        found = list(Processes(self.state_dir / "logs", run.read_text().strip()).alive()) if run.exists() else []
        if self._process is not None and self._process.poll() is None:
            found.append(psutil.Process(self._process.pid))
        for process in tuple(found):
            with suppress(psutil.NoSuchProcess):
                found += process.children(recursive=True)
        return list(dict.fromkeys(found))

    def kill(self) -> int:
        """Kill all of its processes with SIGKILL; returns how many there were."""
        victims = self.processes()
        for process in victims:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        return len(victims)

    def simulator_url(self) -> str:
        """The address of its simulated Strava."""
        return f"http://127.0.0.1:{self._ports()['simulator']}"

    def settings(self) -> Settings:
        """The settings, read from the environment of one of its processes."""
        for process in self.processes():
            with suppress(psutil.Error, OSError):
                environment = process.environ()
                if "WEBHOOK_PATH_SECRET" in environment:
                    return Settings.from_environ(environment)
        raise NotInTime(f"No process of {self.state_dir} has settings.")

    def _ports(self) -> dict[str, int]:
        return dict(json.loads((self.state_dir / "ports.json").read_text()))
