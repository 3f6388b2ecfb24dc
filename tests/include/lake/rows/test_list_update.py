"""A stored row follows the list where it may, and tells where it may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.lake.rows.list_update import is_corrected, row_from_list
from include.lake.rows.synced import ActivityRows
from include.strava.models import Activity


@pytest.fixture
def stored(make_rows: Callable[..., ActivityRows]) -> Callable[..., dict[str, Any]]:
    """The row of an activity, as the lake holds it."""

    def stored(**changes: Any) -> dict[str, Any]:
        measures = {"total_elevation_gain": 80.0, "elev_high": 120.0, "elev_low": 40.0}
        row: dict[str, Any] = make_rows(**measures | changes).activity.to_pylist()[0]
        return row

    return stored


def listed(**fields: Any) -> Activity:
    """A row of the list with the fields that every one has, and these."""
    answer = {"id": 1, "athlete": {"id": 7}, "start_date": "2024-03-31T22:30:00Z", "resource_state": 2}
    return Activity.parse(answer | fields)


def test_row_has_every_value_of_the_list_and_all_others_as_they_were(stored: Any) -> None:
    before = stored(snow_depth=3)
    after = row_from_list(
        before,
        listed(kudos_count=9, name="Another title", end_latlng=[1.5, 2.5], map={"summary_polyline": "new"}),
        1_717_200_000.5,
    )
    assert after == before | {
        "kudos_count": 9,
        "end_lat": 1.5,
        "end_lon": 2.5,
        "summary_polyline": "new",
        "source": "reconcile",
        "updated_at": datetime(2024, 6, 1, 0, 0, 0, 500_000, tzinfo=UTC),
    }
    assert before["kudos_count"] == 3, "the stored row itself stays as it is"


def test_position_and_track_go_when_the_athlete_hides_them(stored: Any) -> None:
    after = row_from_list(stored(), listed(start_latlng=[], end_latlng=None, map={"summary_polyline": ""}), 1.0)
    names = ("start_lat", "start_lon", "end_lat", "end_lon", "summary_polyline")
    assert after is not None
    assert [after[name] for name in names] == [None] * 5


def test_extra_json_keeps_what_the_list_does_not_show_and_takes_what_it_shows(stored: Any) -> None:
    before = stored(kudos_count="many", gear_id=5, snow_depth=3)
    assert before["extra_json"] == '{"gear_id":5,"kudos_count":"many","snow_depth":3}'
    after = row_from_list(before, listed(kudos_count=4, gear_id=6, snow_depth=9), 1.0)
    assert after is not None
    assert after["extra_json"] == '{"gear_id":6,"snow_depth":3}'


def test_extra_json_is_null_when_the_last_odd_value_goes(stored: Any) -> None:
    after = row_from_list(stored(kudos_count="many"), listed(kudos_count=4), 1.0)
    assert after is not None
    assert (after["kudos_count"], after["extra_json"]) == (4, None)


MEASURES = {"moving_time": 4, "total_elevation_gain": 80.0, "elev_high": 120.0, "elev_low": 40.0}


@pytest.mark.parametrize(
    ("changes", "corrected"),
    [
        pytest.param({}, False, id="the-same"),
        pytest.param({"elev_high": 120.04}, False, id="less-than-a-tenth"),
        pytest.param({"elev_high": 120.06}, True, id="a-tenth"),
        pytest.param({"elev_low": 39.9}, True, id="lowest-altitude"),
        pytest.param({"total_elevation_gain": 80.1}, True, id="climb"),
        pytest.param({"moving_time": 5}, True, id="moving-time"),
        pytest.param({"elev_high": None}, True, id="no-altitude-any-more"),
        pytest.param({"distance": 13.0, "name": "Another title"}, False, id="other-fields"),
    ],
)
def test_recording_is_corrected_when_a_measure_of_it_differs(
    stored: Any, changes: dict[str, Any], corrected: bool
) -> None:
    assert is_corrected(stored(), listed(**MEASURES | changes)) is corrected


def test_recording_without_altitudes_is_not_corrected_by_a_list_without_them(stored: Any) -> None:
    without = {"elev_high": None, "elev_low": None, "total_elevation_gain": None}
    assert is_corrected(stored(**without), listed(**MEASURES | without)) is False
