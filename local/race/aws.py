"""A DynamoDB on this machine whose conditional writes are atomic."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from include.aws import open_client
from include.state.dynamodb_tables import create_tables

PREFIX = "race-"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
_HOST = "127.0.0.1"


@contextmanager
def dynamodb() -> Iterator[str]:
    """The address of moto's DynamoDB, which answers one call after the other.

    moto itself checks a condition and writes in two steps, between which its own threaded server lets other calls in;
    DynamoDB does not.
    """
    from moto.moto_server.werkzeug_app import create_backend_app
    from waitress.server import create_server

    listener = socket.create_server((_HOST, 0))
    server = create_server(create_backend_app("dynamodb"), sockets=[listener], threads=1)
    threading.Thread(target=server.run, name="dynamodb", daemon=True).start()
    yield f"http://{_HOST}:{listener.getsockname()[1]}"


def create_all_tables() -> None:
    """Every table of the state, in the DynamoDB that the environment names."""
    create_tables(open_client("dynamodb", "STATE_URL"), PREFIX)
