"""Several writers of one object, and a lease that is lost."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from include.errors import LeaseLost, ObjectConflict
from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.lake.rows.synced import ActivityRows, build_rows
from include.lake.table_object import encode
from include.strava.models import Activity, StreamSet

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]

MAY = "2024-05-01T08:00:00Z"
SEVEN = {"id": 7}
MAY_STREAMS = "streams/athlete_id=7/year=2024/2024-05.parquet"
ACTIVITIES_2024 = "activities/athlete_id=7/year=2024/activities.parquet"


def test_write_reads_again_and_keeps_both_when_another_writer_was_faster(
    lake: Lake,
    store: Any,
    objects: FileObjects,
    rows: MakeRows,
    guard: Guard,
    pauses: list[float],
    held: Callable[..., Any],
) -> None:
    store.before_put.append(lambda: Lake(objects).write([rows(2)], guard=guard))
    lake.write([rows(1)], guard=guard)
    content = held(store)
    assert content[MAY_STREAMS] == [1, 1, 1, 2, 2, 2]
    assert content[ACTIVITIES_2024] == [1, 2]
    assert len(pauses) == 1


def test_write_gives_up_with_a_conflict_when_others_always_win(
    lake: Lake, store: Any, objects: FileObjects, rows: MakeRows, guard: Guard, pauses: list[float]
) -> None:
    others = [encode(rows(number).activity) for number in (2, 3)] * 30
    store.before_put.extend(partial(objects.put, ACTIVITIES_2024, body, expected=Condition.ANYTHING) for body in others)
    with pytest.raises(ObjectConflict):
        lake.write([rows(1)], guard=guard)
    assert 10 < len(pauses) < 60


@pytest.mark.parametrize("held_for", [0, 1, 2])
def test_nothing_is_written_after_the_lease_is_lost(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held_for: int
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
    lake: Lake, store: Any, objects: FileObjects, rows: MakeRows, guard: Guard
) -> None:
    checks = []
    store.before_put.append(lambda: Lake(objects).write([rows(2)], guard=guard))
    lake.write([rows(1)], guard=lambda: checks.append(len(store.writes)))
    assert len(checks) == 4


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


def test_no_row_is_lost_when_several_processes_write_one_month(
    lake_url: str, objects: FileObjects, held: Callable[..., Any]
) -> None:
    with ProcessPoolExecutor(WRITERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        for writing in [pool.submit(write_many, lake_url, writer) for writer in range(WRITERS)]:
            writing.result()

    expected = [1 + writer * 1000 + number for writer in range(WRITERS) for number in range(WRITES)]
    content = held(objects)
    assert content[ACTIVITIES_2024] == expected
    assert content[MAY_STREAMS] == [activity_id for activity_id in expected for _ in range(2)]
