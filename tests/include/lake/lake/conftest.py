"""A lake on files that records its calls and can be told to lose races."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from include.lake.lake import Lake
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition, StoredObject
from include.lake.rows.synced import ActivityRows
from include.lake.table_object import decode

MakeRows = Callable[..., ActivityRows]

MAY = "2024-05-01T08:00:00Z"
SEVEN = {"id": 7}


class Recorder:
    """The objects, with a note of every write, and something to happen right before the next ones."""

    def __init__(self, objects: FileObjects) -> None:
        self.inner = objects
        self.writes: list[str] = []
        self.before_put: list[Callable[[], object]] = []

    def get(self, key: str) -> StoredObject | None:
        return self.inner.get(key)

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        if self.before_put:
            self.before_put.pop(0)()
        self.writes.append(key)
        return self.inner.put(key, body, expected=expected)

    def delete(self, key: str, *, expected: str | Condition) -> None:
        self.writes.append(key)
        self.inner.delete(key, expected=expected)

    def list(self, prefix: str) -> Iterator[str]:
        return self.inner.list(prefix)

    def url(self, key: str) -> str:
        return self.inner.url(key)


@pytest.fixture
def store(objects: FileObjects) -> Recorder:
    return Recorder(objects)


@pytest.fixture
def pauses() -> list[float]:
    """How long the lake paused between tries."""
    return []


@pytest.fixture
def lake(store: Recorder, pauses: list[float]) -> Lake:
    return Lake(store, sleep=pauses.append)


@pytest.fixture
def rows(make_rows: MakeRows) -> MakeRows:
    """Rows of an activity of athlete 7 in May 2024."""

    def make(activity_id: int, **changes: Any) -> ActivityRows:
        return make_rows(**{"athlete": SEVEN, "start_date": MAY, "id": activity_id} | changes)

    return make


@pytest.fixture
def held() -> Callable[..., Mapping[str, list[int]]]:
    """Every table object with the activity of each of its rows."""

    def held(objects: Any) -> Mapping[str, list[int]]:
        content = {}
        for key in objects.list(""):
            stored = objects.get(key)
            assert stored is not None
            content[key] = decode(key, stored.body)["activity_id"].to_pylist()
        return content

    return held
