"""Divides an activity by distance: the device's laps, and the splits per kilometre and mile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from local.strava_simulator.recordings.facts import Facts, local_text, utc_text
from local.strava_simulator.recordings.motion import moving_s, rising

Channels = Mapping[str, Sequence[Any]]
"""The samples of each stream type, all of one length."""


@dataclass(frozen=True, slots=True)
class Section:
    """The steps that end at the points after `before` up to `last`; a section begins where the previous one ended."""

    before: int
    last: int
    channels: Channels
    distances: Sequence[float]
    """The activity's distances without gaps; empty where none were measured."""

    @property
    def first(self) -> int:
        """The section's first point; the first section includes point 0."""
        return self.before + 1 if self.before else 0

    @property
    def elapsed_s(self) -> int:
        """Seconds from start to end."""
        time = self.channels["time"]
        return int(time[self.last] - time[self.before])

    @property
    def moving_s(self) -> int:
        """Seconds in motion."""
        if "moving" not in self.channels:
            return self.elapsed_s
        steps = slice(self.before, self.last + 1)
        return moving_s(self.channels["time"][steps], self.channels["moving"][steps])

    @property
    def distance_m(self) -> float:
        """Metres from start to end."""
        if not self.distances:
            return 0.0
        return round(self.distances[self.last] - self.distances[self.before], 1)

    def known(self, channel: str) -> list[Any]:
        """The samples of one stream in this section, without the missing ones."""
        samples = self.channels.get(channel, ())[self.first : self.last + 1]
        return [sample for sample in samples if sample is not None]


def cut(channels: Channels, length_m: float | None) -> list[Section]:
    """The activity in sections of that length, the last one shorter; one section without a length."""
    last = len(channels["time"]) - 1
    distances = rising(channels.get("distance", ()))
    ends = _ends(distances, length_m) if length_m else []
    bounds = [0, *(end for end in ends if 0 < end < last), last]
    return [Section(before, end, channels, distances) for before, end in pairwise(bounds)]


def laps(facts: Facts, channels: Channels) -> list[dict[str, Any]]:
    """The laps of a detailed activity."""
    return [_lap(facts, number, section) for number, section in enumerate(cut(channels, facts.lap_m), start=1)]


def splits(channels: Channels, length_m: float) -> list[dict[str, Any]]:
    """The splits of a detailed activity; none without a distance."""
    if "distance" not in channels:
        return []
    return [_split(number, section) for number, section in enumerate(cut(channels, length_m), start=1)]


def mean(samples: Sequence[float], digits: int) -> float:
    """The rounded average of at least one sample."""
    return round(sum(samples) / len(samples), digits)


def climbed_m(altitudes: Sequence[float]) -> float:
    """The metres climbed; descents are not subtracted."""
    return round(sum((max(0.0, after - before) for before, after in pairwise(altitudes)), 0.0), 1)


def _ends(distances: Sequence[float], length_m: float) -> list[int]:
    ends = []
    goal_m = length_m
    for index, distance_m in enumerate(distances):
        if distance_m >= goal_m:
            ends.append(index)
            goal_m = (distance_m // length_m + 1) * length_m
    return ends


def _lap(facts: Facts, number: int, section: Section) -> dict[str, Any]:
    begin = facts.start_at + timedelta(seconds=int(section.channels["time"][section.before]))
    lap = {
        "id": facts.activity_id * 1000 + number,
        "resource_state": 2,
        "name": f"Lap {number}",
        "activity": {"id": facts.activity_id, "visibility": "everyone", "resource_state": 1},
        "athlete": {"id": facts.athlete_id, "resource_state": 1},
        "elapsed_time": section.elapsed_s,
        "moving_time": section.moving_s,
        "start_date": utc_text(begin),
        "start_date_local": local_text(begin),
        "distance": section.distance_m,
        "average_speed": round(section.distance_m / (section.moving_s or 1), 2),
        "max_speed": max(section.known("velocity_smooth"), default=0.0),
        "lap_index": number,
        "split": number,
        "start_index": section.first,
        "end_index": section.last,
        "total_elevation_gain": climbed_m(section.known("altitude")),
        "device_watts": "watts" in section.channels,
        "pace_zone": 0,
    }
    return lap | _averages(section)


def _averages(section: Section) -> dict[str, Any]:
    averages: dict[str, Any] = {}
    if beats := section.known("heartrate"):
        averages |= {"average_heartrate": mean(beats, 1), "max_heartrate": float(max(beats))}
    if cadences := section.known("cadence"):
        averages["average_cadence"] = mean(cadences, 1)
    if watts := section.known("watts"):
        averages["average_watts"] = mean(watts, 1)
    return averages


def _split(number: int, section: Section) -> dict[str, Any]:
    altitudes = section.known("altitude")
    split = {
        "distance": section.distance_m,
        "elapsed_time": section.elapsed_s,
        "elevation_difference": round(altitudes[-1] - altitudes[0], 1) if altitudes else 0.0,
        "moving_time": section.moving_s,
        "split": number,
        "average_speed": round(section.distance_m / (section.moving_s or 1), 2),
        "average_grade_adjusted_speed": None,
        "pace_zone": 0,
    }
    beats = section.known("heartrate")
    return split | ({"average_heartrate": mean(beats, 2)} if beats else {})
