"""The samples that a watch or a bike computer records every second on a course."""

from __future__ import annotations

from random import Random
from typing import Any

from local.strava_simulator.recordings.kinds import Profile
from local.strava_simulator.recordings.motion import moving_flags
from local.strava_simulator.recordings.terrain import Course, draw_waves

_RIDER_KG = 78.0
_GRAVITY = 9.81
_ROLLING_RESISTANCE = 0.005
_HALF_AIR_DRAG = 0.192
_COASTING_GRADE = -0.04
_FEWEST_FOR_GAPS = 20
"""Shorter recordings have no pause and no missing value."""


def record(profile: Profile, count: int, rng: Random) -> dict[str, list[Any]]:
    """The streams' samples by type, those of `profile.channels`.

    Shape: every list has `count` samples; a few recordings miss some watts or heart rates (None).
    Units: Strava's: s, m, degrees, m/s, beats and revolutions per minute, W, °C, percent.
    """
    course = Course.draw(rng, loop_m=count * profile.speed_mps, hills_m=profile.hills_m)
    speeds, distances = _travel(profile, course, count, rng)
    time = _times(profile, count, rng)
    grades = [course.grade(distance_m) for distance_m in distances]
    rounded = [round(distance_m, 1) for distance_m in distances]
    samples: dict[str, list[Any]] = {
        "time": time,
        "distance": rounded,
        "latlng": [list(pair) for pair in course.positions(profile.place or (0.0, 0.0), distances)],
        "altitude": [round(course.altitude_m(distance_m), 1) for distance_m in distances],
        "velocity_smooth": [round(speed, 3) for speed in speeds],
        "heartrate": _heart_rates(profile, speeds, grades, rng),
        "cadence": _cadences(profile, speeds, grades, rng),
        "watts": _watts(speeds, grades, rng),
        "temp": _temperatures(count, rng),
        "moving": moving_flags(time, rounded),
        "grade_smooth": [round(100 * grade, 1) for grade in grades],
    }
    recorded = {channel: samples[channel] for channel in profile.channels}
    _lose_some(recorded, count, rng)
    return recorded


def _travel(profile: Profile, course: Course, count: int, rng: Random) -> tuple[list[float], list[float]]:
    stops = _stops(profile, count, rng)
    moods = draw_waves(rng, 0.08, (700.0, 160.0, 45.0))
    speeds, distances = [], []
    distance_m = 0.0
    for second in range(count):
        mood = 1.0 + sum(wave.value(second) for wave in moods)
        hill = min(1.35, max(0.45, 1.0 - 5.0 * course.grade(distance_m)))
        speed_mps = 0.0 if second in stops else profile.speed_mps * mood * hill
        distance_m += speed_mps if second else 0.0
        speeds.append(speed_mps)
        distances.append(distance_m)
    return speeds, distances


def _stops(profile: Profile, count: int, rng: Random) -> set[int]:
    if profile.stop_every_s is None:
        return set()
    stops: set[int] = set()
    start = round(profile.stop_every_s * rng.uniform(0.3, 1.2))
    while start < count:
        stops.update(range(start, start + rng.randint(12, 45)))
        start += round(profile.stop_every_s * rng.uniform(0.6, 1.4))
    return stops


def _times(profile: Profile, count: int, rng: Random) -> list[int]:
    paused_at = round(count * rng.uniform(0.3, 0.7))
    pause_s = rng.randint(120, 1200)
    if not profile.device_pause or count < _FEWEST_FOR_GAPS:
        return list(range(count))
    return [second + (pause_s if second >= paused_at else 0) for second in range(count)]


def _heart_rates(profile: Profile, speeds: list[float], grades: list[float], rng: Random) -> list[int]:
    level = rng.uniform(95.0, 110.0)
    steady = rng.uniform(138.0, 152.0)
    rates = []
    for speed, grade in zip(speeds, grades, strict=True):
        effort = min(1.3, max(0.0, speed / profile.speed_mps * (1.0 + 5.0 * grade)))
        level += (75.0 + (steady - 75.0) * effort - level) / 45.0
        rates.append(round(level + rng.gauss(0.0, 0.6)))
    return rates


def _cadences(profile: Profile, speeds: list[float], grades: list[float], rng: Random) -> list[int]:
    coasts = "watts" in profile.channels
    cadences = []
    for speed, grade in zip(speeds, grades, strict=True):
        still = speed == 0.0 or (coasts and grade < _COASTING_GRADE)
        drift = 12.0 * (speed / profile.speed_mps - 1.0)
        cadences.append(0 if still else max(30, round(profile.cadence_rpm + drift + rng.gauss(0.0, 1.5))))
    return cadences


def _watts(speeds: list[float], grades: list[float], rng: Random) -> list[int]:
    watts = []
    for speed, grade in zip(speeds, grades, strict=True):
        force = _RIDER_KG * _GRAVITY * (grade + _ROLLING_RESISTANCE) + _HALF_AIR_DRAG * speed**2
        power = speed * force * rng.gauss(1.0, 0.12)
        watts.append(0 if grade < _COASTING_GRADE else round(min(1100.0, max(0.0, power))))
    return watts


def _temperatures(count: int, rng: Random) -> list[int]:
    start = rng.uniform(4.0, 26.0)
    waves = draw_waves(rng, 2.0, (5400.0, 1500.0))
    return [round(start + sum(wave.value(second) for wave in waves)) for second in range(count)]


def _lose_some(recorded: dict[str, list[Any]], count: int, rng: Random) -> None:
    """Remove the end of the watts or the beginning of the heart rates in one of four recordings, as in real ones."""
    lost = rng.randint(1, max(1, count // 20))
    if rng.random() >= 0.25 or count < _FEWEST_FOR_GAPS:
        return
    if "watts" in recorded:
        recorded["watts"][-lost:] = [None] * lost
    elif "heartrate" in recorded:
        recorded["heartrate"][:lost] = [None] * lost
