"""Which points a file carries, and what about each."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.copying.samples import chosen_samples, positioned_samples, timed_samples, times_rise
from include.state.links import Carried
from include.strava.models import Activity, StreamSet

MakeActivity = Callable[..., Activity]
MakeStreams = Callable[..., StreamSet]
START_EPOCH_S = 1_777_618_798


def test_samples_hold_every_value_in_columns(
    make_activity: MakeActivity, make_streams: MakeStreams, everything: Carried
) -> None:
    samples = positioned_samples(make_activity(), make_streams(), everything)
    assert len(samples) == 3
    assert samples.epoch_s == [START_EPOCH_S, START_EPOCH_S + 1, START_EPOCH_S + 5]
    assert samples.latitude_deg == [48.1, 48.10018, 48.10036]
    assert samples.longitude_deg == [11.5, 11.5, 11.500001]
    assert samples.altitude_m == [519.2, 519.4, -3.0]
    assert samples.distance_m == [0.0, 20.1, 40.2]
    assert samples.speed_mps == [0.0, 20.1, 5.025]
    assert samples.heartrate_bpm == [111, 112, 113]
    assert samples.cadence_rpm == [80, 0, 81]
    assert samples.power_w == [200, 0, 210]
    assert samples.temperature_c == [-2, 0, 21]
    assert (samples.left_out, samples.trimmed) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        pytest.param({"time": [0, None, 5]}, [0, 5], id="no time"),
        pytest.param({"time": [0, 1]}, [0, 1], id="fewer times than points"),
        pytest.param({"time": [0, 0, 5]}, [0, 5], id="second point in the same second"),
        pytest.param({"time": [-1, 1, 5]}, [1, 5], id="time before the start"),
        pytest.param({"time": [0, math.nan, math.inf]}, [0], id="time is no number"),
        pytest.param({"latlng": [None, [1, 1], [1, 2]]}, [1, 5], id="position is null"),
        pytest.param({"latlng": [[], [1, 1], [1, 2]]}, [1, 5], id="position is empty"),
        pytest.param({"latlng": [[0, 0], [0.0, 0.0], [0, 1]]}, [5], id="position zero means missing"),
        pytest.param({"latlng": [[91, 0], [0, 180], [-90, -180]]}, [5], id="position out of range"),
        pytest.param({"latlng": [[1, None], [None, 1], [math.nan, 1]]}, [], id="half a position"),
        pytest.param({"latlng": [1, [1], [1, 1, 1]]}, [], id="position of another shape"),
        pytest.param({"latlng": [["1", "2"], [True, True], [1, 2]]}, [5], id="position of texts and flags"),
        pytest.param({"time": [False, "1", 5]}, [5], id="time is a flag or a text"),
        pytest.param({"latlng": [[1, 1]]}, [0], id="fewer positions than points"),
        pytest.param({"latlng": None}, [], id="no positions"),
        pytest.param({"time": None}, [], id="no times"),
        pytest.param({"time": [], "latlng": []}, [], id="empty"),
    ],
)
def test_samples_leave_out_and_count_points_without_time_or_position(
    make_activity: MakeActivity,
    make_streams: MakeStreams,
    everything: Carried,
    changes: dict[str, Any],
    kept: list[int],
) -> None:
    samples = positioned_samples(make_activity(), make_streams(**changes), everything)
    assert [time - START_EPOCH_S for time in samples.epoch_s] == kept
    assert len(samples.altitude_m) == len(samples.latitude_deg) == len(kept)
    assert samples.left_out == 3 - len(kept)


@pytest.mark.parametrize(
    ("stream", "data", "field", "expected"),
    [
        pytest.param("heartrate", [14, 15, 301], "heartrate_bpm", [None, 15, None], id="heart rate"),
        pytest.param("heartrate", [255, 256, 300], "heartrate_bpm", [255, None, None], id="heart rate of a byte"),
        pytest.param("heartrate", [14.9, 120.4, None], "heartrate_bpm", [None, 120, None], id="heart rate whole"),
        pytest.param("cadence", [-1, 255, 254], "cadence_rpm", [None, None, 254], id="cadence"),
        pytest.param("watts", [-1, 5_001, 5_000], "power_w", [None, None, 5_000], id="power"),
        pytest.param("watts", [True, False, 3], "power_w", [None, None, 3], id="flags"),
        pytest.param("heartrate", ["99", [99], 99], "heartrate_bpm", [None, None, 99], id="texts and lists"),
        pytest.param("altitude", [{}, 1e9, 3], "altitude_m", [None, None, 3], id="altitude"),
        pytest.param("temp", [math.nan, math.inf, -30], "temperature_c", [None, None, -30], id="no numbers"),
        pytest.param("altitude", [1], "altitude_m", [1, None, None], id="short array"),
        pytest.param("velocity_smooth", None, "speed_mps", [None, None, None], id="missing stream"),
        pytest.param("distance", [-1, 10**400, 7], "distance_m", [None, None, 7], id="impossible distance"),
    ],
)
def test_samples_leave_out_just_the_values_that_cannot_be(
    make_activity: MakeActivity,
    make_streams: MakeStreams,
    everything: Carried,
    stream: str,
    data: list[Any] | None,
    field: str,
    expected: list[Any],
) -> None:
    samples = positioned_samples(make_activity(), make_streams(**{stream: data}), everything)
    assert getattr(samples, field) == expected
    assert samples.left_out == 0


@pytest.mark.parametrize(
    ("carried", "field"),
    [
        pytest.param(Carried(heartrate=False), "heartrate_bpm", id="heart rate"),
        pytest.param(Carried(power=False), "power_w", id="power"),
        pytest.param(Carried(temperature=False), "temperature_c", id="temperature"),
    ],
)
@pytest.mark.parametrize("read", [positioned_samples, timed_samples])
def test_samples_lack_what_the_link_does_not_carry(
    make_activity: MakeActivity, make_streams: MakeStreams, carried: Carried, field: str, read: Callable[..., Any]
) -> None:
    samples = read(make_activity(), make_streams(), carried)
    held = {name for name in ("heartrate_bpm", "power_w", "temperature_c") if any(getattr(samples, name))}
    assert held == {"heartrate_bpm", "power_w", "temperature_c"} - {field}


def north(count: int, step_m: float = 10.0) -> list[list[float]]:
    return [[48.0 + at * step_m / 111_195.08, 11.0] for at in range(count)]


@pytest.mark.parametrize("has_distance", [pytest.param(True, id="by distance"), pytest.param(False, id="by position")])
def test_trimming_hides_both_ends(make_activity: MakeActivity, has_distance: bool) -> None:
    channels: dict[str, list[Any]] = {"time": list(range(11)), "latlng": north(11), "watts": list(range(11))}
    if has_distance:
        channels["distance"] = [at * 10.0 + 3 for at in range(11)]
    samples = positioned_samples(make_activity(), StreamSet(channels, b""), Carried(trim_m=25))
    assert samples.power_w == [3, 4, 5, 6, 7]
    assert (samples.trimmed, samples.left_out) == (6, 0)
    assert samples.distance_m == ([0.0, 10.0, 20.0, 30.0, 40.0] if has_distance else [None] * 5)


@pytest.mark.parametrize(
    ("distance", "kept"),
    [
        pytest.param([0, 0, 0, 10, 20, 40, 40, 40], [4], id="standing at either end is hidden"),
        pytest.param([None, None, 0, 10, 20, 30, 40, None], [4], id="unknown counts as no progress"),
        pytest.param([0, 30, 60, 5, 70, 90, 110, 140], [4, 5, 6], id="a step back hides more, not less"),
        pytest.param([0, 900, 10, 20, 30, 40, 50, 60], [], id="a jump forward hides all"),
        pytest.param([0] * 8, [], id="no progress at all"),
        pytest.param([0, 1, 2, 3, 4, 5, 6, 39], [], id="shorter than both ends"),
    ],
)
def test_trimming_errs_on_the_hidden_side_when_distances_are_odd(
    make_activity: MakeActivity, distance: list[Any], kept: list[int]
) -> None:
    streams = StreamSet({"time": list(range(8)), "latlng": north(8), "distance": distance}, b"")
    samples = positioned_samples(make_activity(), streams, Carried(trim_m=15))
    assert [time - START_EPOCH_S for time in samples.epoch_s] == kept
    assert samples.trimmed == 8 - len(kept)


@given(
    steps=st.lists(st.integers(0, 50), min_size=1, max_size=40),
    trim_m=st.integers(0, 200),
)
def test_trimming_keeps_just_the_points_that_lie_far_enough_from_both_ends(
    make_activity: MakeActivity, steps: list[int], trim_m: int
) -> None:
    distance = [sum(steps[: at + 1]) for at in range(len(steps))]
    streams = StreamSet({"time": list(range(len(steps))), "latlng": north(len(steps)), "distance": distance}, b"")
    samples = positioned_samples(make_activity(), streams, Carried(trim_m=trim_m))
    far = [at for at, here in enumerate(distance) if here - distance[0] >= trim_m and distance[-1] - here >= trim_m]
    assert [time - START_EPOCH_S for time in samples.epoch_s] == far


def test_samples_without_positions_are_never_trimmed(make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    samples = timed_samples(make_activity(), make_streams(), Carried(trim_m=1000))
    assert samples.distance_m == [0.0, 20.1, 40.2]
    assert not samples.placed
    assert list(samples.latitude_deg) == []


@pytest.mark.parametrize(
    ("changes", "trim_m", "placed"),
    [
        pytest.param({}, 0, True, id="positions"),
        pytest.param({"latlng": [[1, 1], None, [1, 2]]}, 0, True, id="two positions"),
        pytest.param({"latlng": [[1, 1], None, None]}, 0, False, id="one position"),
        pytest.param({"latlng": None}, 0, False, id="none"),
        pytest.param({}, 1000, True, id="trimmed away, and not shown without positions instead"),
    ],
)
def test_samples_have_positions_when_two_points_have_one(
    make_activity: MakeActivity, make_streams: MakeStreams, changes: dict[str, Any], trim_m: int, placed: bool
) -> None:
    assert chosen_samples(make_activity(), make_streams(**changes), Carried(trim_m=trim_m)).placed is placed


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        pytest.param([], True, id="none"),
        pytest.param([3], True, id="one"),
        pytest.param([0, 1, 2], True, id="rising"),
        pytest.param([0, None, 2], True, id="rising over a null"),
        pytest.param([0, 1, 1, 2], True, id="standing for a moment"),
        pytest.param([1, 1], False, id="standing"),
        pytest.param([0, 2, 1, 3], False, id="falling"),
    ],
)
def test_times_rise_when_none_falls(time: list[int | None], expected: bool) -> None:
    assert times_rise(StreamSet({"time": time}, b"")) is expected


values = st.none() | st.integers(-10, 70_000) | st.floats(-200, 70_000)
pairs = st.none() | st.just([]) | st.lists(st.floats(-200, 200), min_size=2, max_size=2)


@given(
    time=st.lists(values, max_size=12),
    latlng=st.lists(pairs, max_size=12),
    sensors=st.dictionaries(st.sampled_from(["altitude", "heartrate", "watts", "distance"]), st.lists(values)),
    trim_m=st.integers(0, 5000),
)
def test_samples_are_complete_rising_and_all_accounted_for(
    make_activity: MakeActivity, time: list[Any], latlng: list[Any], sensors: dict[str, list[Any]], trim_m: int
) -> None:
    streams = StreamSet({"time": time, "latlng": latlng, **sensors}, b"")
    samples = positioned_samples(make_activity(), streams, Carried(trim_m=trim_m))
    assert all(earlier < later for earlier, later in pairwise(samples.epoch_s))
    columns = (samples.latitude_deg, samples.longitude_deg, samples.altitude_m, samples.heartrate_bpm, samples.power_w)
    assert {len(column) for column in columns} == {len(samples)}
    assert None not in [*samples.latitude_deg, *samples.longitude_deg]
    assert len(samples) + samples.left_out + samples.trimmed == streams.length
