"""Serves the web edge on one machine: `python -m local.stack.webhook_server --port 8000`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from types import FrameType

from flask import Flask
from waitress.server import create_server

from include.settings import Settings
from webhook_api import access_log
from webhook_api.app import create_app

log = logging.getLogger("local.stack.webhook_server")


def serve(app: Flask, port: int) -> None:
    """Answer requests on the loopback interface until SIGTERM or SIGINT; requests under way are finished first."""
    access_log.register(app)
    server = create_server(app, host="127.0.0.1", port=port, ident=None)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    server.print_listen("Listening on http://{}:{}")
    server.run()
    server.close()
    log.info("Stopped")


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
