"""Distance, speed and standstill from times and positions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.strava_simulator.recordings import motion
from local.strava_simulator.recordings.generator import Kind
from local.strava_simulator.world.activity import SimulatedActivity

position = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        pytest.param((52.5, 13.4), (52.5, 13.4), 0.0, id="same-place"),
        pytest.param((0.0, 0.0), (0.0, 1.0), 111_194.9, id="one-degree-of-the-equator"),
        pytest.param((52.5, 13.4), (48.85, 2.35), 877_500.0, id="berlin-to-paris"),
        pytest.param((0.0, 179.5), (0.0, -179.5), 111_194.9, id="across-the-date-line"),
        pytest.param((90.0, 0.0), (-90.0, 0.0), 20_015_086.8, id="pole-to-pole"),
    ],
)
def test_haversine_measures_known_distances(a: tuple[float, float], b: tuple[float, float], metres: float) -> None:
    assert motion.haversine_m(a, b) == pytest.approx(metres, rel=0.001)


@given(position, position)
def test_haversine_is_symmetric_and_at_most_half_the_earth(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert motion.haversine_m(a, b) == pytest.approx(motion.haversine_m(b, a), abs=1e-6)
    assert 0.0 <= motion.haversine_m(a, b) <= 20_015_087.0


def test_distance_along_carries_the_distance_over_missing_positions() -> None:
    metres = motion.distance_along([None, (0.0, 0.0), None, (0.0, 0.001)])
    assert metres == [0.0, 0.0, 0.0, pytest.approx(111.19, abs=0.01)]
    assert motion.distance_along([]) == []


def test_rising_fills_gaps_and_ignores_steps_back() -> None:
    assert motion.rising([None, 1.0, None, 3.0, 0.0, 4.0]) == [0.0, 1.0, 1.0, 3.0, 3.0, 4.0]


def test_velocity_is_constant_at_constant_speed_and_zero_at_the_start() -> None:
    speeds = motion.velocities_mps(list(range(20)), [3.0 * second for second in range(20)])
    assert speeds == [0.0, *[pytest.approx(3.0)] * 19]


def test_velocity_after_a_pause_is_that_of_the_pause() -> None:
    speeds = motion.velocities_mps([0, 1, 2, 302, 303], [0.0, 3.0, 6.0, 6.0, 9.0])
    assert speeds[3] == 0.0


def test_moving_is_false_for_first_point_pause_and_standstill() -> None:
    time = [0, 1, 2, 302, 303]
    moving = motion.moving_flags(time, [0.0, 3.0, 3.1, 9.1, 12.1])
    assert moving == [False, True, False, False, True]
    assert motion.moving_s(time, moving) == 2


def test_generated_track_is_as_long_as_its_distance(make: Callable[..., SimulatedActivity]) -> None:
    activity = make(Kind.RIDE, points=3000)
    along_m = motion.distance_along((activity.streams or {})["latlng"]["data"])[-1]
    assert along_m == pytest.approx(activity.detail["distance"], rel=0.01)


def test_generated_track_comes_back_near_its_start(make: Callable[..., SimulatedActivity]) -> None:
    for seed in range(8):
        detail = make(Kind.RIDE, seed=seed, points=3000).detail
        assert motion.haversine_m(detail["start_latlng"], detail["end_latlng"]) < 0.3 * detail["distance"]
