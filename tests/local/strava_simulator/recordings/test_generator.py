"""Invented activities obey the rules that real ones obey, for any kind, seed and length."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.strava_simulator.recordings.generator import MAX_POINTS, Kind, default_name, generate
from local.strava_simulator.world.activity import SimulatedActivity

Make = Callable[..., SimulatedActivity]

RECORDED_KINDS = [Kind.RUN, Kind.RIDE, Kind.TRAIL_RUN, Kind.INDOOR_RIDE, Kind.VIRTUAL_RIDE]
ALL_STREAMS = {
    "time", "distance", "latlng", "altitude", "velocity_smooth", "heartrate", "cadence", "watts", "temp", "moving",
    "grade_smooth",
}  # fmt: skip
STREAM_TYPES = {
    "time": int, "distance": float, "latlng": list, "altitude": float, "velocity_smooth": float, "heartrate": int,
    "cadence": int, "watts": int, "temp": int, "moving": bool, "grade_smooth": float,
}  # fmt: skip

activities = st.builds(
    generate,
    st.sampled_from(list(Kind)),
    seed=st.integers(0, 2**40),
    activity_id=st.integers(1, 2**53),
    athlete_id=st.integers(1, 2**53),
    start_at=st.integers(1_262_304_000, 1_893_456_000).map(lambda epoch_s: datetime.fromtimestamp(epoch_s, UTC)),
    points=st.one_of(st.integers(1, 30), st.integers(31, 1500)),
)
recorded_activities = activities.filter(lambda activity: activity.streams is not None)


def data(activity: SimulatedActivity, stream: str) -> list[Any]:
    assert activity.streams is not None
    return list(activity.streams[stream]["data"])


def known(samples: list[Any]) -> list[Any]:
    return [sample for sample in samples if sample is not None]


@given(recorded_activities)
@settings(max_examples=60, deadline=None)
def test_streams_obey_strava_s_rules_for_any_seed(activity: SimulatedActivity) -> None:
    assert activity.streams is not None
    time = data(activity, "time")
    lengths = {len(stream["data"]) for stream in activity.streams.values()}
    assert lengths == {len(time)}
    assert {stream["original_size"] for stream in activity.streams.values()} == {len(time)}
    assert time[0] == 0
    assert time[-1] == activity.detail["elapsed_time"]
    steps = [after - before for before, after in pairwise(time)]
    assert all(step >= 1 for step in steps)
    assert sum(step > 1 for step in steps) <= 1
    distances = data(activity, "distance")
    assert distances[0] == 0.0
    assert all(before <= after for before, after in pairwise(distances))
    assert distances[-1] == activity.detail["distance"]


@given(recorded_activities)
@settings(max_examples=40, deadline=None)
def test_samples_have_strava_s_types_and_precision_for_any_seed(activity: SimulatedActivity) -> None:
    assert activity.streams is not None
    for name in activity.streams:
        samples = data(activity, name)
        assert {type(sample) for sample in known(samples)} <= {STREAM_TYPES[name]}, name
    for lat, lng in data(activity, "latlng") if "latlng" in activity.streams else []:
        assert -90 <= lat <= 90
        assert -180 <= lng <= 180
        assert (round(lat, 6), round(lng, 6)) == (lat, lng)
    for name in {"altitude", "distance"} & set(activity.streams):
        assert all(round(sample, 1) == sample for sample in data(activity, name))
    assert all(30 < beat < 220 for beat in known(data(activity, "heartrate")))
    assert all(0 <= turns < 130 for turns in data(activity, "cadence"))


@given(activities)
@settings(max_examples=60, deadline=None)
def test_detail_agrees_with_its_streams_for_any_seed(activity: SimulatedActivity) -> None:
    detail = activity.detail
    assert 0 <= detail["moving_time"] <= detail["elapsed_time"]
    assert detail["resource_state"] == 3
    assert json.loads(json.dumps(detail, allow_nan=False)) == detail
    if activity.streams is None:
        return
    for stream, average, digits in (
        ("heartrate", "average_heartrate", 1),
        ("cadence", "average_cadence", 1),
        ("watts", "average_watts", 1),
    ):
        if stream in activity.streams:
            samples = known(data(activity, stream))
            assert detail[average] == pytest.approx(sum(samples) / len(samples), abs=0.51 * 10**-digits)
    assert detail["max_heartrate"] == max(known(data(activity, "heartrate")))
    assert detail["max_speed"] == max(data(activity, "velocity_smooth"))
    if detail["moving_time"]:
        assert detail["average_speed"] == pytest.approx(detail["distance"] / detail["moving_time"], abs=0.001)


@given(recorded_activities)
@settings(max_examples=40, deadline=None)
def test_laps_add_up_to_the_activity_for_any_seed(activity: SimulatedActivity) -> None:
    laps = activity.detail["laps"]
    assert sum(lap["elapsed_time"] for lap in laps) == activity.detail["elapsed_time"]
    assert sum(lap["moving_time"] for lap in laps) == activity.detail["moving_time"]
    assert sum(lap["distance"] for lap in laps) == pytest.approx(activity.detail["distance"], abs=0.001)
    owned = [index for lap in laps for index in range(lap["start_index"], lap["end_index"] + 1)]
    assert owned == list(range(len(data(activity, "time"))))


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind) for kind in Kind])
def test_generate_answers_the_same_for_the_same_seed(kind: Kind, make: Make) -> None:
    assert make(kind, seed=7, points=50) == make(kind, seed=7, points=50)


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind) for kind in RECORDED_KINDS])
def test_generate_answers_other_streams_for_another_seed(kind: Kind, make: Make) -> None:
    assert make(kind, seed=7, points=50).streams != make(kind, seed=8, points=50).streams


def test_ids_change_no_sample(make: Make) -> None:
    assert make(Kind.RIDE, activity_id=1, athlete_id=2).streams == make(Kind.RIDE, activity_id=3, athlete_id=4).streams


@pytest.mark.parametrize(
    "points", [pytest.param(1, id="one"), pytest.param(2, id="two"), pytest.param(MAX_POINTS, id="most")]
)
@pytest.mark.parametrize("kind", [pytest.param(Kind.RIDE, id="ride"), pytest.param(Kind.TRAIL_RUN, id="trail-run")])
def test_generate_answers_as_many_points_as_asked(kind: Kind, points: int, make: Make) -> None:
    activity = make(kind, points=points)
    assert len(data(activity, "time")) == points


def test_generate_chooses_a_usual_length_when_none_is_given(make: Make) -> None:
    assert 1500 <= len(data(make(Kind.RUN), "time")) <= 4200


@pytest.mark.parametrize("points", [pytest.param(0, id="none"), pytest.param(MAX_POINTS + 1, id="too-many")])
def test_generate_refuses_points_out_of_range(points: int, make: Make) -> None:
    with pytest.raises(ValueError, match=f"points is {points}"):
        make(Kind.RUN, points=points)


def test_generate_refuses_a_start_without_time_zone(make: Make) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        make(Kind.RUN, start_at=datetime(2026, 7, 3, 6, 30, tzinfo=UTC).replace(tzinfo=None))


def test_ride_has_all_eleven_streams_and_power(make: Make) -> None:
    activity = make(Kind.RIDE, points=600)
    assert set(activity.streams or {}) == ALL_STREAMS
    assert activity.detail["device_watts"] is True
    assert activity.detail["max_watts"] > activity.detail["average_watts"] > 0
    assert activity.detail["weighted_average_watts"] > 0


def test_run_has_one_leg_cadence_and_no_power(make: Make) -> None:
    activity = make(Kind.RUN, points=600)
    assert set(activity.streams or {}) == ALL_STREAMS - {"watts"}
    assert 75 <= activity.detail["average_cadence"] <= 95
    assert "average_watts" not in activity.detail


def test_trail_run_has_a_pause_that_is_no_moving_time(make: Make) -> None:
    activity = make(Kind.TRAIL_RUN, points=600)
    time = data(activity, "time")
    gap = max(after - before for before, after in pairwise(time))
    assert gap >= 120
    assert activity.detail["elapsed_time"] - activity.detail["moving_time"] >= gap
    assert (activity.detail["sport_type"], activity.detail["type"]) == ("TrailRun", "Run")


def test_indoor_ride_has_sensors_and_no_position(make: Make) -> None:
    activity = make(Kind.INDOOR_RIDE, points=300)
    assert {"heartrate", "watts", "cadence", "distance"} <= set(activity.streams or {})
    assert not {"latlng", "altitude", "grade_smooth"} & set(activity.streams or {})
    assert activity.detail["trainer"] is True
    assert activity.detail["start_latlng"] == activity.detail["end_latlng"] == []
    assert activity.detail["map"]["polyline"] == activity.detail["map"]["summary_polyline"] == ""


def test_treadmill_was_uploaded_and_has_no_streams(make: Make) -> None:
    activity = make(Kind.TREADMILL)
    assert activity.streams is None
    assert activity.detail["manual"] is False
    assert activity.detail["upload_id_str"] == str(activity.detail["upload_id"])
    assert activity.detail["start_latlng"] == []
    assert activity.detail["distance"] > 1000


def test_swim_was_typed_in_by_hand(make: Make) -> None:
    detail = make(Kind.SWIM).detail
    assert make(Kind.SWIM).streams is None
    assert detail["manual"] is True
    assert detail["upload_id"] is detail["external_id"] is None
    assert "upload_id_str" not in detail
    assert "device_name" not in detail
    assert detail["start_latlng"] == []
    assert detail["distance"] % 25 == 0


def test_virtual_ride_has_coordinates_and_is_no_trainer(make: Make) -> None:
    activity = make(Kind.VIRTUAL_RIDE, points=300)
    assert activity.detail["start_latlng"] == data(activity, "latlng")[0]
    assert activity.detail["trainer"] is False
    assert activity.detail["device_name"] == "Zwift"
    assert activity.detail["external_id"].startswith("zwift-activity-")
    assert activity.detail["sport_type"] == activity.detail["type"] == "VirtualRide"


def test_a_few_rides_lose_their_last_watts_and_most_lose_nothing(make: Make) -> None:
    rides = [data(make(Kind.RIDE, seed=seed, points=200), "watts") for seed in range(40)]
    holed = [watts for watts in rides if None in watts]
    assert 2 <= len(holed) <= 20
    for watts in holed:
        assert watts[-1] is None
        assert None not in watts[: watts.index(None)]
        assert watts[watts.index(None) :] == [None] * (200 - watts.index(None))


def test_ride_stops_at_traffic_lights(make: Make) -> None:
    activity = make(Kind.RIDE, points=3000)
    stopped = [index for index, speed in enumerate(data(activity, "velocity_smooth")) if speed == 0.0]
    assert stopped
    assert not any(data(activity, "moving")[index] for index in stopped)
    assert not any(data(activity, "cadence")[index] for index in stopped)
    assert activity.detail["moving_time"] < activity.detail["elapsed_time"]


@pytest.mark.parametrize(
    ("start_at", "local", "offset_s"),
    [
        pytest.param(datetime(2026, 7, 3, 6, 30, tzinfo=UTC), "2026-07-03T08:30:00Z", 7200.0, id="summer"),
        pytest.param(datetime(2026, 1, 3, 23, 30, tzinfo=UTC), "2026-01-04T00:30:00Z", 3600.0, id="winter"),
        pytest.param(
            datetime(2026, 7, 3, 6, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=-4))),
            "2026-07-03T12:30:00Z",
            7200.0,
            id="other-zone-and-fraction",
        ),
    ],
)
def test_start_is_told_in_utc_and_as_berlin_s_wall_clock(
    start_at: datetime, local: str, offset_s: float, make: Make
) -> None:
    detail = make(Kind.RUN, start_at=start_at, points=2).detail
    assert detail["start_date"] == f"{start_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert detail["start_date_local"] == local
    assert detail["utc_offset"] == offset_s
    assert detail["timezone"] == "(GMT+01:00) Europe/Berlin"


@pytest.mark.parametrize(
    ("hour_utc", "name"),
    [
        pytest.param(1, "Night Run", id="before-four"),
        pytest.param(2, "Morning Run", id="four"),
        pytest.param(8, "Morning Run", id="ten"),
        pytest.param(9, "Lunch Run", id="eleven"),
        pytest.param(12, "Afternoon Run", id="two"),
        pytest.param(15, "Evening Run", id="five"),
        pytest.param(19, "Night Run", id="nine"),
    ],
)
def test_default_name_follows_the_athlete_s_wall_clock(hour_utc: int, name: str) -> None:
    assert default_name(Kind.RUN, datetime(2026, 7, 3, hour_utc, tzinfo=UTC)) == name


def test_name_is_the_given_one_even_if_empty(make: Make) -> None:
    assert make(Kind.RUN, name="With Rex", points=2).detail["name"] == "With Rex"
    assert make(Kind.RUN, name="", points=2).detail["name"] == ""
    assert make(Kind.VIRTUAL_RIDE, points=2).detail["name"] == "Morning Virtual Ride"


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind) for kind in Kind])
def test_detail_has_every_field_that_a_recorded_detail_always_has(kind: Kind, make: Make) -> None:
    always = {
        "id", "name", "description", "athlete", "type", "sport_type", "workout_type", "distance", "moving_time",
        "elapsed_time", "total_elevation_gain", "start_date", "start_date_local", "timezone", "utc_offset",
        "start_latlng", "end_latlng", "map", "trainer", "commute", "manual", "private", "visibility", "flagged",
        "gear_id", "external_id", "upload_id", "has_heartrate", "calories", "hide_from_home", "stats_visibility",
        "available_zones", "from_accepted_tag", "kudos_count", "comment_count", "achievement_count", "athlete_count",
        "photo_count", "total_photo_count", "pr_count", "has_kudoed", "segment_efforts", "average_speed", "max_speed",
    }  # fmt: skip
    assert always <= set(make(kind, points=30).detail)
