"""A Strava that accepts every connection and never answers."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ops.machine.ports import LOOPBACK, url

_READ_BYTES = 65_536


@dataclass(slots=True)
class SilentStrava:
    """The address of such a Strava, and how many calls wait for it now."""

    url: str = ""
    waiting: int = 0

    @classmethod
    @contextmanager
    def serving(cls) -> Iterator[SilentStrava]:
        """A Strava that listens until the block ends."""
        strava, counting = cls(), threading.Lock()

        class Caller(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with counting:
                    strava.waiting += 1
                try:
                    while self.request.recv(_READ_BYTES):
                        pass
                except ConnectionError:
                    return
                finally:
                    with counting:
                        strava.waiting -= 1

        socketserver.ThreadingTCPServer.daemon_threads = True
        with socketserver.ThreadingTCPServer((LOOPBACK, 0), Caller) as server:
            strava.url = url(server.server_address[1])
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            try:
                yield strava
            finally:
                server.shutdown()
