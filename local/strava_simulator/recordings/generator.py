"""Generates activities in every shape that Strava returns; the same seed gives the same activities."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

from local.strava_simulator.recordings.details import describe
from local.strava_simulator.recordings.facts import Facts, title
from local.strava_simulator.recordings.kinds import PROFILES, Kind, Profile
from local.strava_simulator.recordings.motion import moving_s
from local.strava_simulator.recordings.sensors import record
from local.strava_simulator.world.activity import SimulatedActivity

__all__ = ["MAX_POINTS", "Kind", "default_name", "generate"]

MAX_POINTS = 20_000
_POOL_M = 25
_UPLOADS_AHEAD = 1_060_000_000
"""Upload ids are separate from activity ids, and higher."""


def generate(
    kind: Kind,
    *,
    seed: int,
    activity_id: int,
    athlete_id: int,
    start_at: datetime,
    name: str | None = None,
    points: int | None = None,
) -> SimulatedActivity:
    """One activity that began at `start_at`.

    Shape: streams of `points` samples (1 to 20,000; the default depends on the kind), one second apart except for the
    trail run's pause; None for the treadmill and the swim, which last that many seconds instead. The samples depend
    only on kind, seed and points. A few activities have missing samples (None).

    Errors: `ValueError` for a naive `start_at` or a number of points out of range.
    """
    if start_at.tzinfo is None:
        raise ValueError(f"start_at {start_at} has no time zone: pass an aware datetime")
    if points is not None and not 1 <= points <= MAX_POINTS:
        raise ValueError(f"points is {points}: choose 1 to {MAX_POINTS}")
    profile = PROFILES[kind]
    rng = Random(f"{kind}:{seed}")
    usual = rng.randint(*profile.usual_points)
    count = usual if points is None else points
    streams = _streams(record(profile, count, rng)) if profile.channels else None
    distance_m, elapsed_s, active_s = _measures(profile, count, streams)
    uploaded = not profile.manual
    facts = Facts(
        activity_id=activity_id,
        athlete_id=athlete_id,
        name=default_name(kind, start_at) if name is None else name,
        sport_type=profile.sport_type,
        start_at=start_at,
        distance_m=distance_m,
        elapsed_s=elapsed_s,
        moving_s=active_s,
        upload_id=activity_id + _UPLOADS_AHEAD if uploaded else None,
        external_id=profile.external_id.format(number=activity_id * 7 + 3) if profile.external_id else None,
        device_name=profile.device_name,
        trainer=profile.trainer,
        manual=profile.manual,
        lap_m=profile.lap_m,
        kudos=rng.randint(0, 40),
    )
    return SimulatedActivity(detail=describe(facts, streams), streams=streams)


def default_name(kind: Kind, start_at: datetime) -> str:
    """The name that Strava gives an activity of this kind that began at that time, such as "Morning Run"."""
    return title(PROFILES[kind].noun, start_at)


def _streams(samples: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {"data": data, "series_type": "distance", "original_size": len(data), "resolution": "high"}
        for name, data in samples.items()
    }


def _measures(profile: Profile, count: int, streams: dict[str, dict[str, Any]] | None) -> tuple[float, int, int]:
    """Distance, elapsed and moving time; a pool or a treadmill counts lengths of 25 m."""
    if streams is None:
        return float(int(profile.speed_mps * count / _POOL_M) * _POOL_M), count, count
    time, distances, moving = (streams[name]["data"] for name in ("time", "distance", "moving"))
    return distances[-1], time[-1], moving_s(time, moving)
