"""The circle that hides a place: moved at random, so that the place is not its centre, and wider than the radius."""

from __future__ import annotations

import math
from collections.abc import Callable

from include.circle import Circle, Position, beyond, distance_m

_REACH = 1.75
_COVERS = 0.74
_FARTHEST = 0.65
"""All in units of the hidden radius. A circle has a radius of 1¾. It covers an end at most ¾ from its centre, because
then everything within one radius of that end lies inside it; 0.74 leaves a margin for the earth's flattening. A new
centre is drawn at most 0.65 from the end, so that the same circle also covers an end that the next recording places
some metres away."""

RandomFraction = Callable[[], float]
"""Returns an unpredictable random number, uniform in [0, 1)."""


def covers(centre: Position, end: Position, radius_m: float) -> bool:
    """Whether a circle around `centre` hides everything within the radius of this end."""
    return distance_m(centre, end) <= _COVERS * radius_m


def random_centre(end: Position, radius_m: float, draw: RandomFraction) -> Position:
    """A random centre for the circle that hides this end: any direction alike, a longer distance more likely."""
    return beyond(end, bearing_rad=2 * math.pi * draw(), way_m=_FARTHEST * radius_m * draw() ** 0.25)


def hiding_circle(centre: Position, radius_m: float) -> Circle:
    """The circle whose points every track leaves out."""
    return Circle(centre, _REACH * radius_m)
