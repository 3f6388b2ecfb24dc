"""HTTP calls that keep the deadline of the present work, whatever the server does."""

from __future__ import annotations

import io
import socket
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from include import deadline


def call_remaining_s() -> float:
    """The remaining time of the present call. Errors: `TimeoutError` where it is over."""
    left = deadline.remaining_s()
    if left <= 0:
        raise TimeoutError("the call's time is over")
    return left


class BoundedAdapter(HTTPAdapter):
    """Sends and reads under `include.deadline.ending_at`, byte by byte.

    The timeouts of requests bound the time between two bytes: a status line, a header or a body that arrives byte by
    byte keeps such a call for ever. Its connect timeout also bounds all of sending, which is too short for a long file.
    """

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """The pool for a request, making bounded connections."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _BoundedTlsConnection if pool.scheme == "https" else _BoundedConnection
        return pool


class _BoundedReader(io.RawIOBase):
    """Reads from `stream`, waiting for the next bytes only as long as the call may still last."""

    def __init__(self, stream: io.BufferedReader, sock: socket.socket) -> None:
        self._stream = stream
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(call_remaining_s())
        return self._stream.readinto1(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_BoundedReader(self.fp, sock))


class _BoundedConnection(HTTPConnection):
    response_class = _BoundedResponse

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        self.sock.settimeout(call_remaining_s())
        super().send(data)


class _BoundedTlsConnection(_BoundedConnection, HTTPSConnection):
    pass
