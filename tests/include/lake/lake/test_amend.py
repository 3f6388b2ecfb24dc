"""Some rows of one object are replaced by what a reader of the object makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from include.errors import UnexpectedShape
from include.lake.encodings import Encodings
from include.lake.lake import Lake
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.lake.rows.synced import ActivityRows
from include.lake.table_object import decode, encode

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]

MAY_STREAMS = "streams/athlete_id=7/year=2024/2024-05.parquet"
ACTIVITIES_2024 = "activities/athlete_id=7/year=2024/activities.parquet"


@pytest.fixture
def named(store: Any) -> Callable[[], list[tuple[int, str]]]:
    """Each activity in the object with its name."""

    def named() -> list[tuple[int, str]]:
        table = decode(ACTIVITIES_2024, store.get(ACTIVITIES_2024).body)
        return [(row["activity_id"], row["name"]) for row in table.to_pylist()]

    return named


def test_amend_replaces_the_returned_rows_and_keeps_the_others(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, named: Callable[[], Any]
) -> None:
    lake.write([rows(number, name="old") for number in (1, 2, 3, 4)], guard=guard)
    store.writes.clear()
    seen: list[list[int]] = []

    def change(old: pa.Table) -> Sequence[pa.Table]:
        seen.append(old["activity_id"].to_pylist())
        return [rows(number, name="new", at=2.0).activity for number in (4, 2)]

    lake.amend(ACTIVITIES_2024, change)

    assert named() == [(1, "old"), (2, "new"), (3, "old"), (4, "new")]
    assert (seen, store.writes) == ([[1, 2, 3, 4]], [ACTIVITIES_2024])


def test_amend_writes_nothing_when_no_row_changes(lake: Lake, store: Any, rows: MakeRows, guard: Guard) -> None:
    lake.write([rows(1)], guard=guard)
    store.writes.clear()
    lake.amend(ACTIVITIES_2024, lambda _: [])
    assert store.writes == []


def test_amend_asks_for_no_change_when_there_is_no_object(lake: Lake, store: Any) -> None:
    asked: list[pa.Table] = []
    lake.amend(ACTIVITIES_2024, lambda old: asked.append(old) or [])  # type: ignore[func-returns-value]
    assert (asked, store.writes, list(store.list(""))) == ([], [], [])


def test_amend_asks_again_about_what_another_writer_left(
    lake: Lake,
    store: Any,
    objects: FileObjects,
    rows: MakeRows,
    guard: Guard,
    pauses: list[float],
    named: Callable[[], Any],
) -> None:
    lake.write([rows(1, name="old")], guard=guard)
    store.before_put.append(lambda: Lake(objects).write([rows(2, name="theirs")], guard=guard))
    seen: list[list[int]] = []

    def change(old: pa.Table) -> Sequence[pa.Table]:
        seen.append(old["activity_id"].to_pylist())
        return [rows(1, name="new", at=2.0).activity]

    lake.amend(ACTIVITIES_2024, change)

    assert named() == [(1, "new"), (2, "theirs")]
    assert seen == [[1], [1, 2]]
    assert len(pauses) == 1


def test_amend_names_a_broken_object_and_leaves_it_alone(lake: Lake, store: Any) -> None:
    store.inner.put(ACTIVITIES_2024, b"no parquet", expected=Condition.ABSENT)
    with pytest.raises(UnexpectedShape, match=ACTIVITIES_2024):
        lake.amend(ACTIVITIES_2024, lambda _: [])
    assert (store.get(ACTIVITIES_2024).body, store.writes) == (b"no parquet", [])


def test_amend_encodes_as_the_lake_was_opened(objects: FileObjects, rows: MakeRows, guard: Guard) -> None:
    lake, watts = Lake(objects, encodings=Encodings.ALL), rows(1).streams
    lake.write([rows(1, streams=None)], guard=guard)
    objects.put(MAY_STREAMS, encode(watts), expected=Condition.ABSENT)

    lake.amend(MAY_STREAMS, lambda old: [old])

    stored = objects.get(MAY_STREAMS)
    assert stored is not None
    assert stored.body == encode(watts, Encodings.ALL) != encode(watts)
