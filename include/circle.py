"""Positions and circles on a spherical earth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

_EARTH_RADIUS_M = 6_371_008.8


class Position(NamedTuple):
    """A place on the earth."""

    latitude_deg: float
    longitude_deg: float


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle on the earth: the places within `radius_m` of `centre`."""

    centre: Position
    radius_m: float

    def within(self, places: Iterable[tuple[int, float, float]]) -> set[int]:
        """The indices of the places in the circle; a place is an index, a latitude and a longitude."""
        reach_deg = math.degrees(self.radius_m / _EARTH_RADIUS_M) * 1.001
        south, north = self.centre.latitude_deg - reach_deg, self.centre.latitude_deg + reach_deg
        near = [place for place in places if south <= place[1] <= north]  # skips the trigonometry for most places
        return {
            number
            for number, latitude, longitude in near
            if distance_m(self.centre, Position(latitude, longitude)) <= self.radius_m
        }


def distance_m(here: Position, there: Position) -> float:
    """The great-circle distance: haversine on the mean Earth radius, within 0.6 % of that on the ellipsoid."""
    lat, to_lat = math.radians(here.latitude_deg), math.radians(there.latitude_deg)
    across = math.radians(there.longitude_deg - here.longitude_deg)
    chord = math.sin((to_lat - lat) / 2) ** 2 + math.cos(lat) * math.cos(to_lat) * math.sin(across / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(chord, 1.0)))


def beyond(here: Position, *, bearing_rad: float, way_m: float) -> Position:
    """The place at that distance from here, in the direction of the bearing, which counts clockwise from north."""
    lat, angle = math.radians(here.latitude_deg), way_m / _EARTH_RADIUS_M
    to_lat = math.asin(math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing_rad))
    east = math.sin(bearing_rad) * math.sin(angle) * math.cos(lat)
    north = math.cos(angle) - math.sin(lat) * math.sin(to_lat)
    longitude_deg = here.longitude_deg + math.degrees(math.atan2(east, north))
    return Position(math.degrees(to_lat), (longitude_deg + 180) % 360 - 180)
