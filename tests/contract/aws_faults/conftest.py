"""Stores, ciphers and queues on AWS, behind a proxy that throttles, fails, refuses or loses answers."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from include.clock import Clock
from include.store.backend import open_store
from include.store.store import Store

Answer = tuple[int, str]
Fault = Answer | str | Callable[[], object] | None
LOST: Fault = "the request is carried out and the connection closed"


class Proxy:
    """Stands between a client and moto.

    `faults` are what it does with the next requests: answer them itself, lose moto's answer, or (None) pass them on;
    what can be called is called before the request is passed on.
    """

    def __init__(self, moto_url: str) -> None:
        self.url = ""
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        self.requests = 0
        self._moto = urlsplit(moto_url).netloc

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; None to close the connection without a word."""
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else self.always
        if isinstance(fault, tuple):
            status, code = fault
            return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps({"__type": code}).encode()
        if callable(fault):
            fault()
        connection = http.client.HTTPConnection(self._moto)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        passed_on = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return None if fault == LOST else passed_on


@pytest.fixture
def proxy(moto_url: str) -> Iterator[Proxy]:
    proxy = Proxy(moto_url)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = proxy.answer(self.path, dict(self.headers), body)
            if answer is not None:
                status, headers, text = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield proxy
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited before each further attempt."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append))
    return waits


@pytest.fixture
def direct(dynamodb_url: str, clock: Clock) -> Iterator[Store]:
    """The store without a proxy in between: another worker."""
    store = open_store(dynamodb_url, clock)
    yield store
    store.close()


@pytest.fixture
def store(
    direct: Store, dynamodb_url: str, proxy: Proxy, waits: list[float], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    store = open_store(dynamodb_url, clock)
    yield store
    store.close()
