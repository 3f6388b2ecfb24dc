"""Distance, speed and motion, which Strava derives from times and positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

EARTH_RADIUS_M = 6_371_000.0
STILL_MPS = 0.3
"""Below this speed an athlete counts as standing. Strava publishes no number; this one separates walking from drift."""
_WINDOW_S = 5

LatLng = Sequence[float]


def haversine_m(a: LatLng, b: LatLng) -> float:
    """The great-circle distance between two `[lat, lng]` pairs in degrees."""
    lat_a, lng_a, lat_b, lng_b = map(math.radians, (*a, *b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lng_b - lng_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def distance_along(positions: Sequence[LatLng | None]) -> list[float]:
    """The metres covered up to each position; a missing position adds none."""
    total_m = 0.0
    last: LatLng | None = None
    distances = []
    for position in positions:
        if position is not None:
            total_m += haversine_m(last, position) if last is not None else 0.0
            last = position
        distances.append(total_m)
    return distances


def rising(distances: Sequence[float | None]) -> list[float]:
    """The distances without gaps and without backward steps: both occur in devices' files."""
    filled = []
    furthest_m = 0.0
    for distance_m in distances:
        furthest_m = max(furthest_m, distance_m or 0.0)
        filled.append(furthest_m)
    return filled


def velocities_mps(time: Sequence[int], distances: Sequence[float]) -> list[float]:
    """The speed at each point, over the five seconds before it or over the gap that ends there."""
    speeds = []
    start = 0
    for index in range(len(time)):
        while start + 1 < index and time[index] - time[start + 1] >= _WINDOW_S:
            start += 1
        elapsed_s = time[index] - time[start]
        speeds.append((distances[index] - distances[start]) / elapsed_s if elapsed_s else 0.0)
    return speeds


def moving_flags(time: Sequence[int], distances: Sequence[float]) -> list[bool]:
    """Whether the step that ends at each point covered ground; no step ends at the first point."""
    steps = zip(pairwise(time), pairwise(distances), strict=True)
    return [False, *((after - before) / (end - start) >= STILL_MPS for (start, end), (before, after) in steps)]


def moving_s(time: Sequence[int], moving: Sequence[bool]) -> int:
    """The seconds of the steps in motion, without pauses of the device and stops."""
    return sum(end - start for (start, end), on in zip(pairwise(time), moving[1:], strict=True) if on)
