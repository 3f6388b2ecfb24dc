from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.errors import UnexpectedShape
from include.lake.rows.synced import ActivityRows, build_rows
from include.strava.models import Activity

MakeRows = Callable[..., ActivityRows]


def test_rows_name_their_objects(make_rows: MakeRows) -> None:
    rows = make_rows(start_date="2024-12-31T23:30:00Z", athlete={"id": 7})
    assert rows.object_keys == (
        "streams/athlete_id=7/year=2024/2024-12.parquet",
        "laps/athlete_id=7/year=2024/laps.parquet",
        "activities/athlete_id=7/year=2024/activities.parquet",
    )
    assert (rows.activity.num_rows, rows.streams.num_rows) == (1, 3)
    assert rows.activity["point_count"].to_pylist() == [3]


def test_rows_show_no_place_and_no_title_where_they_are_printed(make_rows: MakeRows) -> None:
    told = repr(make_rows(id=1))
    assert "activity_id=1" in told
    for secret in ("52.1", "4.5", "Rex", "park", "Lap 1"):
        assert secret not in told


def test_rows_of_a_summary_leave_laps_open(make_rows: MakeRows) -> None:
    rows = make_rows(resource_state=2)
    assert rows.laps is None
    assert not any(key.startswith("laps/") for key in rows.object_keys)


def test_rows_of_a_detail_without_laps_have_none(make_rows: MakeRows) -> None:
    laps = make_rows(laps=[]).laps
    assert laps is not None
    assert laps.num_rows == 0


def test_start_is_utc_when_the_answer_uses_another_offset(make_rows: MakeRows) -> None:
    rows = make_rows(start_date="2025-01-01T01:00:00+02:00")
    assert rows.start_at == datetime(2024, 12, 31, 23, tzinfo=UTC)
    assert "year=2024/2024-12" in rows.object_keys[0]


def test_points_have_no_clock_time_when_the_start_is_hidden(make_rows: MakeRows) -> None:
    rows = make_rows(start_date="2024-05-01T00:00:01Z")
    assert rows.streams["ts"].null_count == 3
    assert rows.streams["time_s"].to_pylist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("made", "external_id", "parent_activity_id"),
    [
        pytest.param({1: 99, 2: 98}, None, 99, id="by-the-ledger"),
        pytest.param({2: 98}, "sdi-97-7.gpx", 97, id="by-its-external-id"),
        pytest.param({1: 99}, "sdi-97-7.gpx", 99, id="by-both"),
        pytest.param({2: 98}, "garmin_push_97", None, id="of-a-device"),
        pytest.param({}, None, None, id="by-neither"),
    ],
)
def test_copy_is_known_by_the_ledger_or_by_its_external_id(
    make_activity: Callable[..., Activity],
    made: dict[int, int],
    external_id: str | None,
    parent_activity_id: int | None,
) -> None:
    activity = make_activity(id=1, external_id=external_id)
    (row,) = build_rows(activity, None, made=made, source="webhook", updated_at_epoch_s=0).activity.to_pylist()
    assert (row["parent_activity_id"], row["is_copy"]) == (parent_activity_id, parent_activity_id is not None)


@pytest.mark.parametrize("number", [1, 2**63 - 1])
def test_first_and_last_64_bit_number_is_an_id(make_rows: MakeRows, number: int) -> None:
    rows = make_rows(id=number, athlete={"id": number})
    assert rows.activity["activity_id"].to_pylist() == [number]
    assert rows.object_keys[2] == f"activities/athlete_id={number}/year=2024/activities.parquet"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"id": 2**63}, "'id'", id="id-beyond-int64"),
        pytest.param({"id": 0}, "'id'", id="id-zero"),
        pytest.param({"athlete": {"id": -1}}, "'athlete.id'", id="negative-athlete"),
        pytest.param({"start_date": "0001-01-01T00:00:00+02:00"}, "start_date", id="before-year-1"),
        pytest.param({"start_date": "9999-12-31T23:59:59-02:00"}, "start_date", id="after-year-9999"),
    ],
)
def test_row_that_cannot_stand_is_refused_by_the_name_of_its_field(
    make_activity: Callable[..., Activity], changes: dict[str, Any], field: str
) -> None:
    activity = make_activity(**changes)
    with pytest.raises(UnexpectedShape, match=field):
        build_rows(activity, None, made={}, source="webhook", updated_at_epoch_s=0)


def test_rows_show_no_title_and_no_place_in_a_log(make_rows: MakeRows) -> None:
    rows = make_rows(name="Home from the office")
    shown = f"athlete_id={rows.athlete_id}, activity_id={rows.activity_id}, start_at={rows.start_at!r}"
    assert repr(rows) == f"ActivityRows({shown})"
