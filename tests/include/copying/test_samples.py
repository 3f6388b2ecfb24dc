"""Which points a file carries, and what about each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.circle import Circle, Position
from include.copying.samples import (
    chosen_samples,
    positioned_samples,
    recorded_ends,
    timed_samples,
    times_increase,
    too_few_reason,
)
from include.state.links import CopyOptions
from include.strava.models import Activity, StreamSet

MakeActivity = Callable[..., Activity]
MakeStreams = Callable[..., StreamSet]
START_EPOCH_S = 1_777_618_798


def test_samples_hold_every_value_in_columns(
    make_activity: MakeActivity, make_streams: MakeStreams, everything: CopyOptions
) -> None:
    samples = positioned_samples(make_activity(), make_streams(), everything, ())
    assert len(samples) == 3
    assert samples.epoch_s == [START_EPOCH_S, START_EPOCH_S + 1, START_EPOCH_S + 5]
    assert samples.lat == [48.1, 48.10018, 48.10036]
    assert samples.lon == [11.5, 11.5, 11.500001]
    assert samples.altitude_m == [519.2, 519.4, -3.0]
    assert samples.distance_m == [0.0, 20.1, 40.2]
    assert samples.velocity_mps == [0.0, 20.1, 5.025]
    assert samples.heartrate_bpm == [111, 112, 113]
    assert samples.cadence_rpm == [80, 0, 81]
    assert samples.watts == [200, 0, 210]
    assert samples.temp_c == [-2, 0, 21]
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
        pytest.param({"latlng": [[1, 1, 1], [1, 2, 1], [1, 3, 1]]}, [], id="positions with a third number"),
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
    everything: CopyOptions,
    changes: dict[str, Any],
    kept: list[int],
) -> None:
    samples = positioned_samples(make_activity(), make_streams(**changes), everything, ())
    assert [time - START_EPOCH_S for time in samples.epoch_s] == kept
    assert len(samples.altitude_m) == len(samples.lat) == len(kept)
    assert samples.left_out == 3 - len(kept)


@pytest.mark.parametrize(
    ("stream", "data", "field", "expected"),
    [
        pytest.param("heartrate", [14, 15, 301], "heartrate_bpm", [None, 15, None], id="heart rate"),
        pytest.param(
            "heartrate", [254, 255, 300], "heartrate_bpm", [254, None, None], id="heart rate of a byte, 255 being none"
        ),
        pytest.param("heartrate", [14.9, 120.4, None], "heartrate_bpm", [None, 120, None], id="heart rate whole"),
        pytest.param("cadence", [-1, 255, 254], "cadence_rpm", [None, None, 254], id="cadence"),
        pytest.param("watts", [-1, 5_001, 5_000], "watts", [None, None, 5_000], id="power"),
        pytest.param("watts", [True, False, 3], "watts", [None, None, 3], id="flags"),
        pytest.param("heartrate", ["99", [99], 99], "heartrate_bpm", [None, None, 99], id="texts and lists"),
        pytest.param("altitude", [{}, 1e9, 3], "altitude_m", [None, None, 3], id="altitude"),
        pytest.param("temp", [math.nan, math.inf, -30], "temp_c", [None, None, -30], id="no numbers"),
        pytest.param("altitude", [1], "altitude_m", [1, None, None], id="short array"),
        pytest.param("velocity_smooth", None, "velocity_mps", [None, None, None], id="missing stream"),
        pytest.param("distance", [-1, 10**400, 7], "distance_m", [None, None, 7], id="impossible distance"),
    ],
)
def test_samples_leave_out_just_the_values_that_cannot_be(
    make_activity: MakeActivity,
    make_streams: MakeStreams,
    everything: CopyOptions,
    stream: str,
    data: list[Any] | None,
    field: str,
    expected: list[Any],
) -> None:
    samples = positioned_samples(make_activity(), make_streams(**{stream: data}), everything, ())
    assert getattr(samples, field) == expected
    assert samples.left_out == 0


@pytest.mark.parametrize(
    ("options", "field"),
    [
        pytest.param(CopyOptions(heartrate=False), "heartrate_bpm", id="heart rate"),
        pytest.param(CopyOptions(power=False), "watts", id="power"),
        pytest.param(CopyOptions(temperature=False), "temp_c", id="temperature"),
    ],
)
@pytest.mark.parametrize(
    "read",
    [pytest.param(partial(positioned_samples, hidden=()), id="positioned"), pytest.param(timed_samples, id="timed")],
)
def test_samples_lack_what_the_link_does_not_carry(
    make_activity: MakeActivity, make_streams: MakeStreams, options: CopyOptions, field: str, read: Callable[..., Any]
) -> None:
    samples = read(make_activity(), make_streams(), options)
    held = {name for name in ("heartrate_bpm", "watts", "temp_c") if any(getattr(samples, name))}
    assert held == {"heartrate_bpm", "watts", "temp_c"} - {field}


def north(count: int, step_m: float = 10.0) -> list[list[float]]:
    return [[48.0 + at * step_m / 111_195.08, 11.0] for at in range(count)]


def along(count: int, step_m: float = 10.0, **channels: list[Any]) -> StreamSet:
    """A recording of points to the north, one each second, with their numbers for power."""
    return StreamSet(
        {"time": list(range(count)), "latlng": north(count, step_m), "watts": list(range(count)), **channels}, b""
    )


def around(*numbers: int, radius_m: float = 25) -> list[Circle]:
    """Circles around the points of `north` with these numbers."""
    return [Circle(Position(*north(number + 1)[number]), radius_m) for number in numbers]


def test_trimming_hides_what_the_circles_hold(make_activity: MakeActivity) -> None:
    streams = along(11, distance=[at * 10.0 + 3 for at in range(11)])
    samples = positioned_samples(make_activity(), streams, CopyOptions(), around(0, 10))
    assert samples.watts == [3, 4, 5, 6, 7]
    assert (samples.trimmed, samples.left_out, list(samples.segment_starts)) == (6, 0, [])
    assert samples.distance_m == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_trimming_leaves_holes_over_which_no_distance_is_made(make_activity: MakeActivity) -> None:
    distance = [0.0, 10, 20, None, 40, 50, 500, 70, 80, 90, 100, 110, 120, 130]
    streams = along(14, distance=distance)
    samples = positioned_samples(make_activity(), streams, CopyOptions(), around(5, 11, radius_m=11))
    assert samples.watts == [0, 1, 2, 3, 7, 8, 9, 13]
    assert list(samples.segment_starts) == [4, 7]
    assert samples.distance_m == [0, 10, 20, None, 20, 30, 40, 40]


def test_trimming_makes_no_distance_of_a_part_without_one(make_activity: MakeActivity) -> None:
    streams = along(9, distance=[10, 20, 30, None, None, None, 70, 80, 90])
    samples = positioned_samples(make_activity(), streams, CopyOptions(), around(2, 6, radius_m=5))
    assert samples.watts == [0, 1, 3, 4, 5, 7, 8]
    assert samples.distance_m == [0, 10, None, None, None, 10, 20]


def test_trimming_of_the_start_is_no_hole_and_points_without_a_position_are_none(make_activity: MakeActivity) -> None:
    places: list[Any] = north(9)
    places[6] = None
    samples = positioned_samples(make_activity(), along(9, latlng=places), CopyOptions(), around(0))
    assert samples.watts == [3, 4, 5, 7, 8]
    assert list(samples.segment_starts) == []


PLACES = [[0.0, 11.0], [0.001, 11.001], [0.002, 11.002], [-11.0, 0.001], [-11.001, 0.0]]
"""A track that begins on the equator and ends on the meridian."""


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        pytest.param({}, [0, 4], id="first and last"),
        pytest.param({"latlng": [None, *PLACES[1:4], [0, 0]]}, [1, 3], id="odd positions are none"),
        pytest.param({"time": [None, 1, 2, 3, 3]}, [0, 1, 3, 4], id="those without a time, and those with one"),
        pytest.param({"latlng": [PLACES[0]] * 5}, [0], id="one place"),
        pytest.param({"latlng": PLACES[:2]}, [0, 1], id="two positions, which are written"),
        pytest.param({"latlng": PLACES[:1]}, [], id="one position, which is not written"),
        pytest.param({"latlng": []}, [], id="no position"),
        pytest.param({"time": []}, [], id="no time"),
    ],
)
def test_ends_are_the_positions_between_which_the_recording_lies(changes: dict[str, Any], ends: list[int]) -> None:
    expected = {Position(*PLACES[end]) for end in ends}
    found = recorded_ends(along(5, **{"latlng": PLACES, **changes}))
    assert (set(found), len(found)) == (expected, len(expected))


def test_samples_without_positions_are_never_trimmed(make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    samples = timed_samples(make_activity(), make_streams(), CopyOptions())
    assert samples.distance_m == [0.0, 20.1, 40.2]
    assert not samples.has_positions
    assert list(samples.lat) == []


EVERYWHERE = (Circle(Position(0, 0), 3e7),)


@pytest.mark.parametrize(
    ("changes", "hidden", "placed", "track_hidden"),
    [
        pytest.param({}, (), True, False, id="positions"),
        pytest.param({"latlng": [[1, 1], None, [1, 2]]}, (), True, False, id="two positions"),
        pytest.param({"latlng": [[1, 1], None, None]}, (), False, False, id="one position"),
        pytest.param({"latlng": None}, (), False, False, id="none"),
        pytest.param({"latlng": None}, EVERYWHERE, False, False, id="none, and nothing to hide"),
        pytest.param({"latlng": [[1, 1], None, None]}, EVERYWHERE, False, False, id="one, and nothing to hide"),
        pytest.param({}, EVERYWHERE, False, True, id="all hidden"),
        pytest.param({"latlng": [[1, 1], None, [1, 2]]}, EVERYWHERE, False, True, id="two positions, all hidden"),
        pytest.param({}, [Circle(Position(48.1, 11.5), 21)], False, True, id="one left"),
        pytest.param({}, [Circle(Position(48.1, 11.5), 19)], True, False, id="two left"),
    ],
)
def test_samples_have_positions_when_two_points_are_left_that_have_one(
    make_activity: MakeActivity,
    make_streams: MakeStreams,
    changes: dict[str, Any],
    hidden: Sequence[Circle],
    placed: bool,
    track_hidden: bool,
) -> None:
    samples = chosen_samples(make_activity(), make_streams(**changes), CopyOptions(), hidden)
    assert (samples.has_positions, samples.track_hidden) == (placed, track_hidden)
    assert len(samples) == (2 if placed and (hidden or changes) else 3)


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        pytest.param([0, 1], None, id="two"),
        pytest.param([0], "This recording has fewer than two points with a time.", id="one"),
    ],
)
def test_points_suffice_when_there_are_two_with_a_time(
    make_activity: MakeActivity, make_streams: MakeStreams, time: list[int], reason: str | None
) -> None:
    samples = timed_samples(make_activity(), make_streams(time=time), CopyOptions())
    assert too_few_reason(samples) == reason


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
    assert times_increase(StreamSet({"time": time}, b"")) is expected


values = st.none() | st.integers(-10, 70_000) | st.floats(-200, 70_000)
pairs = st.none() | st.just([]) | st.lists(st.floats(-200, 200), min_size=2, max_size=2)


@given(
    time=st.lists(values, max_size=12),
    latlng=st.lists(pairs, max_size=12),
    sensors=st.dictionaries(st.sampled_from(["altitude", "heartrate", "watts", "distance"]), st.lists(values)),
    radius_m=st.floats(0, 2e7),
)
def test_samples_are_complete_rising_and_all_accounted_for(
    make_activity: MakeActivity, time: list[Any], latlng: list[Any], sensors: dict[str, list[Any]], radius_m: float
) -> None:
    streams = StreamSet({"time": time, "latlng": latlng, **sensors}, b"")
    hidden = [Circle(Position(30, 30), radius_m), Circle(Position(-30, 179), radius_m / 2)]
    samples = positioned_samples(make_activity(), streams, CopyOptions(), hidden)
    assert all(earlier < later for earlier, later in pairwise(samples.epoch_s))
    columns = (samples.lat, samples.lon, samples.altitude_m, samples.heartrate_bpm, samples.watts)
    assert {len(column) for column in columns} == {len(samples)}
    assert None not in [*samples.lat, *samples.lon]
    assert len(samples) + samples.left_out + samples.trimmed == streams.length
    assert all(0 < at < len(samples) for at in samples.segment_starts)
