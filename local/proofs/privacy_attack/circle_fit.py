"""Fits circles to the cut ends of tracks; the centre of the circle is the attacker's guess of the home."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from include.circle import Position, distance_m
from include.crypto.key_file import KeyFileCipher
from include.state.copies.places import Places
from include.store.sqlite import SqliteStore
from local.proofs.privacy_attack.outings import Door, Point, outing, recording
from local.proofs.privacy_attack.rules import RADIUS_M, Rule, Track, by_distance, by_exact_circle, by_moved_circle

OUTINGS = 30


@dataclass(frozen=True, slots=True)
class AttackResult:
    """The attack's result on many homes under one rule."""

    nearest_m: float
    """The shortest distance of a written point from an end of its recording."""
    misses_m: Sequence[float]
    """How far from each door the centre of the fitted circle is."""

    @property
    def miss_m(self) -> float:
        """The median distance between centre and door."""
        return median(self.misses_m)

    def share_within(self, distance_m: float) -> float:
        """The share of the doors that are found to within this distance."""
        return sum(miss_m <= distance_m for miss_m in self.misses_m) / len(self.misses_m)


def attack(doors: int, seed: int, advance: Callable[[int], None] = lambda _done: None) -> Mapping[str, AttackResult]:
    """The attack's result under each rule, by its name; every rule hides the same outings."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "state.sqlite", lambda: 0.0)
        places = Places(store, KeyFileCipher(Path(folder) / "token.key"), Random(f"places:{seed}").random)
        rules: Mapping[str, Rule] = {
            "by distance travelled": by_distance,
            "an exact circle": by_exact_circle,
            "a moved circle": by_moved_circle(places),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in rules}
        for number in range(doors):
            rng = Random(f"{seed}:{number}")
            door = Door.drawn(rng)
            outings = [outing(rng) for _ in range(OUTINGS)]
            for name, rule in rules.items():
                found[name].append(_attacked(door, number + 1, outings, rule))
            advance(number + 1)
        store.close()
    return {
        name: AttackResult(min(nearest for nearest, _ in each), [miss for _, miss in each])
        for name, each in found.items()
    }


def _attacked(door: Door, athlete_id: int, outings: Iterable[Sequence[Point]], rule: Rule) -> tuple[float, float]:
    """The distance of the nearest written point from an end, and that of the fitted centre from the door."""
    nearest, cuts = math.inf, []
    for points in outings:
        track = rule(athlete_id, recording(door, points))
        ends = (door.position(points[0]), door.position(points[-1]))
        near = (place for segment in track for place in segment if math.hypot(*door.point(place)) < 2 * RADIUS_M)
        nearest = min([nearest, *(distance_m(end, place) for place in near for end in ends)])
        cuts += [door.point(place) for place in cut_ends(track)]
    return nearest, math.hypot(*fitted_middle(cuts))


def cut_ends(track: Track) -> list[Position]:
    """The first and the last position of every segment."""
    return [segment[at] for segment in track for at in (0, -1)]


def fitted_middle(points: Sequence[Point]) -> Point:
    """The centre of the circle that fits the points best by Kåsa's method (1976): least squares of areas."""
    middle = tuple(sum(axis) / len(points) for axis in zip(*points, strict=True))
    moved = [(x - middle[0], y - middle[1]) for x, y in points]
    xx, xy, yy = (sum(x**i * y ** (2 - i) for x, y in moved) for i in (2, 1, 0))
    right_x = sum(x * (x * x + y * y) for x, y in moved) / 2
    right_y = sum(y * (x * x + y * y) for x, y in moved) / 2
    divisor = xx * yy - xy * xy
    return (
        middle[0] + (right_x * yy - right_y * xy) / divisor,
        middle[1] + (right_y * xx - right_x * xy) / divisor,
    )
