from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lake.rows.streams import streams_table
from include.lake.schemas import STREAMS
from include.strava.models import StreamSet
from include.strava.stream_types import BY_KEY

START_AT = datetime(2024, 3, 31, 22, 30, tzinfo=UTC)
ACTIVITY_ID = 2**53 + 3

samples = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.floats(), max_size=3)
)


def rows_of(channels: dict[str, list[Any]], start_at: datetime | None = START_AT) -> pa.Table:
    return streams_table(ACTIVITY_ID, StreamSet(channels, b""), start_at)


def column(name: str, channels: dict[str, list[Any]]) -> list[Any]:
    values: list[Any] = rows_of(channels)[name].to_pylist()
    return values


def test_every_stream_has_its_column(make_streams: Callable[..., StreamSet]) -> None:
    streams = make_streams()
    assert set(streams.channels) == set(BY_KEY), (
        "CHANNELS of tests/include/lake/conftest.py needs samples of every type"
    )
    table = streams_table(ACTIVITY_ID, streams, START_AT)
    assert table.schema.equals(STREAMS, check_metadata=True)
    assert table.slice(2, 1).to_pylist() == [
        {
            "activity_id": ACTIVITY_ID,
            "point_index": 2,
            "time_s": 3,
            "ts": START_AT + timedelta(seconds=3),
            "lat": 52.100003,
            "lon": 4.500004,
            "altitude_m": pytest.approx(-2.8),
            "velocity_mps": pytest.approx(2.6),
            "grade_pct": pytest.approx(-0.4),
            "distance_m": 7.6,
            "heartrate_bpm": 105,
            "cadence_rpm": 82,
            "watts": 215,
            "temp_c": 21,
            "moving": True,
        }
    ]


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param(None, id="no-streams"),
        pytest.param(StreamSet({}, b"{}"), id="no-channels"),
        pytest.param(StreamSet({"time": [], "latlng": []}, b""), id="zero-length"),
        pytest.param(StreamSet({"grip_force": [1, 2, 3]}, b""), id="only-unknown-types"),
    ],
)
def test_no_rows_when_there_is_no_known_sample(streams: StreamSet | None) -> None:
    table = streams_table(ACTIVITY_ID, streams, START_AT)
    assert table.num_rows == 0
    assert table.schema.equals(STREAMS)


def test_missing_streams_are_null_columns() -> None:
    (row,) = rows_of({"time": [0]}).to_pylist()
    present = {name for name, value in row.items() if value is not None}
    assert present == {"activity_id", "point_index", "time_s", "ts"}


def test_ragged_streams_end_in_nulls() -> None:
    table = rows_of({"time": [0, 1, 2], "watts": [200], "latlng": [[1.0, 2.0], [1.1, 2.1]], "moving": []})
    assert table["point_index"].to_pylist() == [0, 1, 2]
    assert table["watts"].to_pylist() == [200, None, None]
    assert table["lat"].to_pylist() == [1.0, 1.1, None]
    assert table["moving"].to_pylist() == [None, None, None]


@pytest.mark.parametrize(
    ("latlng", "expected"),
    [
        pytest.param([52.1, 4.5], (52.1, 4.5), id="degrees"),
        pytest.param([52, 4], (52.0, 4.0), id="whole-degrees"),
        pytest.param([0, 0], (None, None), id="zero-zero-means-none"),
        pytest.param([0.0, -0.0], (None, None), id="signed-zero"),
        pytest.param([0.0, 4.5], (0.0, 4.5), id="on-the-equator"),
        pytest.param([52.1, 0.0], (52.1, 0.0), id="on-the-meridian"),
        pytest.param([-90.0, 180.0], (-90.0, 180.0), id="edge-of-the-map"),
        pytest.param([90.1, 4.5], (None, None), id="beyond-the-pole"),
        pytest.param([52.1, -180.1], (None, None), id="beyond-the-date-line"),
        pytest.param(None, (None, None), id="null"),
        pytest.param([None, 4.5], (None, None), id="half"),
        pytest.param([float("nan"), 4.5], (None, None), id="nan"),
        pytest.param([], (None, None), id="empty-pair"),
        pytest.param([52.1], (None, None), id="one-number"),
        pytest.param([52.1, 4.5, 3.0], (None, None), id="three-numbers"),
        pytest.param("52.1,4.5", (None, None), id="text"),
        pytest.param({"lat": 52.1}, (None, None), id="object"),
        pytest.param(["52.1", "4.5"], (None, None), id="numbers-as-text"),
    ],
)
def test_position_is_a_pair_on_earth_or_null(latlng: Any, expected: tuple[float | None, float | None]) -> None:
    table = rows_of({"latlng": [[10.0, 20.0], latlng]})
    assert table["lat"].to_pylist() == [10.0, expected[0]]
    assert table["lon"].to_pylist() == [20.0, expected[1]]


@pytest.mark.parametrize(
    ("given_samples", "expected"),
    [
        pytest.param([99, None, 101], [99, None, 101], id="null-between"),
        pytest.param([None, None], [None, None], id="all-null"),
        pytest.param([99, 100.6, 101.0], [99, 101, 101], id="floats-are-rounded"),
        pytest.param([99, 2**31, -(2**31)], [99, None, -(2**31)], id="beyond-int32"),
        pytest.param([99, 10**30], [99, None], id="beyond-int64"),
        pytest.param([99.5, float("nan"), float("inf")], [100, None, None], id="not-finite"),
        pytest.param([99, "100", True, [1], {}], [99, None, None, None, None], id="other-kinds"),
        pytest.param(["a", "b"], [None, None], id="text"),
        pytest.param([True, False], [None, None], id="flags"),
        pytest.param(["\ud800"], [None], id="lone-surrogate"),
    ],
)
def test_integer_sample_is_null_when_it_does_not_fit(given_samples: list[Any], expected: list[Any]) -> None:
    assert column("heartrate_bpm", {"heartrate": given_samples}) == expected


@pytest.mark.parametrize(
    ("given_samples", "expected"),
    [
        pytest.param([0, 2.5, None], [0.0, 2.5, None], id="whole-numbers-and-null"),
        pytest.param([1, 2], [1.0, 2.0], id="only-whole-numbers"),
        pytest.param([1, 2**53 + 1], [1.0, float(2**53)], id="whole-number-beyond-the-exact-ones"),
        pytest.param([1.0, float("nan"), float("-inf")], [1.0, None, None], id="not-finite"),
        pytest.param([1.0, "2.0", True], [1.0, None, None], id="other-kinds"),
        pytest.param([2**60, 10**400, 1.5], [float(2**60), None, 1.5], id="huge"),
    ],
)
def test_float_sample_is_null_when_it_does_not_fit(given_samples: list[Any], expected: list[Any]) -> None:
    assert column("distance_m", {"distance": given_samples}) == expected


def test_float32_sample_is_null_beyond_its_range() -> None:
    assert column("altitude_m", {"altitude": [1e39, 1.5]}) == [None, 1.5]


def test_moving_is_null_where_it_is_no_flag() -> None:
    assert column("moving", {"moving": [True, None, 1, "true", False]}) == [True, None, None, None, False]
    assert column("moving", {"moving": [1, 0]}) == [None, None]


@pytest.mark.parametrize(
    "start_at",
    [
        pytest.param(datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC), id="across-1970"),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), id="year-1"),
        pytest.param(datetime(9999, 12, 31, tzinfo=UTC), id="far-future"),
        pytest.param(datetime(2024, 5, 1, 8, 0, 0, 123000, tzinfo=UTC), id="milliseconds"),
    ],
)
def test_ts_is_start_plus_time(start_at: datetime) -> None:
    table = rows_of({"time": [0, 3, None]}, start_at)
    assert table["ts"].to_pylist() == [start_at, start_at + timedelta(seconds=3), None]


def test_ts_is_null_from_the_year_10000_on() -> None:
    start_at = datetime(9999, 12, 31, 23, 59, 58, 999_000, tzinfo=UTC)
    last = start_at + timedelta(seconds=1)
    assert rows_of({"time": [0, 1, 2, 2**31 - 1]}, start_at)["ts"].to_pylist() == [start_at, last, None, None]
    whole = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert rows_of({"time": [0, 1]}, whole)["ts"].to_pylist() == [whole, None]


def test_ts_is_null_and_time_stays_when_the_start_is_hidden() -> None:
    table = rows_of({"time": [0, 1]}, None)
    assert table["ts"].to_pylist() == [None, None]
    assert table["time_s"].to_pylist() == [0, 1]


@given(
    channels=st.dictionaries(
        st.sampled_from(["time", "distance", "latlng", "altitude", "heartrate", "watts", "moving", "temp", "new_one"]),
        st.lists(samples | st.lists(samples, min_size=2, max_size=2), max_size=6),
    )
)
def test_any_samples_become_rows_of_the_schema(channels: dict[str, list[Any]]) -> None:
    table = rows_of(channels)
    table.validate(full=True)
    assert table.schema.equals(STREAMS)
    assert table.num_rows == max((len(values) for name, values in channels.items() if name != "new_one"), default=0)
    for name in ("lat", "lon", "distance_m", "altitude_m"):
        assert all(value == value for value in table[name].to_pylist())  # noqa: PLR0124 - NaN differs from itself


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("sweatpy/activity_streams_array.json", id="ride-with-power"),
        pytest.param("strava-go.strava/activity_stream.json", id="ride-with-nulls"),
        pytest.param("dblock-strava-ruby-client/client/activity_streams.json", id="distance-only"),
    ],
)
def test_recorded_streams_come_back_point_by_point(recorded: Path, path: str) -> None:
    answer = json.loads((recorded / path).read_text())["response"]["body"]
    if isinstance(answer, list):
        answer = {stream["type"]: stream for stream in answer}
    streams = StreamSet.parse(json.dumps(answer).encode())
    table = streams_table(ACTIVITY_ID, streams, START_AT)

    points = len(answer["distance"]["data"])
    assert table.num_rows == points > 100
    for name, channel in {
        "time_s": "time",
        "distance_m": "distance",
        "altitude_m": "altitude",
        "velocity_mps": "velocity_smooth",
        "grade_pct": "grade_smooth",
        "heartrate_bpm": "heartrate",
        "cadence_rpm": "cadence",
        "watts": "watts",
        "temp_c": "temp",
        "moving": "moving",
    }.items():
        expected = streams.channels.get(channel, [None] * points)
        got = table[name].to_pylist()
        if STREAMS.field(name).type == pa.float32():
            got = [value if value is None else round(value, 3) for value in got]
        assert got == expected, name
    pairs = [list(pair) for pair in zip(table["lat"].to_pylist(), table["lon"].to_pylist(), strict=True)]
    expected_pairs = streams.channels.get("latlng", [None] * points)
    assert pairs == [[None, None] if pair is None else pair for pair in expected_pairs]
