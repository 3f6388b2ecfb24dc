"""Smooth terrain: the heading, altitude and grade of a course."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from local.strava_simulator.recordings.motion import EARTH_RADIUS_M


@dataclass(frozen=True, slots=True)
class Wave:
    """One sine over distance or time: smooth, and computable at any point."""

    amplitude: float
    length: float
    phase: float

    def value(self, at: float) -> float:
        """The height of the wave."""
        return self.amplitude * math.sin(math.tau * at / self.length + self.phase)

    def slope(self, at: float) -> float:
        """The height gained per unit of length."""
        return self.amplitude * math.tau / self.length * math.cos(math.tau * at / self.length + self.phase)


def draw_waves(rng: Random, amplitude: float, lengths: Sequence[float]) -> tuple[Wave, ...]:
    """Waves of about these lengths; a shorter wave is proportionally flatter, so that no slope dominates."""
    return tuple(
        Wave(
            amplitude=amplitude * length / lengths[0] * rng.uniform(0.6, 1.0),
            length=length * rng.uniform(0.8, 1.25),
            phase=rng.uniform(0.0, math.tau),
        )
        for length in lengths
    )


@dataclass(frozen=True, slots=True)
class Course:
    """A winding loop of about `loop_m` through hills."""

    loop_m: float
    first_heading_rad: float
    base_m: float
    turns: tuple[Wave, ...]
    hills: tuple[Wave, ...]

    @classmethod
    def draw(cls, rng: Random, *, loop_m: float, hills_m: float) -> Course:
        """A course of that length whose biggest hills rise and fall by about `hills_m`."""
        return cls(
            loop_m=max(loop_m, 1.0),
            first_heading_rad=rng.uniform(0.0, math.tau),
            base_m=rng.uniform(30.0, 60.0) + 1.5 * hills_m,
            turns=draw_waves(rng, 0.9, (1500.0, 600.0, 250.0)),
            hills=draw_waves(rng, hills_m, (2600.0, 900.0, 400.0)),
        )

    def altitude_m(self, distance_m: float) -> float:
        """The altitude above sea level."""
        return self.base_m + sum(hill.value(distance_m) for hill in self.hills)

    def grade(self, distance_m: float) -> float:
        """Metres gained per metre."""
        return sum(hill.slope(distance_m) for hill in self.hills)

    def heading_rad(self, distance_m: float) -> float:
        """The heading of the course, clockwise from north."""
        turned = math.tau * distance_m / self.loop_m
        return self.first_heading_rad + turned + sum(turn.value(distance_m) for turn in self.turns)

    def positions(self, start: tuple[float, float], distances: Sequence[float]) -> list[list[float]]:
        """The `[lat, lng]` at each distance, in degrees with six decimals, when the course begins at `start`."""
        lat, lng = start
        last_m = distances[0]
        track = []
        for distance_m in distances:
            step_m, last_m = distance_m - last_m, distance_m
            heading = self.heading_rad(distance_m)
            lng += math.degrees(step_m * math.sin(heading) / (EARTH_RADIUS_M * math.cos(math.radians(lat))))
            lat += math.degrees(step_m * math.cos(heading) / EARTH_RADIUS_M)
            track.append([round(lat, 6), round(lng, 6)])
        return track
