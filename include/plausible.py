"""What a sample can be: the one table of ranges by which copies and queries leave a sensor's slips out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """The values from `low` to `high`, both included."""

    low: float
    high: float


PLAUSIBLE: Mapping[str, Range] = {
    "time": Range(0, 1e8),
    "distance": Range(0, 1e8),
    "altitude": Range(-1_000, 15_000),
    "velocity_smooth": Range(0, 150),
    "heartrate": Range(15, 300),
    "cadence": Range(0, 254),
    "watts": Range(0, 5_000),
    "temp": Range(-90, 100),
}
"""By Strava's name of the stream, in Strava's units. The lake keeps what was recorded; queries leave out the rest."""

LATITUDE_DEG = Range(-90, 90)
LONGITUDE_DEG = Range(-180, 180)
