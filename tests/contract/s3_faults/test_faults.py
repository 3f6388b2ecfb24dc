"""What the lake on S3 does when S3 throttles, fails or is in the middle of something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from include.errors import ObjectConflict, RetryLater
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


def body_of(objects: ObjectStore) -> bytes | None:
    stored = objects.get(KEY)
    return stored.body if stored else None


@pytest.mark.parametrize("fault", FAULTS)
def test_every_write_is_done_once_when_s3_fails_for_a_while(
    objects: ObjectStore, others: ObjectStore, wire: Any, waits: list[float], fault: Fault
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
    objects: ObjectStore, others: ObjectStore, wire: Any, fault: Fault
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
    objects: ObjectStore, wire: Any, fault: Fault, call: Callable[[ObjectStore], object]
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
    objects: ObjectStore, others: ObjectStore, wire: Any, waits: list[float], answer: Fault
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


def test_rows_are_written_when_another_writer_was_in_the_middle(objects: ObjectStore, wire: Any) -> None:
    pauses: list[float] = []
    activity = Activity.parse({"id": 1, "athlete": {"id": 7}, "start_date": "2024-05-01T08:00:00Z"})
    rows = build_rows(activity, None, made={}, source="webhook", updated_at_epoch_s=0)
    wire.faults = [None, CONFLICTING, None, CONFLICTING]  # GET, PUT, and once more

    written = Lake(objects, sleep=pauses.append).write([rows], guard=lambda: None)

    assert sorted(written.object_keys[1]) == list(objects.list(""))
    assert len(pauses) == 2
