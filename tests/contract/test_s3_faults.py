"""What the lake on S3 does when S3 throttles, fails, refuses, is in the middle of something, or its answer is lost.

Faults come in below the client's retries, so that those are the real ones.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import requests
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3 import s3_backends

from include.errors import ObjectConflict, RetryLater, SettingsError
from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.lake.rows.synced import build_rows
from include.strava.models import Activity

pytestmark = pytest.mark.network

KEY = "streams/athlete_id=7/year=2024/2024-05.parquet"
ATTEMPTS = 4

Fault = tuple[int, str] | str
LOST: Fault = "the request is carried out and the connection closed"

CONFLICTING: Fault = (409, "ConditionalRequestConflict")
FAULTS = [
    pytest.param((503, "SlowDown"), id="throttled"),
    pytest.param((503, "ServiceUnavailable"), id="unavailable"),
    pytest.param((500, "InternalError"), id="internal error"),
    pytest.param((400, "RequestTimeout"), id="sent too slowly"),
    pytest.param(LOST, id="answer lost"),
]
CALLS: list[Any] = [
    pytest.param(lambda objects: objects.get(KEY), id="get"),
    pytest.param(lambda objects: objects.put(KEY, b"x", expected=Condition.ABSENT), id="put"),
    pytest.param(lambda objects: objects.delete(KEY, expected="etag"), id="delete"),
    pytest.param(lambda objects: objects.delete(KEY, expected=Condition.ABSENT), id="delete what is absent"),
    pytest.param(lambda objects: list(objects.list("")), id="list"),
]


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
        if fault is LOST:
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


def body_of(objects: ObjectStore) -> bytes | None:
    stored = objects.get(KEY)
    return stored.body if stored else None


# --- throttled and failing -----------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_every_write_is_done_once_when_s3_fails_for_a_while(
    objects: ObjectStore, others: ObjectStore, wire: Wire, waits: list[float], fault: Fault
) -> None:
    passing = [fault] * (ATTEMPTS - 1)
    wire.faults = [*passing]
    first = objects.put(KEY, b"first", expected=Condition.ABSENT)
    wire.faults = [*passing]
    second = objects.put(KEY, b"second", expected=first)
    stored = others.get(KEY)
    wire.faults = [*passing]
    objects.delete(KEY, expected=second)

    assert stored == StoredObject(KEY, b"second", second)
    assert others.get(KEY) is None
    assert len(waits) == 3 * (ATTEMPTS - 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_reading_and_listing_work_when_s3_fails_for_a_while(
    objects: ObjectStore, others: ObjectStore, wire: Wire, fault: Fault
) -> None:
    etag = others.put(KEY, b"x", expected=Condition.ABSENT)

    wire.faults = [fault] * (ATTEMPTS - 1)
    stored = objects.get(KEY)
    wire.faults = [fault] * (ATTEMPTS - 1)
    keys = list(objects.list(""))

    assert (stored, keys) == (StoredObject(KEY, b"x", etag), [KEY])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_call_asks_to_come_back_when_s3_stays_failing(
    objects: ObjectStore, wire: Wire, fault: Fault, call: Callable[[ObjectStore], object]
) -> None:
    wire.always = fault

    with pytest.raises(RetryLater, match=r"^LAKE_URL: AWS .*try again later$"):
        call(objects)

    assert len(wire.sent) == ATTEMPTS


def test_reading_asks_to_come_back_when_the_bytes_break_off(
    objects: ObjectStore, others: ObjectStore, aws_session: boto3.session.Session, s3_url: str
) -> None:
    others.put(KEY, b"0123456789", expected=Condition.ABSENT)

    def promise_more(parsed: dict[str, Any], **_: object) -> None:
        parsed["Body"]._content_length = 11

    aws_session.events.register("after-call.s3.GetObject", promise_more)
    try:
        with pytest.raises(RetryLater, match="LAKE_URL: AWS's answer broke off midway"):
            open_objects(s3_url).get(KEY)
    finally:
        aws_session.events.unregister("after-call.s3.GetObject", promise_more)


# --- conflicts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(CONFLICTING, id="another writer is in the middle"),
        pytest.param((409, "OperationAborted"), id="another operation is in the middle"),
        pytest.param((412, "PreconditionFailed"), id="another etag"),
        pytest.param((404, "NoSuchKey"), id="gone meanwhile"),
    ],
)
def test_conflict_is_told_at_once(
    objects: ObjectStore, others: ObjectStore, wire: Wire, waits: list[float], answer: Fault
) -> None:
    etag = others.put(KEY, b"first", expected=Condition.ABSENT)
    wire.always = answer

    for write in (
        lambda: objects.put(KEY, b"second", expected=etag),
        lambda: objects.delete(KEY, expected=etag),
    ):
        with pytest.raises(ObjectConflict, match=rf"{KEY} was changed .*: read it again"):
            write()

    assert (wire.sent, waits) == (["PUT", "DELETE"], [])
    assert body_of(others) == b"first"


def test_rows_are_written_when_another_writer_was_in_the_middle(objects: ObjectStore, wire: Wire) -> None:
    pauses: list[float] = []
    activity = Activity.parse({"id": 1, "athlete": {"id": 7}, "start_date": "2024-05-01T08:00:00Z"})
    rows = build_rows(activity, None, made={}, source="webhook", updated_at_epoch_s=0)
    wire.faults = [None, CONFLICTING, None, CONFLICTING]  # GET, PUT, and once more

    written = Lake(objects, sleep=pauses.append).write([rows], guard=lambda: None)

    assert sorted(written.object_keys[1]) == list(objects.list(""))
    assert len(pauses) == 2


# --- lost answers --------------------------------------------------------------------------------


def test_put_is_told_the_etag_when_its_answer_was_lost(objects: ObjectStore, wire: Wire) -> None:
    wire.faults = [LOST]
    etag = objects.put(KEY, b"", expected=Condition.ABSENT)

    assert wire.sent == ["PUT", "PUT", "HEAD"]
    assert objects.put(KEY, b"next", expected=etag) != etag


@pytest.mark.parametrize(
    "theirs", [pytest.param(b"theirs", id="other bytes"), pytest.param(b"same", id="the same bytes")]
)
def test_put_is_refused_when_another_worker_created_the_object_before_it_was_sent_again(
    objects: ObjectStore, others: ObjectStore, wire: Wire, theirs: bytes
) -> None:
    wire.faults = [(503, "SlowDown"), None]
    others.put(KEY, theirs, expected=Condition.ABSENT)

    with pytest.raises(ObjectConflict):
        objects.put(KEY, b"same", expected=Condition.ABSENT)

    assert body_of(others) == theirs


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(lambda others: others.put(KEY, b"theirs", expected=Condition.ANYTHING), id="replaced"),
        pytest.param(lambda others: others.delete(KEY, expected=Condition.ANYTHING), id="removed"),
    ],
)
def test_put_is_refused_when_its_own_bytes_were_changed_before_it_was_sent_again(
    objects: ObjectStore, others: ObjectStore, wire: Wire, then: Callable[[ObjectStore], object]
) -> None:
    etag = others.put(KEY, b"first", expected=Condition.ABSENT)
    wire.faults = [LOST]
    wire.after_loss = lambda: then(others)

    with pytest.raises(ObjectConflict):
        objects.put(KEY, b"second", expected=etag)

    assert body_of(others) in (b"theirs", None)


def test_delete_is_refused_when_another_worker_wrote_before_it_was_sent_again(
    objects: ObjectStore, others: ObjectStore, wire: Wire
) -> None:
    etag = others.put(KEY, b"first", expected=Condition.ABSENT)
    wire.faults = [LOST]
    wire.after_loss = lambda: others.put(KEY, b"theirs", expected=Condition.ABSENT)

    with pytest.raises(ObjectConflict):
        objects.delete(KEY, expected=etag)

    assert body_of(others) == b"theirs"


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        pytest.param((403, "AccessDenied"), id="not permitted"),
        pytest.param((403, "InvalidAccessKeyId"), id="unknown credentials"),
        pytest.param((403, "RequestTimeTooSkewed"), id="clock wrong"),
        pytest.param((404, "NoSuchBucket"), id="no such bucket"),
    ],
)
def test_refusal_names_the_setting_and_is_no_absence(objects: ObjectStore, wire: Wire, code: Fault) -> None:
    wire.always = code

    for call in (
        lambda: objects.get(KEY),
        lambda: objects.put(KEY, b"x", expected=Condition.ABSENT),
        lambda: objects.delete(KEY, expected="etag"),
        lambda: list(objects.list("")),
    ):
        with pytest.raises(SettingsError, match=r"LAKE_URL: AWS refuses .*credentials permit it"):
            call()


def test_setting_is_named_when_there_is_no_such_bucket(aws: None) -> None:
    with pytest.raises(SettingsError, match=r"LAKE_URL: AWS refuses GetObject \(NoSuchBucket"):
        open_objects("s3://no-such-bucket/lake").get(KEY)


# --- keys ----------------------------------------------------------------------------------------


def test_every_page_is_listed_and_nothing_beside_the_prefix(s3_bucket: str, s3_url: str) -> None:
    prefix = s3_url.removeprefix(f"s3://{s3_bucket}/")
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    keys = [f"raw/athlete_id=7/{number}.json" for number in range(1100)]
    for name in (*(f"{prefix}/{key}" for key in keys), f"{prefix}-other/raw/1", f"{prefix}/", f"{prefix}/raw/"):
        bucket.put_object(s3_bucket, name, b"")

    assert list(open_objects(s3_url).list("")) == sorted(keys)


@pytest.mark.parametrize("prefix", ["", "/"])
def test_bucket_without_a_prefix_is_a_lake_too(aws: None, s3_bucket: str, s3_url: str, prefix: str) -> None:
    below = s3_url.removeprefix(f"s3://{s3_bucket}/")
    objects = open_objects(f"s3://{s3_bucket}{prefix}")

    objects.put(f"{below}/a", b"x", expected=Condition.ABSENT)

    assert objects.url("a") == f"s3://{s3_bucket}/a"
    assert list(objects.list(f"{below}/")) == [f"{below}/a"]
    assert list(open_objects(s3_url).list("")) == ["a"]


def test_backend_loads_nothing_of_aws_before_it_is_asked_for() -> None:
    code = "import sys, include.lake.backend; print(sorted({'boto3', 'botocore'} & sys.modules.keys()))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
