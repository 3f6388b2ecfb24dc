"""The lake ends with exactly the rows that were written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.errors import BadKey, UnexpectedShape
from include.lake.encodings import Encodings
from include.lake.lake import Lake
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.lake.rows.synced import ActivityRows
from include.lake.table_object import encode
from include.strava.models import StreamSet

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]

MAY = "2024-05-01T08:00:00Z"
JUNE = "2024-06-01T08:00:00Z"
MAY_STREAMS = "streams/athlete_id=7/year=2024/2024-05.parquet"
JUNE_STREAMS = "streams/athlete_id=7/year=2024/2024-06.parquet"
ACTIVITIES_2024 = "activities/athlete_id=7/year=2024/activities.parquet"
LAPS_2024 = "laps/athlete_id=7/year=2024/laps.parquet"


def test_write_puts_the_rows_of_one_activity_into_its_three_objects(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    written = lake.write([rows(1)], guard=guard)
    assert held(store) == {ACTIVITIES_2024: [1], LAPS_2024: [1, 1], MAY_STREAMS: [1, 1, 1]}
    assert written.object_keys == {1: (ACTIVITIES_2024, LAPS_2024, MAY_STREAMS)}
    assert written.rows == 6


def test_write_encodes_as_the_lake_was_opened(objects: FileObjects, make_rows: MakeRows, guard: Guard) -> None:
    Lake(objects, encodings=Encodings.ALL).write([make_rows(start_date=MAY)], guard=guard)

    (stored,) = (objects.get(key) for key in objects.list("streams/"))
    assert stored is not None
    assert stored.body == encode(make_rows(start_date=MAY).streams, Encodings.ALL)
    assert stored.body != encode(make_rows(start_date=MAY).streams)


def test_write_of_nothing_writes_nothing(lake: Lake, store: Any, guard: Guard) -> None:
    written = lake.write([], guard=guard)
    assert (written.object_keys, written.rows) == ({}, 0)
    assert store.writes == []


def test_write_takes_each_object_once_when_many_activities_share_it(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    written = lake.write([rows(number) for number in (5, 3, 4, 1, 2)], guard=guard)
    assert sorted(store.writes) == [ACTIVITIES_2024, LAPS_2024, MAY_STREAMS]
    assert held(store)[MAY_STREAMS] == [number for number in (1, 2, 3, 4, 5) for _ in range(3)]
    assert len(written.object_keys) == 5


def test_write_takes_the_last_rows_when_an_activity_comes_twice(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    lake.write([rows(1), rows(1, start_date=JUNE)], guard=guard)
    assert held(store) == {ACTIVITIES_2024: [1], LAPS_2024: [1, 1], JUNE_STREAMS: [1, 1, 1]}


def test_write_keeps_other_activities_and_other_athletes(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    lake.write([rows(1), rows(2), rows(3, athlete={"id": 71})], guard=guard)
    lake.write([rows(2, name="Another title", streams=StreamSet({"time": [0]}, b""))], guard=guard)
    content = held(store)
    assert content[MAY_STREAMS] == [1, 1, 1, 2]
    assert content[ACTIVITIES_2024] == [1, 2]
    assert content["streams/athlete_id=71/year=2024/2024-05.parquet"] == [3, 3, 3]


def test_write_leaves_every_byte_when_the_rows_are_there_already(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard
) -> None:
    first = lake.write([rows(1, at=1.0)], guard=guard)
    store.writes.clear()
    again = lake.write([rows(1, at=2.0, source="reconcile")], previous_keys=first.object_keys, guard=guard)
    assert store.writes == []
    assert again == first


def test_write_touches_only_the_activities_object_when_only_the_title_changed(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard
) -> None:
    lake.write([rows(1)], guard=guard)
    store.writes.clear()
    lake.write([rows(1, name="Another title")], guard=guard)
    assert store.writes == [ACTIVITIES_2024]


def test_objects_have_the_same_bytes_in_whatever_order_activities_come(
    lake: Lake, objects: FileObjects, tmp_path: Path, rows: MakeRows, guard: Guard
) -> None:
    other = FileObjects(tmp_path / "other")
    lake.write([rows(1), rows(2)], guard=guard)
    for number in (2, 1):
        Lake(other).write([rows(number)], guard=guard)
    assert [objects.get(key) for key in objects.list("")] == [other.get(key) for key in other.list("")]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("streams/athlete_id=71/year=2024/2024-05.parquet", id="of-another-athlete"),
        pytest.param("raw/athlete_id=7/1.detail.json.gz", id="of-no-table"),
    ],
)
def test_key_that_is_no_table_object_of_the_athlete_is_refused_before_anything_is_written(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, key: str
) -> None:
    with pytest.raises(BadKey):
        lake.write([rows(1)], previous_keys={1: [MAY_STREAMS, key]}, guard=guard)
    with pytest.raises(BadKey):
        lake.remove(7, [1], [MAY_STREAMS, key], guard=guard)
    assert store.writes == []


def test_broken_object_is_named_and_left_alone(lake: Lake, store: Any, rows: MakeRows, guard: Guard) -> None:
    store.inner.put(MAY_STREAMS, b"no parquet", expected=Condition.ABSENT)
    with pytest.raises(UnexpectedShape, match=MAY_STREAMS):
        lake.write([rows(1)], guard=guard)
    stored = store.get(MAY_STREAMS)
    assert stored is not None
    assert stored.body == b"no parquet"


def test_object_of_an_older_schema_is_written_anew_with_the_next_change(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard
) -> None:
    older = rows(1).streams.replace_schema_metadata({"schema_version": "0"})
    store.inner.put(MAY_STREAMS, encode(older), expected=Condition.ABSENT)
    lake.write([rows(1)], guard=guard)
    assert MAY_STREAMS in store.writes
