"""The expected row of `activities` for an activity at Strava, computed without the lake's own code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local.strava_simulator.world.activities import summary
from local.strava_simulator.world.activity import SimulatedActivity
from local.strava_simulator.world.privacy import HIDDEN_START, with_start_as_shown

_AS_AT_STRAVA = (
    *("external_id", "upload_id", "name", "description", "sport_type", "type", "workout_type", "has_heartrate"),
    *("average_watts", "max_watts", "weighted_average_watts", "device_watts", "kilojoules", "suffer_score", "trainer"),
    *("commute", "manual", "private", "visibility", "flagged", "hide_from_home", "from_accepted_tag", "gear_id"),
    *("device_name", "kudos_count", "comment_count", "photo_count", "total_photo_count", "achievement_count"),
    *("pr_count", "athlete_count"),
)
_RENAMED = {
    "activity_id": "id",
    "utc_offset_s": "utc_offset",
    "elapsed_s": "elapsed_time",
    "moving_s": "moving_time",
    "distance_m": "distance",
    "total_elevation_gain_m": "total_elevation_gain",
    "elev_high_m": "elev_high",
    "elev_low_m": "elev_low",
    "average_speed_mps": "average_speed",
    "max_speed_mps": "max_speed",
    "average_heartrate_bpm": "average_heartrate",
    "max_heartrate_bpm": "max_heartrate",
    "average_cadence_rpm": "average_cadence",
    "average_temp_c": "average_temp",
    "calories_kcal": "calories",
}
OWN = frozenset({"extra_json", "has_detail", "source", "updated_at"})
"""Columns that are not from Strava's answers."""


def expected_row(truth: SimulatedActivity, parent_activity_id: int | None, *, has_detail: bool) -> dict[str, Any]:
    """Every column but `OWN`; without a detailed answer, those in a list. Times have no zone, in UTC."""
    shown = with_start_as_shown(truth.detail)
    answer = shown if has_detail else summary(truth.detail)
    return {
        **{column: answer.get(column) for column in _AS_AT_STRAVA},
        **{column: answer.get(field) for column, field in _RENAMED.items()},
        **dict(_place(answer)),
        "start_ts_utc": datetime.fromisoformat(shown["start_date"]).astimezone(UTC).replace(tzinfo=None),
        "start_ts_local": datetime.fromisoformat(shown["start_date_local"]).replace(tzinfo=None),
        "timezone": re.sub(r"^\(GMT[^)]*\) *", "", answer.get("timezone") or "") or None,
        "start_time_hidden": bool(truth.detail.get(HIDDEN_START)),
        "summary_polyline": (answer.get("map") or {}).get("summary_polyline") or None,
        "point_count": max((len(stream["data"]) for stream in (truth.streams or {}).values()), default=0),
        "stream_types": sorted(truth.streams or {}),
        "is_copy": parent_activity_id is not None,
        "parent_activity_id": parent_activity_id,
    }


def row_differences(truth: SimulatedActivity, row: Mapping[str, Any], parent_activity_id: int | None) -> Iterator[str]:
    """Each column of the row that differs from Strava."""
    for column, value in expected_row(truth, parent_activity_id, has_detail=row["has_detail"]).items():
        found = row[column].replace(tzinfo=None) if isinstance(row[column], datetime) else row[column]
        if found != value:
            yield f"{column}: {row[column]!r}, at Strava {value!r}"


def _place(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for end in ("start", "end"):
        pair = answer.get(f"{end}_latlng") or (None, None)
        yield from zip((f"{end}_lat", f"{end}_lon"), (None, None) if list(pair) == [0, 0] else pair, strict=True)
