"""Nothing that is written lies near the ends of a recording, drawn or recorded, whatever samples it has."""

from __future__ import annotations

import gzip
import math
import random
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import gpxpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.circle import Position, distance_m
from include.copying.files import build_file
from include.copying.samples import recorded_ends
from include.moved_circle import circle_around, covers, drawn_centre
from include.state.links import Link
from include.strava.models import Activity, StreamSet

MakeActivity = Callable[..., Activity]
MakeLink = Callable[..., Link]

steps = st.tuples(st.floats(0, 120), st.floats(0, 2 * math.pi))
odd = st.sampled_from([None, [], [0, 0], [True, False], ["48", "11"], [math.nan, 11.0], [48.0, math.inf], [91, 11], 7])


@st.composite
def tracks(draw: st.DrawFn) -> StreamSet:
    """A walk of some hundred metres, with odd positions and times here and there."""
    start = draw(st.sampled_from([(48.1, 11.5), (-33.9, 18.4), (64.1, -21.9), (0.001, 179.9)]))
    walk = draw(st.lists(steps, min_size=1, max_size=40))
    north = accumulate((way_m * math.cos(turn) for way_m, turn in walk), initial=0.0)
    east = accumulate((way_m * math.sin(turn) for way_m, turn in walk), initial=0.0)
    wide = 111_195 * math.cos(math.radians(start[0]))
    places: list[Any] = [[start[0] + y / 111_195, start[1] + x / wide] for x, y in zip(east, north, strict=True)]
    times: list[Any] = list(range(len(places)))
    for at in draw(st.sets(st.integers(0, len(places) - 1), max_size=5)):
        places[at] = draw(odd)
    for at in draw(st.sets(st.integers(0, len(places) - 1), max_size=3)):
        times[at] = draw(st.sampled_from([None, True, "1", math.nan]))
    return StreamSet({"time": times, "latlng": places}, b"")


def written(activity: Activity, streams: StreamSet, link: Link, radius_m: int, seed: int) -> list[Position]:
    """The positions in the file, hidden as copies hide them."""
    centres: list[Position] = []
    for end in recorded_ends(streams):
        if not any(covers(centre, end, radius_m) for centre in centres):
            centres.append(drawn_centre(end, radius_m, random.Random(seed).random))
    file = build_file(activity, streams, link, [circle_around(centre, radius_m) for centre in centres])
    document = gzip.decompress(file.content).decode()
    if file.data_type == "tcx.gz":
        assert "<Position>" not in document
        return []
    (track,) = gpxpy.parse(document).tracks
    return [Position(point.latitude, point.longitude) for part in track.segments for point in part.points]


def ends_of(streams: StreamSet) -> list[Position]:
    """The first and last pair of two numbers that can be a position, said another way than by the code."""
    found = [
        Position(*place)
        for place in streams.channels["latlng"]
        if isinstance(place, list)
        and len(place) == 2
        and all(isinstance(number, float) and math.isfinite(number) for number in place)
    ]
    return [found[0], found[-1]] if found else []


@given(streams=tracks(), radius_m=st.sampled_from([1, 50, 200]), seed=st.integers(0, 99))
def test_no_written_point_is_within_the_radius_of_an_end(
    make_activity: MakeActivity, make_link: MakeLink, streams: StreamSet, radius_m: int, seed: int
) -> None:
    times = [at for at in streams.channels["time"] if type(at) is int]
    if len(times) < 2:
        return
    points = written(make_activity(), streams, make_link(), radius_m, seed)
    assert all(distance_m(end, point) > radius_m for end in ends_of(streams) for point in points)


@pytest.mark.parametrize("recording", ["sweatpy/activity_streams_array.json", "strava-go.strava/activity_stream.json"])
@pytest.mark.parametrize("radius_m", [50, 200, 500])
def test_no_written_point_of_a_real_recording_is_within_the_radius_of_an_end(
    make_activity: MakeActivity,
    make_link: MakeLink,
    recorded_streams: Callable[[str], StreamSet],
    recording: str,
    radius_m: int,
) -> None:
    streams = recorded_streams(recording)
    places = [place for place in streams.channels["latlng"] if place and place != [0, 0]]
    for seed in range(3):
        points = written(make_activity(), streams, make_link(), radius_m, seed)
        ends = (Position(*places[0]), Position(*places[-1]))
        assert all(distance_m(end, point) > radius_m for end in ends for point in points)
        far = [place for place in places if all(distance_m(end, Position(*place)) > 2.5 * radius_m for end in ends)]
        assert len(points) >= len(far)
