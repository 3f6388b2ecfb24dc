"""A lake on S3 whose wire fails below the client's retries, so that those are the real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import boto3
import pytest
import requests
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError

from include.lake.backend import open_objects
from include.lake.objects.objects import ObjectStore

Fault = tuple[int, str] | str
LOST: Fault = "the request is carried out and the connection closed"


class Wire:
    """What lies between a client and moto; `faults` are what happens to the next requests, then all pass."""

    def __init__(self) -> None:
        self.faults: list[Fault | None] = []
        self.always: Fault | None = None
        self.after_loss: Callable[[], object] = lambda: None
        self.sent: list[str] = []

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        """An answer instead of S3's, or None to let the request pass."""
        self.sent.append(request.method)
        fault = self.faults.pop(0) if self.faults else self.always
        if isinstance(fault, tuple):
            status, code = fault
            body = f"<Error><Code>{code}</Code><Message>made up</Message></Error>".encode()
            return AWSResponse(request.url, status, {}, SimpleNamespace(stream=lambda: iter([body])))
        if fault == LOST:
            headers = {name: value for name, value in request.headers.items() if name != "Expect"}
            body = request.body.read() if hasattr(request.body, "read") else request.body
            requests.request(request.method, request.url, data=body, headers=headers, timeout=5)
            self.after_loss()
            raise ConnectionClosedError(endpoint_url=request.url)
        return None


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited before each further attempt."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append))
    return waits


@pytest.fixture
def others(s3_url: str) -> ObjectStore:
    """The same lake as another worker has it, whom no fault meets."""
    return open_objects(s3_url)


@pytest.fixture
def wire(aws_session: boto3.session.Session, others: ObjectStore, waits: list[float]) -> Iterator[Wire]:
    """Meets the requests of every client that is opened from now on."""
    wire = Wire()
    aws_session.events.register("before-send.s3", wire.send)
    yield wire
    aws_session.events.unregister("before-send.s3", wire.send)


@pytest.fixture
def objects(wire: Wire, s3_url: str) -> ObjectStore:
    return open_objects(s3_url)
