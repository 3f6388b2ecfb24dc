"""An athlete's privacy settings: hidden start times, and a zone around a place."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.strava_simulator.recordings import polyline
from local.strava_simulator.world.activity import SimulatedActivity

HIDDEN_START = "start_time_is_hidden"
"""The simulator's own mark in a detail, which no answer shows."""

_EARTH_RADIUS_M = 6_371_008.8
_SUMMARY_POINTS = 60


@dataclass(frozen=True, slots=True)
class Zone:
    """A circle around a place; the ends of a track in it are removed."""

    lat: float
    lng: float
    radius_m: float

    def hides(self, position: Sequence[float] | None) -> bool:
        """Whether the position is in the zone."""
        if position is None:
            return True
        east = math.radians(position[1] - self.lng) * math.cos(math.radians(self.lat))
        return math.hypot(east, math.radians(position[0] - self.lat)) * _EARTH_RADIUS_M <= self.radius_m


def keep_zone(db: sqlite3.Connection, athlete_id: int, zone: Zone) -> None:
    """Replace the athlete's zone."""
    db.execute("INSERT OR REPLACE INTO zones VALUES (?, ?, ?, ?)", (athlete_id, zone.lat, zone.lng, zone.radius_m))


def zone_of(db: sqlite3.Connection, athlete_id: int) -> Zone | None:
    """The athlete's zone, None without one."""
    row = db.execute("SELECT lat, lng, radius_m FROM zones WHERE athlete_id = ?", (athlete_id,)).fetchone()
    return Zone(*row) if row else None


def with_start_as_shown(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The detail in answers: a hidden start reads 00:00:01 of its day, in UTC and in local time."""
    shown = {key: value for key, value in detail.items() if key != HIDDEN_START}
    if detail.get(HIDDEN_START):
        for clock in ("start_date", "start_date_local"):
            shown[clock] = f"{detail[clock][:10]}T00:00:01Z"
    return shown


def cropped(activity: SimulatedActivity, zone: Zone | None) -> SimulatedActivity:
    """The activity as a token without `activity:read_all` sees it."""
    track = (activity.streams or {}).get("latlng")
    if zone is None or activity.streams is None or track is None:
        return activity
    seen = [at for at, position in enumerate(track["data"]) if not zone.hides(position)]
    begin, end = (seen[0], seen[-1] + 1) if seen else (0, 0)
    streams = {
        kind: {**stream, "data": stream["data"][begin:end], "original_size": end - begin}
        for kind, stream in activity.streams.items()
    }
    left = [position for position in streams["latlng"]["data"] if position is not None]
    line = polyline.encode(polyline.thin(left, _SUMMARY_POINTS))
    detail = {
        **activity.detail,
        "start_latlng": left[0] if left else [],
        "end_latlng": left[-1] if left else [],
        "map": {**(activity.detail.get("map") or {}), "polyline": line, "summary_polyline": line},
    }
    return SimulatedActivity(detail, streams)
