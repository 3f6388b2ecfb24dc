"""What the lake on S3 does when an answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.errors import ObjectConflict
from include.lake.objects.objects import Condition, ObjectStore, StoredObject

pytestmark = pytest.mark.network

KEY = "streams/athlete_id=7/year=2024/2024-05.parquet"

Fault = tuple[int, str] | str
LOST: Fault = "the request is carried out and the connection closed"


def body_of(objects: ObjectStore) -> bytes | None:
    stored = objects.get(KEY)
    return stored.body if stored else None


def test_put_is_told_the_etag_when_its_answer_was_lost(objects: ObjectStore, wire: Any) -> None:
    wire.faults = [LOST]
    etag = objects.put(KEY, b"", expected=Condition.ABSENT)

    assert wire.sent == ["PUT", "PUT", "HEAD"]
    assert objects.get(KEY) == StoredObject(KEY, b"", etag)
    assert objects.put(KEY, b"next", expected=etag) != etag


@pytest.mark.parametrize(
    "theirs", [pytest.param(b"theirs", id="other bytes"), pytest.param(b"same", id="the same bytes")]
)
def test_put_is_refused_when_another_worker_created_the_object_before_it_was_sent_again(
    objects: ObjectStore, others: ObjectStore, wire: Any, theirs: bytes
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
    objects: ObjectStore, others: ObjectStore, wire: Any, then: Callable[[ObjectStore], object]
) -> None:
    etag = others.put(KEY, b"first", expected=Condition.ABSENT)
    wire.faults = [LOST]
    wire.after_loss = lambda: then(others)

    with pytest.raises(ObjectConflict):
        objects.put(KEY, b"second", expected=etag)

    assert body_of(others) in (b"theirs", None)


def test_delete_is_refused_when_another_worker_wrote_before_it_was_sent_again(
    objects: ObjectStore, others: ObjectStore, wire: Any
) -> None:
    etag = others.put(KEY, b"first", expected=Condition.ABSENT)
    wire.faults = [LOST]
    wire.after_loss = lambda: others.put(KEY, b"theirs", expected=Condition.ABSENT)

    with pytest.raises(ObjectConflict):
        objects.delete(KEY, expected=etag)

    assert body_of(others) == b"theirs"
