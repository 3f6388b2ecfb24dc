"""A scripted Strava on the loopback interface, and recordings where they are present."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from include.strava.http.session import StravaSession

NOW = 1_700_000_123.0


@dataclass(frozen=True)
class Reply:
    """What the scripted Strava does with one request."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: str = ""
    """`truncated`: less body than announced; `dropped`: the connection closes unanswered; `silent`: no answer;
    `drips`: the answer comes byte by byte, from the status line on; `drips body`: from the body on."""

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> Mapping[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


class ScriptedStrava:
    """Answers requests in the order of `answers`; the last one is repeated."""

    def __init__(self) -> None:
        self.answers: deque[Reply] = deque()
        self.received: list[Received] = []
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/v3"

    def will(self, *answers: Reply) -> None:
        self.answers.extend(answers)

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        strava = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                strava._answer(self)

            do_POST = do_GET  # noqa: N815 (the names that http.server looks for)
            do_DELETE = do_GET  # noqa: N815 (likewise)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        self.received.append(
            Received(
                method=handler.command,
                path=url.path,
                query={name: values[0] for name, values in parse_qs(url.query).items()},
                headers={name.lower(): value for name, value in handler.headers.items()},
                body=handler.rfile.read(int(handler.headers.get("Content-Length", 0))),
            )
        )
        reply = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if reply.breaks == "silent":
            self.released.wait(10)
        if reply.breaks in ("silent", "dropped"):
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(reply.status)
        for name, value in ({"Content-Type": "application/json; charset=utf-8"} | dict(reply.headers)).items():
            handler.send_header(name, value)
        if reply.breaks == "drips":
            self._drip(handler, b"HTTP/1.1 200 OK\r\n" + b"X-Long: 1\r\n" * 1000)
            return
        missing = 100 if reply.breaks == "truncated" else 0
        handler.send_header("Content-Length", str(len(reply.payload) + missing))
        handler.end_headers()
        if reply.breaks == "drips body":
            self._drip(handler, reply.payload)
            return
        handler.wfile.write(reply.payload)
        if missing:
            handler.close_connection = True

    def _drip(self, handler: BaseHTTPRequestHandler, what: bytes) -> None:
        handler.close_connection = True
        try:
            for byte in what:
                handler.wfile.write(bytes([byte]))
                if self.released.wait(0.01):
                    return
        except OSError:
            return


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def strava() -> Iterator[ScriptedStrava]:
    server = ScriptedStrava()
    yield server
    server.close()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the session asked for; none is slept."""
    return []


@pytest.fixture
def session(pauses: list[float]) -> Iterator[StravaSession]:
    with StravaSession(lambda: NOW, sleep=pauses.append, max_body_bytes=1_000_000) as session:
        yield session


@pytest.fixture
def hasty_session(pauses: list[float]) -> Iterator[StravaSession]:
    """A session whose calls end within tenths of a second."""
    with StravaSession(lambda: NOW, sleep=pauses.append, deadlines_s=(0.4, 0.8)) as session:
        yield session


@pytest.fixture
def closed_url() -> str:
    """A base URL on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/api/v3"


@pytest.fixture
def recording(recorded: Path) -> Callable[[str], Any]:
    """Reads a recording by its path."""
    return lambda path: json.loads((recorded / path).read_text())
