"""Which changes of an activity make it be fetched again, and which do not."""

from __future__ import annotations

from typing import Any

import pytest

from include.pipeline.ingest.fingerprint import Fingerprint, in_old_format, is_old_format, matches
from include.strava.models import Activity

ROW = {
    "id": 1,
    "athlete": {"id": 7},
    "name": "Morning Run",
    "sport_type": "Run",
    "start_date": "2026-06-17T10:00:00Z",
    "elapsed_time": 60,
    "distance": 250.0,
    "visibility": "everyone",
    "upload_id": 5,
    "moving_time": 50,
    "total_elevation_gain": 3.0,
    "elev_high": 40.0,
    "elev_low": 38.0,
}


def activity(**fields: Any) -> Activity:
    return Activity.parse(ROW | fields)


def changed(**fields: Any) -> set[str]:
    """The parts of the fingerprint that differ when these fields do."""
    before, after = Fingerprint.of(activity()), Fingerprint.of(activity(**fields))
    return {part for part in ("track", "metadata") if getattr(before, part) != getattr(after, part)}


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        pytest.param({"start_date": "2026-06-17T10:00:01Z"}, {"track"}, id="start"),
        pytest.param({"elapsed_time": 61}, {"track"}, id="elapsed time"),
        pytest.param({"distance": 250.1}, {"track"}, id="distance"),
        pytest.param({"upload_id": 6}, {"track"}, id="another upload"),
        pytest.param({"manual": True}, {"track"}, id="made by hand"),
        pytest.param({"moving_time": 51}, {"track"}, id="moving time"),
        pytest.param({"total_elevation_gain": 3.1}, {"track"}, id="climb"),
        pytest.param({"elev_high": 40.1}, {"track"}, id="highest altitude"),
        pytest.param({"elev_low": None}, {"track"}, id="lowest altitude gone"),
        pytest.param({"name": "Run with Rex"}, {"metadata"}, id="title"),
        pytest.param({"sport_type": "Walk"}, {"metadata"}, id="sport"),
        pytest.param({"visibility": "only_me"}, {"metadata"}, id="visibility"),
    ],
)
def test_fingerprint_changes_in_the_part_that_the_field_belongs_to(fields: dict[str, Any], parts: set[str]) -> None:
    assert changed(**fields) == parts


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"resource_state": 3, "calories": 9}, id="a detail's own fields"),
        pytest.param({"kudos_count": 9}, id="kudos"),
        pytest.param({"gear_id": "b1"}, id="gear"),
        pytest.param({"distance": 250.04}, id="centimetres of distance"),
        pytest.param({"elev_high": 40.04}, id="centimetres of altitude"),
        pytest.param({"total_elevation_gain": 3}, id="a whole number for a fraction"),
    ],
)
def test_fingerprint_stays_when_nothing_changed_that_is_fetched_for(fields: dict[str, Any]) -> None:
    assert changed(**fields) == set()


@pytest.mark.parametrize("odd", ["3.0", True, 1, 10**400, -(10**400), 1e12, -1e12, [1], {}], ids=str)
def test_odd_measure_is_a_change_like_any_other(odd: Any) -> None:
    assert changed(elev_high=odd) == {"track"}


def test_flag_for_a_measure_is_no_number() -> None:
    flag, number = (Fingerprint.of(activity(elev_high=value)) for value in (True, 1.0))
    assert flag != number


def test_fingerprint_of_a_stored_activity_stays_so_that_no_update_fetches_everything_again() -> None:
    assert str(Fingerprint.of(activity())) == "2.f6a35fb5e24bf260.162ceeee3558899b"
    assert in_old_format(activity()) == "5db9948f3c0992f0.c7e60752f88b534c"


def test_fingerprint_is_read_as_it_was_written() -> None:
    fingerprint = Fingerprint.of(activity())
    assert Fingerprint.parse(str(fingerprint)) == fingerprint


@pytest.mark.parametrize("text", ["", in_old_format(activity())], ids=["none", "older version"])
def test_fingerprint_that_is_not_of_today_equals_no_activitys(text: str) -> None:
    assert Fingerprint.parse(text) == Fingerprint(track="", metadata="")


def test_activity_matches_its_own_fingerprint_of_either_version_only() -> None:
    today, older = str(Fingerprint.of(activity())), in_old_format(activity())

    assert [matches(activity(), text) for text in (today, older, "")] == [True, True, False]
    assert [matches(activity(name="Another"), text) for text in (today, older)] == [False, False]
    assert [is_old_format(text) for text in (today, older, "")] == [False, True, False]


@pytest.mark.parametrize(
    ("fields", "differs"),
    [
        pytest.param({"gear_id": "b1"}, True, id="gear"),
        pytest.param({"elapsed_time": 61}, True, id="recording"),
        pytest.param({"elev_high": 50.0}, False, id="altitude, which older versions did not cover"),
    ],
)
def test_fingerprint_of_an_older_version_covers_what_it_covered(fields: dict[str, Any], differs: bool) -> None:
    assert (in_old_format(activity(**fields)) != in_old_format(activity())) is differs
