"""Drawn outings from one door, in metres around it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random

from include.circle import Position
from include.strava.models import StreamSet

Point = tuple[float, float]
"""East and north of the door, in metres."""

_M_PER_DEG = 111_195.08
_STEP_M = 5.0
_LEG_M = 600.0
_STRAY_M = 3.0
"""How far from the door the first and the last position are found, on either axis."""


@dataclass(frozen=True, slots=True)
class Door:
    """The home of an athlete."""

    at: Position

    @classmethod
    def drawn(cls, rng: Random) -> Door:
        """A random door between 50° south and 65° north."""
        return cls(Position(rng.uniform(-50, 65), rng.uniform(-179, 179)))

    def position(self, point: Point) -> Position:
        """The position on earth of a point near the door."""
        east_deg = point[0] / (_M_PER_DEG * math.cos(math.radians(self.at.latitude_deg)))
        return Position(self.at.latitude_deg + point[1] / _M_PER_DEG, self.at.longitude_deg + east_deg)

    def point(self, position: Position) -> Point:
        """The point near the door of a position on earth."""
        east_m = (position.longitude_deg - self.at.longitude_deg) * math.cos(math.radians(self.at.latitude_deg))
        return east_m * _M_PER_DEG, (position.latitude_deg - self.at.latitude_deg) * _M_PER_DEG


def outing(rng: Random) -> list[Point]:
    """A track that leaves the door and returns another way; every third one passes the door in between."""
    out, back = list(_leg(rng)), list(_leg(rng))
    return [*out, *(_passage(rng) if rng.random() < 1 / 3 else ()), *reversed(back)]


def recording(door: Door, points: Sequence[Point]) -> StreamSet:
    """The streams of an outing."""
    steps = [math.dist(here, there) for here, there in pairwise(points)]
    latlng = [list(door.position(point)) for point in points]
    distance = list(accumulate(steps, initial=0.0))
    return StreamSet({"time": list(range(len(points))), "latlng": latlng, "distance": distance}, b"")


def _leg(rng: Random) -> Iterator[Point]:
    east, north, bearing = rng.gauss(0, _STRAY_M), rng.gauss(0, _STRAY_M), rng.uniform(0, 2 * math.pi)
    for _ in range(int(_LEG_M / _STEP_M)):
        yield east, north
        bearing += rng.gauss(0, 0.08)
        east, north = east + _STEP_M * math.sin(bearing), north + _STEP_M * math.cos(bearing)


def _passage(rng: Random) -> Iterator[Point]:
    bearing, aside_m = rng.uniform(0, 2 * math.pi), rng.uniform(10, 180)
    sine, cosine = math.sin(bearing), math.cos(bearing)
    for step in range(int(2 * _LEG_M / _STEP_M)):
        along_m = step * _STEP_M - _LEG_M
        yield along_m * sine + aside_m * cosine, along_m * cosine - aside_m * sine
