"""The facts of an activity that are not in its streams, and Strava's date formats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

TIMEZONE = "(GMT+01:00) Europe/Berlin"
"""Every simulated athlete lives in Berlin; Strava's text has the winter offset all year."""
_ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Facts:
    """The input of `details.describe` that is not in the streams.

    Shape: `upload_id` and `external_id` are None for an activity typed in by hand (`manual`).
    `lap_m` is the length of the device's automatic laps, None for a single lap.
    """

    activity_id: int
    athlete_id: int
    name: str
    sport_type: str
    start_at: datetime
    """Aware."""
    distance_m: float
    elapsed_s: int
    moving_s: int
    upload_id: int | None = None
    external_id: str | None = None
    device_name: str | None = None
    description: str | None = None
    trainer: bool = False
    commute: bool = False
    manual: bool = False
    lap_m: float | None = None
    kudos: int = 0


def utc_text(at: datetime) -> str:
    """The instant as Strava writes `start_date`: UTC, whole seconds, `Z`."""
    return f"{at.astimezone(ZoneInfo('UTC')):%Y-%m-%dT%H:%M:%SZ}"


def local_text(at: datetime) -> str:
    """The athlete's wall clock as Strava writes `start_date_local`: with a wrong `Z`."""
    return f"{at.astimezone(_ZONE):%Y-%m-%dT%H:%M:%SZ}"


def utc_offset_s(at: datetime) -> float:
    """How far the athlete's wall clock is ahead of UTC at that instant, summer time included."""
    return (at.astimezone(_ZONE).utcoffset() or timedelta()).total_seconds()


def title(noun: str, at: datetime) -> str:
    """The name that Strava gives an activity without one, such as "Morning Run"."""
    hour = at.astimezone(_ZONE).hour
    for until, part in ((4, "Night"), (11, "Morning"), (14, "Lunch"), (17, "Afternoon"), (21, "Evening")):
        if hour < until:
            return f"{part} {noun}"
    return f"Night {noun}"
