from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from include.errors import BadKey, LeaseLost, ObjectConflict, UnexpectedShape
from include.lake.backend import open_objects
from include.lake.encodings import Encodings
from include.lake.lake import Lake
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition, StoredObject
from include.lake.rows.synced import ActivityRows, build_rows
from include.lake.table_object import decode, encode
from include.strava.models import Activity, StreamSet

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]

MAY = "2024-05-01T08:00:00Z"
JUNE = "2024-06-01T08:00:00Z"
NEXT_YEAR = "2025-01-01T08:00:00Z"
SEVEN = {"id": 7}
MAY_STREAMS = "streams/athlete_id=7/year=2024/2024-05.parquet"
JUNE_STREAMS = "streams/athlete_id=7/year=2024/2024-06.parquet"
ACTIVITIES_2024 = "activities/athlete_id=7/year=2024/activities.parquet"
LAPS_2024 = "laps/athlete_id=7/year=2024/laps.parquet"


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


def held(objects: FileObjects | Recorder) -> Mapping[str, list[int]]:
    """Every table object with the activity of each of its rows."""
    content = {}
    for key in objects.list(""):
        stored = objects.get(key)
        assert stored is not None
        content[key] = decode(key, stored.body)["activity_id"].to_pylist()
    return content


def test_write_puts_the_rows_of_one_activity_into_its_three_objects(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
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


def test_write_of_nothing_writes_nothing(lake: Lake, store: Recorder, guard: Guard) -> None:
    written = lake.write([], guard=guard)
    assert (written.object_keys, written.rows) == ({}, 0)
    assert store.writes == []


def test_write_takes_each_object_once_when_many_activities_share_it(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    written = lake.write([rows(number) for number in (5, 3, 4, 1, 2)], guard=guard)
    assert sorted(store.writes) == [ACTIVITIES_2024, LAPS_2024, MAY_STREAMS]
    assert held(store)[MAY_STREAMS] == [number for number in (1, 2, 3, 4, 5) for _ in range(3)]
    assert len(written.object_keys) == 5


def test_write_takes_the_last_rows_when_an_activity_comes_twice(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    lake.write([rows(1), rows(1, start_date=JUNE)], guard=guard)
    assert held(store) == {ACTIVITIES_2024: [1], LAPS_2024: [1, 1], JUNE_STREAMS: [1, 1, 1]}


def test_write_keeps_other_activities_and_other_athletes(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    lake.write([rows(1), rows(2), rows(3, athlete={"id": 71})], guard=guard)
    lake.write([rows(2, name="Another title", streams=StreamSet({"time": [0]}, b""))], guard=guard)
    content = held(store)
    assert content[MAY_STREAMS] == [1, 1, 1, 2]
    assert content[ACTIVITIES_2024] == [1, 2]
    assert content["streams/athlete_id=71/year=2024/2024-05.parquet"] == [3, 3, 3]


def test_write_leaves_every_byte_when_the_rows_are_there_already(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    first = lake.write([rows(1, at=1.0)], guard=guard)
    store.writes.clear()
    again = lake.write([rows(1, at=2.0, source="reconcile")], previous_keys=first.object_keys, guard=guard)
    assert store.writes == []
    assert again == first


def test_write_touches_only_the_activities_object_when_only_the_title_changed(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
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


def test_activity_without_streams_holds_no_streams_object(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    written = lake.write([rows(1, streams=None, laps=[])], guard=guard)
    assert held(store) == {ACTIVITIES_2024: [1]}
    assert written.object_keys == {1: (ACTIVITIES_2024,)}


def test_streams_go_when_strava_no_longer_has_them(lake: Lake, store: Recorder, rows: MakeRows, guard: Guard) -> None:
    lake.write([rows(1), rows(2)], guard=guard)
    lake.write([rows(1, streams=None)], guard=guard)
    assert held(store)[MAY_STREAMS] == [2, 2, 2]
    lake.write([rows(2, streams=None)], guard=guard)
    assert MAY_STREAMS not in held(store)


@pytest.mark.parametrize(
    ("moved_to", "expected"),
    [
        pytest.param(
            JUNE, {ACTIVITIES_2024: [1, 2], LAPS_2024: [1, 1, 2, 2], MAY_STREAMS: [2, 2, 2], JUNE_STREAMS: [1, 1, 1]},
            id="to-another-month",
        ),
        pytest.param(
            NEXT_YEAR,
            {
                ACTIVITIES_2024: [2],
                LAPS_2024: [2, 2],
                MAY_STREAMS: [2, 2, 2],
                "activities/athlete_id=7/year=2025/activities.parquet": [1],
                "laps/athlete_id=7/year=2025/laps.parquet": [1, 1],
                "streams/athlete_id=7/year=2025/2025-01.parquet": [1, 1, 1],
            },
            id="to-another-year",
        ),
    ],
)  # fmt: skip
def test_rows_move_when_the_start_date_was_edited(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard, moved_to: str, expected: Mapping[str, list[int]]
) -> None:
    before = lake.write([rows(1), rows(2)], guard=guard)
    moved = lake.write([rows(1, start_date=moved_to)], previous_keys=before.object_keys, guard=guard)
    assert held(store) == expected
    assert set(moved.object_keys[1]) == {key for key, activity_ids in expected.items() if 1 in activity_ids}


def test_new_rows_are_in_place_before_the_old_ones_go(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    before = lake.write([rows(1)], guard=guard)
    store.writes.clear()
    lake.write([rows(1, start_date=JUNE)], previous_keys=before.object_keys, guard=guard)
    assert store.writes[-1] == MAY_STREAMS
    assert JUNE_STREAMS in store.writes[:-1]


def test_laps_stay_when_a_summary_says_nothing_about_them(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    before = lake.write([rows(1)], guard=guard)
    after = lake.write([rows(1, resource_state=2, name="New")], previous_keys=before.object_keys, guard=guard)
    assert held(store)[LAPS_2024] == [1, 1]
    assert LAPS_2024 in after.object_keys[1]


def test_laps_follow_with_the_next_detail_when_a_summary_moved_the_year(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    first = lake.write([rows(1)], guard=guard)
    second = lake.write([rows(1, resource_state=2, start_date=NEXT_YEAR)], previous_keys=first.object_keys, guard=guard)
    third = lake.write([rows(1, start_date=NEXT_YEAR)], previous_keys=second.object_keys, guard=guard)
    assert {key: ids for key, ids in held(store).items() if key.startswith("laps/")} == {
        "laps/athlete_id=7/year=2025/laps.parquet": [1, 1]
    }
    assert all("2025" in key for key in third.object_keys[1])


def test_write_reads_again_and_keeps_both_when_another_writer_was_faster(
    lake: Lake, store: Recorder, objects: FileObjects, rows: MakeRows, guard: Guard, pauses: list[float]
) -> None:
    store.before_put.append(lambda: Lake(objects).write([rows(2)], guard=guard))
    lake.write([rows(1)], guard=guard)
    content = held(store)
    assert content[MAY_STREAMS] == [1, 1, 1, 2, 2, 2]
    assert content[ACTIVITIES_2024] == [1, 2]
    assert len(pauses) == 1


def test_write_gives_up_with_a_conflict_when_others_always_win(
    lake: Lake, store: Recorder, objects: FileObjects, rows: MakeRows, guard: Guard, pauses: list[float]
) -> None:
    others = [encode(rows(number).activity) for number in (2, 3)] * 30
    store.before_put.extend(partial(objects.put, ACTIVITIES_2024, body, expected=Condition.ANYTHING) for body in others)
    with pytest.raises(ObjectConflict):
        lake.write([rows(1)], guard=guard)
    assert 10 < len(pauses) < 60


@pytest.mark.parametrize("held_for", [0, 1, 2])
def test_nothing_is_written_after_the_lease_is_lost(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard, held_for: int
) -> None:
    lake.write([rows(2)], guard=guard)
    store.writes.clear()
    checks = iter([True] * held_for)

    def lost() -> None:
        if not next(checks, False):
            raise LeaseLost("another worker holds it")

    with pytest.raises(LeaseLost):
        lake.write([rows(1)], guard=lost)
    assert len(store.writes) == held_for


def test_guard_is_asked_again_when_the_object_is_read_again(
    lake: Lake, store: Recorder, objects: FileObjects, rows: MakeRows, guard: Guard
) -> None:
    checks = []
    store.before_put.append(lambda: Lake(objects).write([rows(2)], guard=guard))
    lake.write([rows(1)], guard=lambda: checks.append(len(store.writes)))
    assert len(checks) == 4


def test_remove_takes_the_rows_out_and_deletes_what_becomes_empty(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    written = lake.write([rows(1), rows(2, start_date=JUNE)], guard=guard)
    removed = lake.remove(7, [1], written.object_keys[1], guard=guard)
    assert held(store) == {ACTIVITIES_2024: [2], LAPS_2024: [2, 2], JUNE_STREAMS: [2, 2, 2]}
    assert (removed.rows, removed.object_keys) == (6, {1: ()})


def test_remove_is_safe_to_repeat(lake: Lake, store: Recorder, rows: MakeRows, guard: Guard) -> None:
    written = lake.write([rows(1), rows(2)], guard=guard)
    lake.remove(7, [1, 2], written.object_keys[1], guard=guard)
    again = lake.remove(7, [1, 2], written.object_keys[1], guard=guard)
    assert held(store) == {}
    assert again.rows == 0


def test_remove_of_nothing_removes_nothing(lake: Lake, store: Recorder, rows: MakeRows, guard: Guard) -> None:
    written = lake.write([rows(1)], guard=guard)
    before = held(store)
    lake.remove(7, [], written.object_keys[1], guard=guard)
    lake.remove(7, [1], [], guard=guard)
    lake.remove(7, [99], written.object_keys[1], guard=guard)
    assert held(store) == before


def test_remove_leaves_everything_when_the_lease_is_lost(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    def lost() -> None:
        raise LeaseLost("another worker holds it")

    written = lake.write([rows(1)], guard=guard)
    with pytest.raises(LeaseLost):
        lake.remove(7, [1], written.object_keys[1], guard=lost)
    assert len(held(store)) == 3


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("streams/athlete_id=71/year=2024/2024-05.parquet", id="of-another-athlete"),
        pytest.param("raw/athlete_id=7/1.detail.json.gz", id="of-no-table"),
    ],
)
def test_key_that_is_no_table_object_of_the_athlete_is_refused_before_anything_is_written(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard, key: str
) -> None:
    with pytest.raises(BadKey):
        lake.write([rows(1)], previous_keys={1: [MAY_STREAMS, key]}, guard=guard)
    with pytest.raises(BadKey):
        lake.remove(7, [1], [MAY_STREAMS, key], guard=guard)
    assert store.writes == []


def test_broken_object_is_named_and_left_alone(lake: Lake, store: Recorder, rows: MakeRows, guard: Guard) -> None:
    store.inner.put(MAY_STREAMS, b"no parquet", expected=Condition.ABSENT)
    with pytest.raises(UnexpectedShape, match=MAY_STREAMS):
        lake.write([rows(1)], guard=guard)
    stored = store.get(MAY_STREAMS)
    assert stored is not None
    assert stored.body == b"no parquet"


def test_object_of_an_older_schema_is_written_anew_with_the_next_change(
    lake: Lake, store: Recorder, rows: MakeRows, guard: Guard
) -> None:
    older = rows(1).streams.replace_schema_metadata({"schema_version": "0"})
    store.inner.put(MAY_STREAMS, encode(older), expected=Condition.ABSENT)
    lake.write([rows(1)], guard=guard)
    assert MAY_STREAMS in store.writes


WRITERS, WRITES = 4, 50


def write_many(lake_url: str, writer: int) -> None:
    """Write one activity after the other into one athlete-month."""
    patch("os.fsync", autospec=True).start()  # a crash of the machine is not what is tested here
    lake = Lake(open_objects(lake_url))
    for number in range(WRITES):
        answer = {"id": 1 + writer * 1000 + number, "athlete": SEVEN, "start_date": MAY}
        rows = build_rows(
            Activity.parse(answer), StreamSet({"time": [0, 1]}, b""), made={}, source="webhook", updated_at_epoch_s=0
        )
        lake.write([rows], guard=lambda: None)


def test_no_row_is_lost_when_several_processes_write_one_month(lake_url: str, objects: FileObjects) -> None:
    with ProcessPoolExecutor(WRITERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        for writing in [pool.submit(write_many, lake_url, writer) for writer in range(WRITERS)]:
            writing.result()

    expected = [1 + writer * 1000 + number for writer in range(WRITERS) for number in range(WRITES)]
    content = held(objects)
    assert content[ACTIVITIES_2024] == expected
    assert content[MAY_STREAMS] == [activity_id for activity_id in expected for _ in range(2)]
