"""One Lambda process on this machine: the real runtime client, fed by a small Runtime API server.

Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ops.machine.ports import LOOPBACK
from ops.repository import REPOSITORY

_API = "/2018-06-01/runtime"
_LONGEST_S = 60.0


class LambdaFailed(Exception):
    """The handler raised, or the process did not start; the message is its report."""


@dataclass(slots=True)
class LambdaProcess:
    """One execution environment, which handles one event after the other."""

    function_name: str
    timeout_s: float = 120.0
    log: list[str] = field(default_factory=list)
    """The lines that the process has written so far."""
    _events: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _answers: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)

    def invoke(self, event: Any) -> Any:
        """The handler's answer. Errors: `LambdaFailed`."""
        self._events.put(event)
        try:
            kind, answer = self._answers.get(timeout=_LONGEST_S)
        except queue.Empty:
            raise LambdaFailed(f"no answer after {_LONGEST_S} s: {self.log}") from None
        if kind != "response":
            raise LambdaFailed(f"{answer}; the log: {self.log}")
        return answer

    def next_event(self) -> tuple[Mapping[str, str], bytes] | None:
        """Wait for the next event, and return its headers and body; None at the end."""
        event = self._events.get()
        if event is None:
            return None
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:::function:{self.function_name}",
        }
        return headers, json.dumps(event).encode()

    def answered(self, path: str, body: bytes) -> None:
        """Receive what the runtime posted: an answer, an error, or a failure to start."""
        self._answers.put((path.rpartition("/")[2], json.loads(body or b"null")))

    def end(self) -> None:
        """Let the process end without another event."""
        self._events.put(None)


@contextmanager
def lambda_process(
    handler: str,
    environment: Mapping[str, str],
    *,
    timeout_s: float = 120.0,
    directory: Path = REPOSITORY,
    tell: Callable[[str], object] = lambda _: None,
) -> Iterator[LambdaProcess]:
    """A process that serves `handler` (`module.function` below `directory`) in exactly this environment.

    `tell` gets every line of its log immediately.
    """
    process = LambdaProcess(handler.split(".")[-2], timeout_s)
    server = ThreadingHTTPServer((LOOPBACK, 0), _handler_for(process))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    runtime = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", handler],
        cwd=directory,
        env={
            **environment,
            "AWS_LAMBDA_RUNTIME_API": f"{LOOPBACK}:{server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": process.function_name,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    reading = threading.Thread(target=_read, args=(runtime, process.log, tell), daemon=True)
    reading.start()
    try:
        yield process
    finally:
        runtime.kill()
        runtime.wait()
        reading.join()
        process.end()
        server.shutdown()
        server.server_close()


def _handler_for(process: LambdaProcess) -> type[BaseHTTPRequestHandler]:
    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one packet: separate ones would be delayed by 40 ms

        def handle(self) -> None:
            with suppress(ConnectionError):  # the process was ended
                super().handle()

        def do_GET(self) -> None:
            following = process.next_event()
            if following is not None:
                self._send(200, *following)

        def do_POST(self) -> None:
            process.answered(self.path.removeprefix(_API), self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self._send(202, {}, b"")

        def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the process has a log of its own."""

    return RuntimeApi


def _read(runtime: subprocess.Popen[str], log: list[str], tell: Callable[[str], object]) -> None:
    assert runtime.stdout is not None  # noqa: S101 - a pipe was asked for
    with runtime.stdout as lines:
        for line in lines:
            log.append(line.rstrip("\n"))
            tell(log[-1])
