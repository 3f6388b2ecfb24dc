"""Input sizes of the bench."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of all inputs, and how often each is measured: median and spread count."""

    rounds: int
    ride_points: int
    """The long ride of `parquet_write`: five hours."""
    gpx_points: int
    hour_points: int
    """An activity of an hour, the unit of the lake's rows."""
    month_activities: int
    """Activities in a full month object: 28 hours are 100,800 rows."""
    year_months: int
    raw_athletes: int
    """Athletes whose month is made again from raw objects, `month_activities` each."""
    events: int
    followed: int
    """Events that are followed through a running system: an odd number, so that one has the median time."""
    backfilled: int


FULL = Scale(
    rounds=7,
    ride_points=18_000,
    gpx_points=20_000,
    hour_points=3_600,
    month_activities=28,
    year_months=12,
    raw_athletes=6,
    events=1_400,
    followed=9,
    backfilled=400,
)
"""The sizes at which the claims have to hold."""

QUICK = Scale(
    rounds=3,
    ride_points=6_000,
    gpx_points=6_000,
    hour_points=1_200,
    month_activities=8,
    year_months=6,
    raw_athletes=4,
    events=300,
    followed=3,
    backfilled=400,
)
"""Sizes for a look of two minutes; small inputs make every ratio a little worse."""
