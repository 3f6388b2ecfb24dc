"""The demo's comparison finds what differs: a check that cannot fail would be worth nothing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.lake.rows import build_rows
from include.strava.models import Activity, StreamSet
from local.demo.checks import copy_holds, lake_holds
from local.strava_simulator.generator import Kind, generate

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def finished(kind=Kind.RIDE, **values):
    return generate(kind, seed=3, activity_id=9_000_000_001, athlete_id=7, start_at=START, points=30, **values)


def stored(truth):
    """What the lake would hold: the rows of `streams`, the row of `activities`."""
    import json

    streams = None if truth.streams is None else StreamSet.parse(json.dumps(truth.streams).encode())
    rows = build_rows(Activity.parse(truth.detail), streams, source="webhook", updated_at_epoch_s=0.0)
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
