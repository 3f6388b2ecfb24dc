"""What leaves the lake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.errors import LeaseLost
from include.lake.lake import Lake
from include.lake.rows.synced import ActivityRows

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]
JUNE = "2024-06-01T08:00:00Z"
JUNE_STREAMS = "streams/athlete_id=7/year=2024/2024-06.parquet"
ACTIVITIES_2024 = "activities/athlete_id=7/year=2024/activities.parquet"
LAPS_2024 = "laps/athlete_id=7/year=2024/laps.parquet"


def test_remove_takes_the_rows_out_and_deletes_what_becomes_empty(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    written = lake.write([rows(1), rows(2, start_date=JUNE)], guard=guard)
    removed = lake.remove(7, [1], written.object_keys[1], guard=guard)
    assert held(store) == {ACTIVITIES_2024: [2], LAPS_2024: [2, 2], JUNE_STREAMS: [2, 2, 2]}
    assert (removed.rows, removed.object_keys) == (6, {1: ()})


def test_remove_is_safe_to_repeat(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    written = lake.write([rows(1), rows(2)], guard=guard)
    lake.remove(7, [1, 2], written.object_keys[1], guard=guard)
    again = lake.remove(7, [1, 2], written.object_keys[1], guard=guard)
    assert held(store) == {}
    assert again.rows == 0


def test_remove_of_nothing_removes_nothing(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    written = lake.write([rows(1)], guard=guard)
    before = held(store)
    lake.remove(7, [], written.object_keys[1], guard=guard)
    lake.remove(7, [1], [], guard=guard)
    lake.remove(7, [99], written.object_keys[1], guard=guard)
    assert held(store) == before


def test_remove_leaves_everything_when_the_lease_is_lost(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    def lost() -> None:
        raise LeaseLost("another worker holds it")

    written = lake.write([rows(1)], guard=guard)
    with pytest.raises(LeaseLost):
        lake.remove(7, [1], written.object_keys[1], guard=lost)
    assert len(held(store)) == 3
