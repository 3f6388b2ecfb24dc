from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lake.rows.activities import Provenance, activity_table
from include.lake.schemas import ACTIVITIES
from include.strava.models import Activity, StreamSet
from include.strava.start_time import start_time_hidden

MakeActivity = Callable[..., Activity]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=3), values, max_size=3),
    max_leaves=5,
)


def row_of(activity: Activity, streams: StreamSet | None = None, **provenance: Any) -> dict[str, Any]:
    table = activity_table(
        activity,
        streams,
        point_count=streams.length if streams else 0,
        provenance=Provenance(**{"source": "webhook", "updated_at_epoch_s": 1.5} | provenance),
    )
    assert table.schema.equals(ACTIVITIES, check_metadata=True)
    (row,) = table.to_pylist()
    assert isinstance(row, dict)
    return row


def test_fields_of_the_answer_are_in_their_columns(
    make_activity: MakeActivity, make_streams: Callable[..., StreamSet]
) -> None:
    row = row_of(make_activity(), make_streams())
    expected = {
        "activity_id": 2**53 + 3,
        "name": "Morning run with Rex",
        "description": "through the park",
        "sport_type": "TrailRun",
        "type": "Run",
        "start_ts_utc": datetime(2024, 3, 31, 22, 30, tzinfo=UTC),
        "start_ts_local": datetime(2024, 4, 1, 0, 30),  # noqa: DTZ001 - a wall clock has no zone
        "timezone": "Europe/Amsterdam",
        "utc_offset_s": 7200,
        "start_time_hidden": False,
        "elapsed_s": 5,
        "moving_s": 4,
        "distance_m": 12.5,
        "start_lat": 52.1,
        "end_lon": 4.6,
        "summary_polyline": "_p~iF~ps|U",
        "calories_kcal": 310.5,
        "upload_id": 17265595469,
        "kudos_count": 3,
        "point_count": 3,
        "has_detail": True,
        "is_copy": False,
        "parent_activity_id": None,
        "extra_json": None,
        "source": "webhook",
        "updated_at": datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=UTC),
    }
    assert {name: row[name] for name in expected} == expected
    assert row["stream_types"] == sorted(make_streams().channels)


def test_copy_names_the_activity_that_it_was_made_from(make_activity: MakeActivity) -> None:
    row = row_of(make_activity(), parent_activity_id=99)
    assert (row["is_copy"], row["parent_activity_id"]) == (True, 99)


def test_activity_without_streams_says_so(make_activity: MakeActivity) -> None:
    row = row_of(make_activity(manual=True))
    assert (row["point_count"], row["stream_types"]) == (0, [])


def test_unknown_fields_are_kept_in_extra_json(make_activity: MakeActivity) -> None:
    row = row_of(make_activity(snow_depth=[1, {"cm": 2}], perceived_exertion=None, available_zones=[]))
    assert json.loads(row["extra_json"]) == {"snow_depth": [1, {"cm": 2}]}


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        pytest.param("kudos_count", 2**31, "kudos_count", id="above-int32"),
        pytest.param("upload_id", 123456789012345678901, "upload_id", id="21-digit-id"),
        pytest.param("average_watts", "many", "average_watts", id="text-in-a-number"),
        pytest.param("moving_time", [4], "moving_s", id="list-in-a-number"),
        pytest.param("flagged", "false", "flagged", id="text-in-a-flag"),
        pytest.param("gear_id", 5, "gear_id", id="number-in-text"),
        pytest.param("start_date_local", "some day", "start_ts_local", id="no-date"),
        pytest.param("start_latlng", [91.0, 4.5], "start_lat", id="beyond-the-pole"),
        pytest.param("end_latlng", "here", "end_lon", id="text-as-position"),
        pytest.param("start_latlng", [None, 4.5], "start_lon", id="half-a-position"),
        pytest.param("end_latlng", [52.1, 180.1], "end_lat", id="beyond-the-date-line"),
        pytest.param("end_latlng", [52.1, 4.5, 0.0], "end_lat", id="three-numbers"),
        pytest.param("sport_type", 7, "sport_type", id="number-as-sport"),
        pytest.param("visibility", 7, "visibility", id="number-as-visibility"),
        pytest.param("timezone", 1, "timezone", id="number-as-zone"),
        pytest.param("name", "\ud800", "name", id="lone-surrogate"),
    ],
)
def test_value_that_does_not_fit_is_null_and_kept_in_extra_json(
    make_activity: MakeActivity, field: str, value: Any, column: str
) -> None:
    row = row_of(make_activity(**{field: value}))
    assert row[column] is None
    assert json.loads(row["extra_json"]) == {field: value}


@pytest.mark.parametrize("latlng", [[90.0, 180.0], [-90.0, -180.0], [0.0, 4.5], [52.1, 0.0]])
def test_position_at_the_edge_of_the_map_is_one(make_activity: MakeActivity, latlng: list[float]) -> None:
    row = row_of(make_activity(start_latlng=latlng, end_latlng=latlng))
    assert [row["start_lat"], row["start_lon"]] == [row["end_lat"], row["end_lon"]] == latlng
    assert row["extra_json"] is None


@pytest.mark.parametrize(
    ("fields", "sport_type", "visibility"),
    [
        pytest.param({"type": "Run", "private": True}, "Run", "only_me", id="private-run"),
        pytest.param({"type": "Run", "private": False}, "Run", "everyone", id="public-run"),
        pytest.param({"type": None, "private": None}, "Workout", "everyone", id="silent"),
        pytest.param(
            {"type": "Run", "private": True, "sport_type": "TrailRun", "visibility": "followers_only"},
            "TrailRun",
            "followers_only",
            id="said-in-both-ways",
        ),
    ],
)
def test_older_fields_tell_sport_and_visibility_where_the_present_ones_are_missing(
    make_activity: MakeActivity, fields: dict[str, Any], sport_type: str, visibility: str
) -> None:
    row = row_of(make_activity(**{"sport_type": None, "visibility": None} | fields))
    assert (row["sport_type"], row["visibility"], row["extra_json"]) == (sport_type, visibility, None)


def test_extra_json_is_the_same_text_in_whatever_order_an_answer_has_its_fields(make_activity: MakeActivity) -> None:
    first = row_of(make_activity(new={"b": 1, "a": [1, 2]}, another="x"))
    second = row_of(make_activity(another="x", new={"a": [1, 2], "b": 1}))
    assert first["extra_json"] == second["extra_json"] == '{"another":"x","new":{"a":[1,2],"b":1}}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_extra_json_is_strict_json_when_a_number_is_not(make_activity: MakeActivity, value: float) -> None:
    row = row_of(make_activity(average_speed=value, new_field=[value]))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert row["average_speed_mps"] is None
    extra = json.loads(row["extra_json"], parse_constant=refuse)
    assert set(extra) == {"average_speed", "new_field"}


@pytest.mark.parametrize(
    "latlng", [pytest.param(None, id="null"), pytest.param([], id="empty"), pytest.param([0.0, 0.0], id="zero-zero")]
)
def test_absent_position_is_null_and_nothing_extra(make_activity: MakeActivity, latlng: Any) -> None:
    row = row_of(make_activity(start_latlng=latlng))
    assert (row["start_lat"], row["start_lon"], row["extra_json"]) == (None, None, None)


@pytest.mark.parametrize("answered", [None, {}, "x", {"summary_polyline": ""}, {"summary_polyline": 5}])
def test_polyline_is_null_when_there_is_none(make_activity: MakeActivity, answered: Any) -> None:
    assert row_of(make_activity(map=answered))["summary_polyline"] is None


def test_access_to_a_private_page_is_not_kept(make_activity: MakeActivity) -> None:
    row = row_of(make_activity(embed_token="opens-the-page"))
    assert "opens-the-page" not in str(row)


@pytest.mark.parametrize(
    ("changes", "hidden"),
    [
        pytest.param({}, False, id="shown"),
        pytest.param({"start_date": "2024-04-01T00:00:01Z"}, True, id="in-utc"),
        pytest.param({"start_date_local": "2024-04-01T00:00:01Z"}, True, id="on-the-wall-clock"),
        pytest.param({"start_date": "2024-04-01T00:00:00Z"}, False, id="midnight"),
        pytest.param({"start_date": "2024-04-01T10:00:01Z"}, False, id="one-second-past-an-hour"),
        pytest.param({"start_date_local": None}, False, id="no-wall-clock"),
    ],
)
def test_start_is_hidden_when_it_reads_one_second_past_midnight(
    make_activity: MakeActivity, changes: dict[str, Any], hidden: bool
) -> None:
    assert start_time_hidden(make_activity(**changes)) is hidden
    assert row_of(make_activity(**changes))["start_time_hidden"] is hidden


FIELDS = (
    *("name", "sport_type", "type", "start_date_local", "timezone", "utc_offset", "moving_time", "average_watts"),
    *("start_latlng", "end_latlng", "map", "laps", "gear", "upload_id", "external_id", "visibility", "private", "new"),
)


@given(fields=st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_any_answer_becomes_a_row(fields: dict[str, Any]) -> None:
    known = {"id": 1, "athlete": {"id": 2}, "start_date": "2024-05-01T00:00:00Z"}
    row_of(Activity.parse(fields | known))


@pytest.mark.parametrize(
    "path",
    [
        "dblock-strava-ruby-client/client/athlete_activities.json",
        "dblock-strava-ruby-client/client/create_activity.json",
        "strava-go.strava/activity_get.json",
        "sweatpy/activity.json",
        "tudormobile-Strava/activities.json",
    ],
)
def test_recorded_answers_fit_their_columns(recorded: Path, path: str) -> None:
    answer = json.loads((recorded / path).read_text())
    answers = answer["response"]["body"] if isinstance(answer, dict) else answer
    for fields in answers if isinstance(answers, list) else [answers]:
        row = row_of(Activity.parse(fields))
        assert row["name"] == fields["name"]
        assert row["distance_m"] == fields["distance"]
        extra = json.loads(row["extra_json"] or "{}")
        assert not {"distance", "start_latlng", "timezone", "kudos_count", "average_speed", "max_watts"} & set(extra)
