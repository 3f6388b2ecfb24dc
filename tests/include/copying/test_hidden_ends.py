"""Nothing that is written lies near the ends of a recording, drawn or recorded, whatever samples it has."""

from __future__ import annotations

import gzip
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

import gpxpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.circle import Position, beyond, distance_m
from include.copying.files import build_file
from include.copying.samples import recorded_ends
from include.crypto.key_file import KeyFileCipher
from include.privacy_circle import covers, hiding_circle, random_centre
from include.state.copies.places import Places
from include.state.links import Link
from include.store.sqlite import SqliteStore
from include.strava.models import Activity, StreamSet, UploadFile

MakeActivity = Callable[..., Activity]
MakeLink = Callable[..., Link]
RADIUS_M = 200

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
            centres.append(random_centre(end, radius_m, random.Random(seed).random))
    return track_of(build_file(activity, streams, link, [hiding_circle(centre, radius_m) for centre in centres]))


def track_of(file: UploadFile) -> list[Position]:
    """The positions in the file."""
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
    points = written(make_activity(), streams, make_link(), radius_m, seed=radius_m)
    ends = (Position(*places[0]), Position(*places[-1]))
    assert all(distance_m(end, point) > radius_m for end in ends for point in points)
    far = [place for place in places if all(distance_m(end, Position(*place)) > 2.5 * radius_m for end in ends)]
    assert len(points) >= len(far)


def way(*legs: tuple[float, float, int], start: tuple[float, float] = (0.0, 0.0)) -> list[tuple[float, float]]:
    """A way in metres east and north of home: for each leg its bearing in degrees, its step, and how many steps."""
    places = [start]
    for bearing_deg, step_m, steps in legs:
        for _ in range(steps):
            east, north = places[-1]
            turn = math.radians(bearing_deg)
            places.append((east + step_m * math.sin(turn), north + step_m * math.cos(turn)))
    return places


def outing(home: Position, places: Sequence[tuple[float, float]]) -> StreamSet:
    """The recording of a way around a home anywhere on the earth, poles and date line included."""
    turns = [(math.atan2(east, north), math.hypot(east, north)) for east, north in places]
    at = [beyond(home, bearing_rad=bearing_rad, way_m=way_m) for bearing_rad, way_m in turns]
    return StreamSet({"time": list(range(len(at))), "latlng": [list(place) for place in at]}, b"")


THERE_AND_BACK = way((70, 5, 200), (250, 5, 200))
TEN_LAPS = way(*[(bearing, 9, 60) for _ in range(10) for bearing in (0, 90, 180, 270)])
WAYS = {
    "out": way((70, 5, 200)),
    "there and back": THERE_AND_BACK,
    "home to home, ten times past it": TEN_LAPS,
    "three points": way((70, 400, 2)),
    "three points, the middle one far": [(0.0, 0.0), (900.0, 0.0), (1.0, 0.0)],
    "never leaves": way((70, 1, 50)),
    "begins at the edge of the circle": way((70, 5, 200), start=(215.0, 0.0)),
    "begins in the ring around the circle": way((250, 5, 200), start=(340.0, 60.0)),
    "ends where another one's ring is": way((10, 5, 100), (190, 5, 40)),
}
HOMES = {
    "town": Position(48.1, 11.5),
    "east of the date line": Position(-16.8, 179.9995),
    "west of the date line": Position(-16.8, -179.9995),
    "equator and meridian": Position(0.00001, -0.00001),
    "north pole": Position(89.9999, 12.0),
    "beside the south pole": Position(-89.99, -170.0),
}


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """The circles as they are kept, drawn by a seed."""
    with closing(SqliteStore(tmp_path / "state.sqlite", lambda: 0.0)) as store:
        yield Places(store, KeyFileCipher(tmp_path / "token.key"), random.Random(11).random)


@pytest.mark.parametrize("home", [pytest.param(place, id=name) for name, place in HOMES.items()])
def test_nothing_is_written_near_an_end_on_any_way_from_any_home(
    make_activity: MakeActivity, make_link: MakeLink, places: Places, home: Position
) -> None:
    for name, metres in WAYS.items():
        streams = outing(home, metres)
        ends = recorded_ends(streams)
        circles = places.circles(7, RADIUS_M, ends)

        points = track_of(build_file(make_activity(), streams, make_link(), circles))

        assert all(distance_m(end, point) > RADIUS_M for end in ends_of(streams) for point in points), name
        far = [
            place for place in streams.channels["latlng"] if all(distance_m(e, Position(*place)) > 500 for e in ends)
        ]
        assert len(points) >= (len(far) if len(far) > 1 else 0), name
        assert places.circles(7, RADIUS_M, ends) == circles, "the same for the same place"


def test_door_that_is_found_elsewhere_each_time_is_never_near_and_has_few_circles(
    make_activity: MakeActivity, make_link: MakeLink, places: Places
) -> None:
    home, rng, circles = HOMES["town"], random.Random(5), set()
    for _ in range(60):
        door = beyond(home, bearing_rad=rng.uniform(0, 2 * math.pi), way_m=rng.uniform(0, 60))
        streams = outing(door, way((rng.uniform(0, 360), 5, 200)))
        drawn = places.circles(7, RADIUS_M, recorded_ends(streams))
        circles |= set(drawn)
        points = track_of(build_file(make_activity(), streams, make_link(), drawn))
        assert points
        assert all(distance_m(end, point) > RADIUS_M for end in ends_of(streams) for point in points)

    assert len([circle for circle in circles if distance_m(circle.centre, home) < 400]) <= 6


def test_two_athletes_of_one_home_have_circles_of_their_own(places: Places) -> None:
    ends = recorded_ends(outing(HOMES["town"], THERE_AND_BACK))

    (one,), (other,) = places.circles(7, RADIUS_M, ends), places.circles(8, RADIUS_M, ends)

    assert distance_m(one.centre, other.centre) > 1
