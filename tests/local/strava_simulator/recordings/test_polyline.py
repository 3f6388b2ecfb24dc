"""The encoded polyline can be decoded again by the published algorithm, written here a second time."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from local.strava_simulator.recordings import polyline
from local.strava_simulator.recordings.generator import Kind
from local.strava_simulator.world.activity import SimulatedActivity

positions = st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)))


def decode(text: str) -> list[tuple[float, float]]:
    numbers: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 63
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    lat = lng = 0
    line = []
    for step_lat, step_lng in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lng = lat + step_lat, lng + step_lng
        line.append((lat / 1e5, lng / 1e5))
    return line


@given(positions)
def test_encode_keeps_five_decimals_of_any_line(line: list[tuple[float, float]]) -> None:
    decoded = decode(polyline.encode(line))
    assert decoded == [(round(lat * 1e5) / 1e5, round(lng * 1e5) / 1e5) for lat, lng in line]


def test_encode_writes_the_example_of_the_published_algorithm() -> None:
    line = [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]
    assert polyline.encode(line) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@given(st.integers(0, 300), st.integers(2, 50))
def test_thin_keeps_both_ends_and_the_limit(length: int, limit: int) -> None:
    line = [(float(index), 0.0) for index in range(length)]
    thinned = polyline.thin(line, limit)
    assert len(thinned) == min(length, limit)
    assert thinned[:1] == line[:1]
    assert thinned[-1:] == line[-1:]
    assert thinned == sorted(set(thinned))


def test_detail_s_polylines_run_from_start_to_end(make: Callable[..., SimulatedActivity]) -> None:
    detail = make(Kind.RUN, points=1500).detail
    full, summary = (decode(detail["map"][name]) for name in ("polyline", "summary_polyline"))
    ends = [tuple(round(degrees, 5) for degrees in detail[name]) for name in ("start_latlng", "end_latlng")]
    assert len(summary) < len(full)
    for line in (full, summary):
        for (lat, lng), end in zip((line[0], line[-1]), ends, strict=True):
            assert abs(lat - end[0]) < 2e-5
            assert abs(lng - end[1]) < 2e-5
