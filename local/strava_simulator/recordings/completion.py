"""Completes old answers to Strava's present form: missing fields are added, existing ones stay unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from local.strava_simulator.recordings.details import legacy_type

_OLD_SPORT = "Workout"
_NESTED = ("laps", "segment_efforts", "best_efforts")

_PLAIN: Mapping[str, Any] = {
    "name": "",
    "description": None,
    "workout_type": None,
    "distance": 0.0,
    "elapsed_time": 0,
    "total_elevation_gain": 0.0,
    "average_speed": 0.0,
    "max_speed": 0.0,
    "calories": 0.0,
    "trainer": False,
    "commute": False,
    "manual": False,
    "flagged": False,
    "gear_id": None,
    "external_id": None,
    "upload_id": None,
    "start_latlng": [],
    "end_latlng": [],
    "achievement_count": 0,
    "kudos_count": 0,
    "comment_count": 0,
    "athlete_count": 1,
    "photo_count": 0,
    "total_photo_count": 0,
    "pr_count": 0,
    "has_kudoed": False,
    "from_accepted_tag": False,
    "hide_from_home": False,
    "segment_efforts": [],
    "best_efforts": [],
    "available_zones": [],
}


def complete(
    detail: Mapping[str, Any], streams: Mapping[str, Mapping[str, Any]] | None, *, athlete_id: int
) -> dict[str, Any]:
    """The detail in Strava's present form, with `athlete_id` as its athlete.

    Shape: `resource_state` 3; `athlete`, also in laps and efforts, is replaced completely, so that no profile stays.
    Errors: `ValueError` for an invalid date, `TypeError` or `OverflowError` for another field of a wrong type.
    """
    athlete = {"id": athlete_id, "resource_state": 1}
    derived = {**deepcopy(dict(_PLAIN)), **_times(detail), **_sport(detail), **_visibility(detail), **_sensors(streams)}
    whole = {**derived, **detail, "resource_state": 3, "athlete": athlete, "map": _map(detail)}
    if whole["upload_id"] is not None:
        whole.setdefault("upload_id_str", str(whole["upload_id"]))
    for name in _NESTED:
        if isinstance(whole.get(name), list):
            whole[name] = [{**part, "athlete": athlete} for part in whole[name]]
    return whole


def start_at(detail: Mapping[str, Any]) -> datetime:
    """When the activity began, in UTC. Errors: `ValueError` if `start_date` is not a date."""
    at = datetime.fromisoformat(str(detail["start_date"]))
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _times(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The time fields; the wall clock and its offset from UTC follow from each other."""
    started = start_at(detail)
    ahead = timedelta(seconds=detail.get("utc_offset") or 0)
    if detail.get("start_date_local"):
        local = datetime.fromisoformat(str(detail["start_date_local"]))
        ahead = local.replace(tzinfo=UTC) - started
    return {
        "moving_time": detail.get("elapsed_time", 0),
        "start_date_local": f"{started + ahead:%Y-%m-%dT%H:%M:%SZ}",
        "utc_offset": ahead.total_seconds(),
        "timezone": "(GMT+00:00) UTC",
    }


def _sport(detail: Mapping[str, Any]) -> dict[str, Any]:
    sport_type = detail.get("sport_type") or detail.get("type") or _OLD_SPORT
    return {"sport_type": sport_type, "type": legacy_type(sport_type)}


def _visibility(detail: Mapping[str, Any]) -> dict[str, Any]:
    private = bool(detail.get("private"))
    return {
        "private": detail.get("visibility") == "only_me",
        "visibility": "only_me" if private else "everyone",
    }


def _sensors(streams: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Any]:
    beats = (streams or {}).get("heartrate", {}).get("data", ())
    measured = any(beat is not None for beat in beats)
    sensors = {"has_heartrate": measured, "heartrate_opt_out": False, "display_hide_heartrate_option": measured}
    return sensors | ({"device_watts": True} if "watts" in (streams or {}) else {})


def _map(detail: Mapping[str, Any]) -> dict[str, Any]:
    empty = {"id": f"a{detail['id']}", "polyline": "", "resource_state": 3, "summary_polyline": ""}
    return {**empty, **(detail.get("map") or {})}
