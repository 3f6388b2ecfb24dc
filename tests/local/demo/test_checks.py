"""The demo's comparison finds what differs: a check that cannot fail would be worth nothing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.lake.rows.synced import build_rows
from include.lake.schemas import ACTIVITIES
from include.strava.models import Activity, StreamSet
from local.demo.checks import copy_holds, copy_row_holds, lake_holds
from local.demo.row_truth import OWN, expected_row
from local.strava_simulator.recordings.generator import Kind, generate
from local.strava_simulator.world.activities import summary

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def finished(kind=Kind.RIDE, **values):
    return generate(kind, seed=3, activity_id=9_000_000_001, athlete_id=7, start_at=START, points=30, **values)


def stored(truth):
    """What the lake would hold: the rows of `streams`, the row of `activities`."""
    import json

    streams = None if truth.streams is None else StreamSet.parse(json.dumps(truth.streams).encode())
    rows = build_rows(Activity.parse(truth.detail), streams, made={}, source="webhook", updated_at_epoch_s=0.0)
    return rows.streams.to_pylist(), rows.activity.to_pylist()[0]


@pytest.mark.parametrize("kind", list(Kind))
def test_lake_that_holds_everything_passes(kind):
    truth = finished(kind)
    check = lake_holds(truth, *stored(truth))
    assert (check.holds, check.differences) == (True, ())
    assert check.compared >= 5


def break_value(rows, row):
    rows[4]["watts"] = 1 if rows[4]["watts"] != 1 else 2


def break_position(rows, row):
    rows[29]["lat"] += 1e-6


def lose_point(rows, row):
    rows.pop()


def repeat_point(rows, row):
    rows.append(rows[-1])


def swap_points(rows, row):
    rows[3], rows[4] = rows[4], rows[3]


def break_title(rows, row):
    row["name"] = "another"


def test_every_column_of_the_row_is_compared():
    truth = replace(finished(), streams=None)
    expected = expected_row(truth, None, has_detail=True)

    assert set(expected) | OWN == set(ACTIVITIES.names)
    assert lake_holds(truth, [], stored(truth)[1] | {"athlete_id": 7, "year": START.year}).compared == len(expected)


@pytest.mark.parametrize("column", [name for name in ACTIVITIES.names if name not in OWN])
def test_row_with_one_wrong_column_is_found_out(column):
    truth = finished()
    rows, row = stored(truth)
    row[column] = "another" if row[column] is None else None
    assert [text.partition(":")[0] for text in lake_holds(truth, rows, row).differences] == [column]


def test_row_of_a_list_is_compared_with_what_a_list_shows():
    truth = finished()
    listed = replace(truth, detail=summary(truth.detail))
    rows, row = stored(listed)
    assert lake_holds(truth, rows, row).holds
    assert not lake_holds(truth, rows, {**row, "kudos_count": 1_000}).holds


def test_copy_that_does_not_name_its_original_is_found_out():
    truth = finished()
    rows, row = stored(truth)
    assert lake_holds(truth, rows, {**row, "is_copy": True, "parent_activity_id": 5}, 5).holds
    assert not lake_holds(truth, rows, row, 5).holds


@pytest.mark.parametrize("damage", [break_value, break_position, lose_point, repeat_point, swap_points, break_title])
def test_lake_with_one_difference_is_found_out(damage):
    truth = finished()
    rows, row = stored(truth)
    damage(rows, row)
    check = lake_holds(truth, rows, row)
    assert not check.holds
    assert len(check.differences) >= 1


def test_activity_that_is_missing_in_the_lake_is_found_out():
    assert "no row in activities" in lake_holds(finished(), [], None).differences


def copied(truth, **detail):
    streams = {name: stream for name, stream in truth.streams.items() if name not in ("moving", "grade_smooth")}
    return replace(truth, detail={**truth.detail, "id": 5, **detail}, streams=deepcopy(streams))


def test_copy_that_equals_the_original_passes():
    truth = finished()
    assert copy_holds(truth, copied(truth)).holds


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("heartrate", 1, id="heart rate"),
        pytest.param("latlng", [1.0, 2.0], id="position"),
        pytest.param("time", 10_000, id="time"),
        pytest.param("watts", None, id="lost value"),
    ],
)
def test_copy_with_one_different_value_is_found_out(name, value):
    truth = finished()
    copy = copied(truth)
    copy.streams[name]["data"][7] = value
    assert not copy_holds(truth, copy).holds


def test_copy_of_another_sport_or_length_is_found_out():
    truth = finished()
    assert not copy_holds(truth, copied(truth, sport_type="Run")).holds
    shorter = copied(truth)
    shorter.streams["time"]["data"].pop()
    assert not copy_holds(truth, shorter).holds


def told(truth, copy, **changes):
    """What the lake would say of the copy."""
    return {
        "parent_id": truth.athlete_id,
        "child_id": copy.athlete_id,
        "state": "done",
        "child_activity_id": copy.activity_id,
        "file_format": "gpx",
        "points": 30,
        "activity_start_ts": START.replace(tzinfo=None),
        **changes,
    }


def test_row_that_tells_the_copy_as_it_is_passes():
    truth = finished()
    assert copy_row_holds(truth, copied(truth), told(truth, copied(truth))).holds


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": "processing"}, id="state"),
        pytest.param({"child_activity_id": None}, id="child's activity"),
        pytest.param({"child_id": 1}, id="child"),
        pytest.param({"points": 29}, id="points"),
        pytest.param({"file_format": "tcx"}, id="format"),
    ],
)
def test_row_that_tells_one_thing_wrong_about_a_copy_is_found_out(changes):
    truth = finished()
    assert not copy_row_holds(truth, copied(truth), told(truth, copied(truth), **changes)).holds


def test_copy_without_a_row_is_found_out():
    truth = finished()
    assert copy_row_holds(truth, copied(truth), None).differences == ("no row in copies",)
