"""Serves the web edge on one machine: `python -m local.stack.webhook_server --port 8000`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from types import FrameType

from flask import Flask, g, request
from waitress.server import create_server
from werkzeug.exceptions import ServiceUnavailable

from include.settings import Settings
from webhook_api import access_log
from webhook_api.app import create_app

PAGES_AT_ONCE = 32
"""The most pages that are answered at once; each may wait for Strava."""
WEBHOOKS_AT_ONCE = 8
"""The threads that remain for the webhook and the health check, which never wait for Strava."""
CONNECTIONS = 800
"""The most open connections, idle and half-sent ones included: fewer than the 1,024 files that a process may open."""
LARGEST_REQUEST_BYTES = 16 * 1024
"""A larger request is answered 413 before it is read; the application itself accepts half of this."""
SILENT_S = 15
"""After this time without data, and without a request that is being answered, a connection is closed."""
BUSY_S = 5
"""The `Retry-After` of a page that found no free place."""

_UNLIMITED = ("webhook", "health")
"""The blueprints whose requests need no place."""

log = logging.getLogger("local.stack.webhook_server")


def serve(app: Flask, port: int) -> None:
    """Answer requests on the loopback interface until SIGTERM or SIGINT; requests under way are finished first."""
    access_log.register(app)
    limit_pages(app, PAGES_AT_ONCE)
    server = create_server(
        app,
        host="127.0.0.1",
        port=port,
        ident=None,
        threads=PAGES_AT_ONCE + WEBHOOKS_AT_ONCE,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,
        max_request_body_size=LARGEST_REQUEST_BYTES,
        max_request_header_size=LARGEST_REQUEST_BYTES,
        channel_timeout=SILENT_S,
        cleanup_interval=SILENT_S // 3,
    )
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    server.print_listen("Listening on http://{}:{}")
    server.run()
    server.close()
    log.info("Stopped")


def limit_pages(app: Flask, at_once: int) -> None:
    """Make `app` answer at most so many pages at once, and others with 503: so pages never block the webhook."""
    room = threading.BoundedSemaphore(at_once)

    @app.before_request
    def enter() -> None:
        if request.blueprint in _UNLIMITED:
            return
        if not room.acquire(blocking=False):
            raise ServiceUnavailable(retry_after=BUSY_S)
        g.has_room = True

    @app.teardown_request
    def leave(_err: BaseException | None) -> None:
        if g.pop("has_room", False):
            room.release()


def _stop(_signum: int, _frame: FrameType | None) -> None:
    # The server's loop ends on it and waits for its threads. Nothing is logged here: the log may be in use.
    raise SystemExit(0)


def main() -> None:
    """Read settings from the environment and serve. Errors: `SettingsError` names what is missing."""
    parser = argparse.ArgumentParser(prog="python -m local.stack.webhook_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    port = parser.parse_args().port
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    serve(create_app(Settings.from_environ(os.environ)), port)


if __name__ == "__main__":
    main()
