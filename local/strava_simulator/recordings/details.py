"""Builds a DetailedActivity from streams: every total, average and maximum agrees with the samples.

Source: answers recorded in 2018 to 2025; a key that Strava leaves out (no watts, no altitude) is left out here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from local.strava_simulator.recordings import polyline
from local.strava_simulator.recordings.facts import TIMEZONE, Facts, local_text, utc_offset_s, utc_text
from local.strava_simulator.recordings.laps import Channels, climbed_m, laps, mean, splits

_MAP_POINTS = 1000
_SUMMARY_POINTS = 60
_MILE_M = 1609.344
_SMOOTHED_S = 30

_LEGACY_TYPES = {
    "TrailRun": "Run",
    "GravelRide": "Ride",
    "MountainBikeRide": "Ride",
    "EMountainBikeRide": "EBikeRide",
    "VirtualRow": "Rowing",
}


def legacy_type(sport_type: str) -> str:
    """The deprecated `type` that Strava still returns beside `sport_type`."""
    return _LEGACY_TYPES.get(sport_type, sport_type)


def describe(facts: Facts, streams: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Any]:
    """The detail in the answer of `GET /activities/{id}` for an activity of these facts and streams.

    Shape: `resource_state` 3; visible to everyone; no segment efforts. Laps and splits only where there are streams.
    """
    channels = {name: stream["data"] for name, stream in (streams or {}).items()}
    return {
        "resource_state": 3,
        **_identity(facts),
        **_totals(facts),
        **_place(facts, channels),
        **_speeds(facts, channels),
        **_body(channels),
        **_power(facts, channels),
        **_heights(channels),
        **_social(facts),
        **_parts(facts, channels),
    }


def _identity(facts: Facts) -> dict[str, Any]:
    uploaded = facts.upload_id is not None
    return {
        "id": facts.activity_id,
        "athlete": {"id": facts.athlete_id, "resource_state": 1},
        "name": facts.name,
        "description": facts.description,
        "type": legacy_type(facts.sport_type),
        "sport_type": facts.sport_type,
        "workout_type": None,
        "start_date": utc_text(facts.start_at),
        "start_date_local": local_text(facts.start_at),
        "timezone": TIMEZONE,
        "utc_offset": utc_offset_s(facts.start_at),
        "trainer": facts.trainer,
        "commute": facts.commute,
        "manual": facts.manual,
        "private": False,
        "visibility": "everyone",
        "flagged": False,
        "gear_id": None,
        "external_id": facts.external_id,
        "upload_id": facts.upload_id,
        **({"upload_id_str": str(facts.upload_id)} if uploaded else {}),
        **({"device_name": facts.device_name} if facts.device_name else {}),
    }


def _totals(facts: Facts) -> dict[str, Any]:
    return {
        "distance": round(facts.distance_m, 1),
        "moving_time": facts.moving_s,
        "elapsed_time": facts.elapsed_s,
        "calories": float(round(facts.moving_s * 0.17)),
    }


def _place(facts: Facts, channels: Channels) -> dict[str, Any]:
    track = [pair for pair in channels.get("latlng", ()) if pair is not None]
    return {
        "start_latlng": list(track[0]) if track else [],
        "end_latlng": list(track[-1]) if track else [],
        "location_city": None,
        "location_state": None,
        "location_country": None,
        "map": {
            "id": f"a{facts.activity_id}",
            "polyline": polyline.encode(polyline.thin(track, _MAP_POINTS)),
            "resource_state": 3,
            "summary_polyline": polyline.encode(polyline.thin(track, _SUMMARY_POINTS)),
        },
    }


def _speeds(facts: Facts, channels: Channels) -> dict[str, Any]:
    speeds = _known(channels, "velocity_smooth")
    return {
        "average_speed": round(facts.distance_m / facts.moving_s, 3) if facts.moving_s else 0.0,
        "max_speed": max(speeds, default=0.0),
    }


def _body(channels: Channels) -> dict[str, Any]:
    beats, cadences, degrees = (_known(channels, name) for name in ("heartrate", "cadence", "temp"))
    return {
        "has_heartrate": bool(beats),
        **({"average_heartrate": mean(beats, 1), "max_heartrate": float(max(beats))} if beats else {}),
        "heartrate_opt_out": False,
        "display_hide_heartrate_option": bool(beats),
        **({"suffer_score": float(round(sum(beat > 140 for beat in beats) / 40))} if beats else {}),
        **({"average_cadence": mean(cadences, 1)} if cadences else {}),
        **({"average_temp": round(mean(degrees, 1))} if degrees else {}),
    }


def _power(facts: Facts, channels: Channels) -> dict[str, Any]:
    watts = _known(channels, "watts")
    if not watts:
        return {}
    return {
        "device_watts": True,
        "average_watts": mean(watts, 1),
        "weighted_average_watts": _weighted_watts(watts),
        "max_watts": max(watts),
        "kilojoules": round(mean(watts, 1) * facts.moving_s / 1000, 1),
    }


def _weighted_watts(watts: list[int]) -> int:
    """The fourth-power mean of the half-minute averages: Strava's weighted average power."""
    window_s = min(_SMOOTHED_S, len(watts))
    total = sum(watts[:window_s])
    fourth_powers = [(total / window_s) ** 4]
    for leaving, entering in zip(watts, watts[window_s:], strict=False):
        total += entering - leaving
        fourth_powers.append((total / window_s) ** 4)
    return round(math.sqrt(math.sqrt(sum(fourth_powers) / len(fourth_powers))))


def _heights(channels: Channels) -> dict[str, Any]:
    altitudes = _known(channels, "altitude")
    if not altitudes:
        return {"total_elevation_gain": 0.0}
    return {
        "total_elevation_gain": climbed_m(altitudes),
        "elev_high": max(altitudes),
        "elev_low": min(altitudes),
    }


def _social(facts: Facts) -> dict[str, Any]:
    return {
        "achievement_count": 0,
        "kudos_count": facts.kudos,
        "comment_count": 0,
        "athlete_count": 1,
        "photo_count": 0,
        "total_photo_count": 0,
        "pr_count": 0,
        "has_kudoed": False,
        "from_accepted_tag": False,
        "hide_from_home": False,
        "perceived_exertion": None,
        "prefer_perceived_exertion": None,
        "photos": {"primary": None, "count": 0},
        "stats_visibility": [
            {"type": kind, "visibility": "everyone"} for kind in ("heart_rate", "pace", "power", "speed", "calories")
        ],
    }


def _parts(facts: Facts, channels: Channels) -> dict[str, Any]:
    zones = [zone for zone, name in (("heartrate", "heartrate"), ("power", "watts")) if _known(channels, name)]
    parts: dict[str, Any] = {"segment_efforts": [], "best_efforts": [], "available_zones": zones}
    if channels:
        parts |= {
            "laps": laps(facts, channels),
            "splits_metric": splits(channels, 1000.0),
            "splits_standard": splits(channels, _MILE_M),
        }
    return parts


def _known(channels: Channels, name: str) -> list[Any]:
    return [sample for sample in channels.get(name, ()) if sample is not None]
