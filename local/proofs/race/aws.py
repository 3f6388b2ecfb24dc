"""AWS services on this machine whose conditional writes are atomic."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from include.aws import open_client
from include.store.dynamodb_tables import create_tables

PREFIX = "race-"
BUCKET = "race-lake"
REGION: Final = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": REGION,
}
_HOST = "127.0.0.1"


@contextmanager
def service(name: Literal["dynamodb", "s3"]) -> Iterator[str]:
    """The address of moto's `dynamodb` or `s3`, which answers one call after the other.

    moto itself checks a condition and writes in two steps, between which its own threaded server lets other calls in;
    AWS does not.
    """
    from moto.moto_server.werkzeug_app import create_backend_app
    from waitress.server import create_server

    listener = socket.create_server((_HOST, 0))
    server = create_server(create_backend_app(name), sockets=[listener], threads=1)
    threading.Thread(target=server.run, name=name, daemon=True).start()
    yield f"http://{_HOST}:{listener.getsockname()[1]}"


def create_all_tables() -> None:
    """Every table of the state, in the DynamoDB that the environment names."""
    create_tables(open_client("dynamodb", "STATE_URL"), PREFIX)


def create_bucket() -> None:
    """The lake's bucket, in the S3 that the environment names."""
    open_client("s3", "LAKE_URL").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
