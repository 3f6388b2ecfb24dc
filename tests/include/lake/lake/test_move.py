"""Rows follow their activity to another month or year."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from include.lake.lake import Lake
from include.lake.rows.synced import ActivityRows

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]
JUNE = "2024-06-01T08:00:00Z"
NEXT_YEAR = "2025-01-01T08:00:00Z"
MAY_STREAMS = "streams/athlete_id=7/year=2024/2024-05.parquet"
JUNE_STREAMS = "streams/athlete_id=7/year=2024/2024-06.parquet"
ACTIVITIES_2024 = "activities/athlete_id=7/year=2024/activities.parquet"
LAPS_2024 = "laps/athlete_id=7/year=2024/laps.parquet"


def test_activity_without_streams_holds_no_streams_object(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    written = lake.write([rows(1, streams=None, laps=[])], guard=guard)
    assert held(store) == {ACTIVITIES_2024: [1]}
    assert written.object_keys == {1: (ACTIVITIES_2024,)}


def test_streams_go_when_strava_no_longer_has_them(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
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
    lake: Lake,
    store: Any,
    rows: MakeRows,
    guard: Guard,
    moved_to: str,
    expected: Mapping[str, list[int]],
    held: Callable[..., Any],
) -> None:
    before = lake.write([rows(1), rows(2)], guard=guard)
    moved = lake.write([rows(1, start_date=moved_to)], previous_keys=before.object_keys, guard=guard)
    assert held(store) == expected
    assert set(moved.object_keys[1]) == {key for key, activity_ids in expected.items() if 1 in activity_ids}


def test_new_rows_are_in_place_before_the_old_ones_go(lake: Lake, store: Any, rows: MakeRows, guard: Guard) -> None:
    before = lake.write([rows(1)], guard=guard)
    store.writes.clear()
    lake.write([rows(1, start_date=JUNE)], previous_keys=before.object_keys, guard=guard)
    assert store.writes[-1] == MAY_STREAMS
    assert JUNE_STREAMS in store.writes[:-1]


def test_laps_stay_when_a_summary_says_nothing_about_them(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    before = lake.write([rows(1)], guard=guard)
    after = lake.write([rows(1, resource_state=2, name="New")], previous_keys=before.object_keys, guard=guard)
    assert held(store)[LAPS_2024] == [1, 1]
    assert LAPS_2024 in after.object_keys[1]


def test_laps_follow_with_the_next_detail_when_a_summary_moved_the_year(
    lake: Lake, store: Any, rows: MakeRows, guard: Guard, held: Callable[..., Any]
) -> None:
    first = lake.write([rows(1)], guard=guard)
    second = lake.write([rows(1, resource_state=2, start_date=NEXT_YEAR)], previous_keys=first.object_keys, guard=guard)
    third = lake.write([rows(1, start_date=NEXT_YEAR)], previous_keys=second.object_keys, guard=guard)
    assert {key: ids for key, ids in held(store).items() if key.startswith("laps/")} == {
        "laps/athlete_id=7/year=2025/laps.parquet": [1, 1]
    }
    assert all("2025" in key for key in third.object_keys[1])
