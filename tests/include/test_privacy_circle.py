"""A moved circle hides its place whole, and not its place alone."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from include.circle import Position, beyond, distance_m
from include.privacy_circle import covers, hiding_circle, random_centre

RADIUS_M = 200
ends = st.builds(Position, st.floats(-75, 75), st.floats(-180, 179.99))
bearings = st.floats(0, 2 * math.pi)
radii = st.integers(1, 2000)


@given(end=ends, radius_m=radii, seed=st.integers(), bearing_rad=bearings, way=st.floats(0, 1), strays=st.floats(0, 1))
def test_circle_that_covers_an_end_holds_everything_within_the_radius_of_it(
    end: Position, radius_m: int, seed: int, bearing_rad: float, way: float, strays: float
) -> None:
    centre = random_centre(end, radius_m, random.Random(seed).random)
    later = beyond(end, bearing_rad=bearing_rad, way_m=strays * radius_m)
    for found in (end, later):
        if covers(centre, found, radius_m):
            near = beyond(found, bearing_rad=bearing_rad, way_m=way * radius_m)
            assert hiding_circle(centre, radius_m).within([(0, *near)]) == {0}


@given(end=ends, radius_m=radii, seed=st.integers(), bearing_rad=bearings)
def test_circle_covers_its_end_and_the_one_found_some_metres_away(
    end: Position, radius_m: int, seed: int, bearing_rad: float
) -> None:
    centre = random_centre(end, radius_m, random.Random(seed).random)
    assert distance_m(centre, end) <= 0.75 * radius_m
    assert covers(centre, beyond(end, bearing_rad=bearing_rad, way_m=0.08 * radius_m), radius_m)


@given(end=ends, radius_m=radii, seed=st.integers(), bearing_rad=bearings)
def test_circle_holds_nothing_beyond_two_and_a_half_radii(
    end: Position, radius_m: int, seed: int, bearing_rad: float
) -> None:
    circle = hiding_circle(random_centre(end, radius_m, random.Random(seed).random), radius_m)
    assert circle.within([(0, *beyond(end, bearing_rad=bearing_rad, way_m=2.51 * radius_m))]) == set()


def test_centres_lie_on_every_side_and_half_of_them_half_a_radius_away_or_more() -> None:
    draw, end = random.Random(5).random, Position(48, 11)
    centres = [random_centre(end, RADIUS_M, draw) for _ in range(2000)]
    quarters = {(centre.latitude_deg > 48, centre.longitude_deg > 11): 0 for centre in centres}
    for centre in centres:
        quarters[centre.latitude_deg > 48, centre.longitude_deg > 11] += 1
    misses = sorted(distance_m(end, centre) for centre in centres)
    assert min(quarters.values()) > 400
    assert misses[1000] > RADIUS_M / 2


@given(centre=ends, radius_m=radii, bearing_rad=bearings, off=st.floats(0, 1))
def test_farthest_end_that_is_covered_has_its_far_side_inside(
    centre: Position, radius_m: int, bearing_rad: float, off: float
) -> None:
    end = beyond(centre, bearing_rad=bearing_rad, way_m=off * radius_m)
    if covers(centre, end, radius_m):
        far_side = beyond(centre, bearing_rad=bearing_rad, way_m=(off + 1) * radius_m)
        assert hiding_circle(centre, radius_m).within([(0, *far_side)]) == {0}


def test_circle_serves_ends_up_to_three_quarters_of_the_radius_and_reaches_one_and_three_quarters() -> None:
    centre = Position(48, 11)
    offs = [off for off in range(200) if covers(centre, beyond(centre, bearing_rad=1, way_m=off), RADIUS_M)]
    assert 145 <= max(offs) <= 150
    assert hiding_circle(centre, RADIUS_M).radius_m == 350
