"""An activity as its row of `activities`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from include.lake.rows.cells import epoch_ms, reader_of, to_cell
from include.lake.schemas import ACTIVITIES
from include.strava.models import Activity, StreamSet
from include.strava.start_time import start_time_hidden

_FIELDS: Mapping[str, str] = {
    "external_id": "external_id",
    "upload_id": "upload_id",
    "name": "name",
    "description": "description",
    "sport_type": "sport_type",
    "type": "type",
    "workout_type": "workout_type",
    "start_ts_local": "start_date_local",
    "utc_offset_s": "utc_offset",
    "timezone": "timezone",
    "elapsed_s": "elapsed_time",
    "moving_s": "moving_time",
    "distance_m": "distance",
    "total_elevation_gain_m": "total_elevation_gain",
    "elev_high_m": "elev_high",
    "elev_low_m": "elev_low",
    "average_speed_mps": "average_speed",
    "max_speed_mps": "max_speed",
    "has_heartrate": "has_heartrate",
    "average_heartrate_bpm": "average_heartrate",
    "max_heartrate_bpm": "max_heartrate",
    "average_cadence_rpm": "average_cadence",
    "average_temp_c": "average_temp",
    "average_watts": "average_watts",
    "max_watts": "max_watts",
    "weighted_average_watts": "weighted_average_watts",
    "device_watts": "device_watts",
    "kilojoules": "kilojoules",
    "calories_kcal": "calories",
    "suffer_score": "suffer_score",
    "trainer": "trainer",
    "commute": "commute",
    "manual": "manual",
    "private": "private",
    "visibility": "visibility",
    "flagged": "flagged",
    "hide_from_home": "hide_from_home",
    "from_accepted_tag": "from_accepted_tag",
    "gear_id": "gear_id",
    "device_name": "device_name",
    "kudos_count": "kudos_count",
    "comment_count": "comment_count",
    "photo_count": "photo_count",
    "total_photo_count": "total_photo_count",
    "achievement_count": "achievement_count",
    "pr_count": "pr_count",
    "athlete_count": "athlete_count",
}
"""The columns that hold one field of Strava's answer each."""

_READERS = [(column, name, reader_of(ACTIVITIES.field(column).type)) for column, name in _FIELDS.items()]

_COLUMN_OF: Mapping[str, str] = {
    **{field: column for column, field in _FIELDS.items()},
    "start_latlng": "start_lat",
    "end_latlng": "end_lat",
}
RAW_ONLY: Mapping[str, str] = {
    "splits_metric": "each kilometre: time, distance, climb, heart rate",
    "splits_standard": "each mile: the same",
    "best_efforts": "a run's best times over usual distances, by Strava",
    "segment_efforts": "each segment of the activity; an effort has an id and a start, but is not an activity",
    "similar_activities": "a comparison with the athlete's similar activities",
    "gear": "name and total distance of the bike or shoes with the id `gear_id`",
    "photos": "the first photo's addresses; the numbers are in `photo_count` and `total_photo_count`",
}
"""Long or nested fields of a detailed answer, stored in the raw zone only."""

_ELSEWHERE = frozenset(
    {
        # in columns of their own or in `laps`
        *("id", "athlete", "resource_state", "start_date", "map", "laps"),
        # said twice by Strava
        *("upload_id_str", "start_latitude", "start_longitude"),
        *RAW_ONLY,
        # opens a private activity's embedded page
        "embed_token",
    }
)
_FETCHED_FIELDS = frozenset(
    {
        *("name", "sport_type", "type", "visibility", "private"),
        *("start_ts_local", "elapsed_s", "distance_m", "upload_id", "external_id", "manual"),
        *("moving_s", "total_elevation_gain_m", "elev_high_m", "elev_low_m"),
    }
)
"""Fields of a list whose change needs a fetch: copies depend on them, or the recording has changed too."""

LIST_COLUMNS: Mapping[str, str] = {
    **{column: name for column, name in _FIELDS.items() if column not in _FETCHED_FIELDS},
    **{f"{end}_{angle}": f"{end}_latlng" for end in ("start", "end") for angle in ("lat", "lon")},
    "summary_polyline": "map",
}
"""The columns that are updated from a list that has their field, at no call."""

_NOTHING: tuple[Any, ...] = (None, [], {}, [0, 0])
_OFFSET_PREFIX = re.compile(r"^\(GMT[^)]*\)\s*")


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of a row: its source, its time, and for a copy the original activity."""

    source: str
    updated_at_epoch_s: float
    parent_activity_id: int | None = None


def activity_table(
    activity: Activity, streams: StreamSet | None, *, point_count: int, provenance: Provenance
) -> pa.Table:
    """The activity as one row of `activities`; `point_count` is its number of rows in `streams`.

    A value that does not fit its column is null there and stored unchanged in `extra_json`.
    """
    cells = answered_cells(activity) | {
        "activity_id": activity.activity_id,
        "start_ts_utc": epoch_ms(activity.start_at),
        "start_time_hidden": start_time_hidden(activity),
        "point_count": point_count,
        "stream_types": sorted(name for name in streams.channels if to_cell(name, pa.string())) if streams else [],
        "is_copy": provenance.parent_activity_id is not None,
        "parent_activity_id": provenance.parent_activity_id,
        "has_detail": activity.is_detail,
        "source": provenance.source,
        "updated_at": round(provenance.updated_at_epoch_s * 1000),
    }
    return pa.Table.from_pylist([cells], schema=ACTIVITIES)


def answered_cells(activity: Activity) -> dict[str, Any]:
    """The columns with the values of Strava's answer, null where it has none, and `extra_json`."""
    fields = activity.fields
    cells = {column: read(fields.get(name)) for column, name, read in _READERS}
    cells["start_lat"], cells["start_lon"] = _position(fields.get("start_latlng"))
    cells["end_lat"], cells["end_lon"] = _position(fields.get("end_latlng"))
    cells["sport_type"] = to_cell(fields.get("sport_type") or activity.sport_type, pa.string())
    cells["visibility"] = to_cell(fields.get("visibility") or activity.visibility, pa.string())
    cells["extra_json"] = _extra_json(fields, cells)
    cells["timezone"] = cells["timezone"] and _OFFSET_PREFIX.sub("", cells["timezone"])
    cells["summary_polyline"] = _summary_polyline(fields.get("map"))
    return cells


def _position(answered: Any) -> tuple[float | None, float | None]:
    if not isinstance(answered, list) or len(answered) != 2 or answered == [0, 0]:
        return None, None
    lat, lon = (to_cell(value, pa.float64()) for value in answered)
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return None, None
    return lat, lon


def _summary_polyline(answered: Any) -> str | None:
    polyline = answered.get("summary_polyline") if isinstance(answered, Mapping) else None
    return to_cell(polyline, pa.string()) or None


def _extra_json(fields: Mapping[str, Any], cells: Mapping[str, Any]) -> str | None:
    """The values that no column holds: of fields without a column, and values that do not fit their column."""
    extra = {
        name: value
        for name, value in fields.items()
        if name not in _ELSEWHERE and value not in _NOTHING and cells.get(_COLUMN_OF.get(name, "")) is None
    }
    if not extra:
        return None
    # Infinity and NaN are not JSON, although Python reads and writes them: they become text.
    strict = json.loads(json.dumps(extra), parse_constant=str)
    return json.dumps(strict, sort_keys=True, separators=(",", ":"))
