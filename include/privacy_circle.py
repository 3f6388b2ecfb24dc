"""A circle that hides a place without revealing it as its centre: moved at random, and wider than the hidden radius."""

from __future__ import annotations

import math
from collections.abc import Callable

from include.circle import Circle, Position, beyond, distance_m

_REACH = 1.75
_COVERS = 0.74
_FARTHEST = 0.65
"""All in radii. A circle reaches 1¾ from its centre. It covers an end up to ¾ from the centre: then everything within
one radius of that end lies inside it; the hundredth that is missing is the earth's flattening. A new centre is drawn up
to 0.65 away, so that the same door, found some metres away by the next recording, is covered by the same circle."""

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
