"""A detailed activity's laps as rows of `laps`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from include.lake.rows.cells import to_cell, to_column
from include.lake.schemas import LAPS
from include.strava.models import Activity

_FIELDS: Mapping[str, str] = {
    "lap_id": "id",
    "name": "name",
    "start_ts_utc": "start_date",
    "start_point_index": "start_index",
    "end_point_index": "end_index",
    "elapsed_s": "elapsed_time",
    "moving_s": "moving_time",
    "distance_m": "distance",
    "total_elevation_gain_m": "total_elevation_gain",
    "average_speed_mps": "average_speed",
    "max_speed_mps": "max_speed",
    "average_heartrate_bpm": "average_heartrate",
    "max_heartrate_bpm": "max_heartrate",
    "average_cadence_rpm": "average_cadence",
    "average_watts": "average_watts",
    "device_watts": "device_watts",
    "pace_zone": "pace_zone",
}


def laps_table(activity: Activity) -> pa.Table:
    """The laps in a detailed answer; no rows where it has none.

    Shape: sorted by `lap_index`, which is the position in the answer where a lap has none of its own.
    A value that does not fit its column is null; the answer itself is in the raw zone.
    """
    answered = activity.fields.get("laps")
    laps = [lap for lap in answered if isinstance(lap, Mapping)] if isinstance(answered, list) else []
    columns = {
        column: to_column((lap.get(name) for lap in laps), LAPS.field(column).type) for column, name in _FIELDS.items()
    }
    columns["activity_id"] = pa.array([activity.activity_id] * len(laps), pa.int64())
    columns["lap_index"] = pa.array([_index(lap, position) for position, lap in enumerate(laps, 1)], pa.int32())
    return pa.Table.from_arrays([columns[name] for name in LAPS.names], schema=LAPS).sort_by("lap_index")


def _index(lap: Mapping[str, Any], position: int) -> int:
    index: int | None = to_cell(lap.get("lap_index"), pa.int32())
    return position if index is None else index
