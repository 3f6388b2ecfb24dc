"""Ways and circles on the earth."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from include.circle import Circle, Position, beyond, distance_m

positions = st.builds(Position, st.floats(-89, 89), st.floats(-180, 179.99))


@pytest.mark.parametrize(
    ("here", "there", "way_m"),
    [
        pytest.param(Position(48, 11), Position(48, 11), 0, id="no way"),
        pytest.param(Position(0, 0), Position(1, 0), 111_195.08, id="a degree to the north"),
        pytest.param(Position(60, 0), Position(60, 0.001), 55.6, id="a step to the east, far north"),
        pytest.param(Position(0, 179.9995), Position(0, -179.9995), 111.2, id="over the date line"),
        pytest.param(Position(0, 0), Position(0, 180), 20_015_114.4, id="to the other side"),
        pytest.param(Position(90, 0), Position(90, 77), 0, id="at the pole"),
    ],
)
def test_way_is_as_the_crow_flies(here: Position, there: Position, way_m: float) -> None:
    assert distance_m(here, there) == pytest.approx(way_m, abs=0.1)


@given(here=positions, bearing_rad=st.floats(0, 2 * math.pi), way_m=st.floats(0, 5_000))
def test_place_beyond_is_as_far_as_was_gone(here: Position, bearing_rad: float, way_m: float) -> None:
    there = beyond(here, bearing_rad=bearing_rad, way_m=way_m)
    assert distance_m(here, there) == pytest.approx(way_m, abs=0.01)
    assert -180 <= there.longitude_deg < 180


@given(centre=positions, bearing_rad=st.floats(0, 2 * math.pi), way_m=st.floats(0, 800), radius_m=st.floats(1, 700))
def test_circle_holds_just_the_places_that_are_near_enough(
    centre: Position, bearing_rad: float, way_m: float, radius_m: float
) -> None:
    assume(abs(way_m - radius_m) > 0.01)
    place = beyond(centre, bearing_rad=bearing_rad, way_m=way_m)
    assert Circle(centre, radius_m).within([(7, *place)]) == ({7} if way_m < radius_m else set())


def test_circle_holds_none_of_no_places() -> None:
    assert Circle(Position(1, 1), 10).within([]) == set()
