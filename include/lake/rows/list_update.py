"""Updates a stored row of `activities` from a row of Strava's list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.lake.rows.activities import LIST_COLUMNS, answered_cells
from include.strava.models import Activity

SOURCE = "reconcile"
_MEASURES = ("moving_s", "total_elevation_gain_m", "elev_high_m", "elev_low_m")


def row_from_list(stored: Mapping[str, Any], listed: Activity, listed_at_epoch_s: float) -> dict[str, Any] | None:
    """The stored row with the list's values; None if nothing differs.

    Only columns of fields that the list has, and that need no fetch, change; a missing field changes nothing.
    """
    cells = answered_cells(listed)
    shown = {column for column, name in LIST_COLUMNS.items() if name in listed.fields}
    row = {**stored, **{column: cells[column] for column in shown}}
    row["extra_json"] = _extra_json(
        stored["extra_json"], cells["extra_json"], {LIST_COLUMNS[column] for column in shown}
    )
    if row == stored:
        return None
    return row | {"source": SOURCE, "updated_at": datetime.fromtimestamp(listed_at_epoch_s, UTC)}


def is_corrected(stored: Mapping[str, Any], listed: Activity) -> bool:
    """Whether the list's elevation or moving time differs from the stored one."""
    cells = answered_cells(listed)
    return any(_rounded(stored[column]) != _rounded(cells[column]) for column in _MEASURES)


def _rounded(measure: float | None) -> float | None:
    return None if measure is None else round(measure, 1)


def _extra_json(stored: str | None, listed: str | None, shown: set[str]) -> str | None:
    """The values that fit no column: from the list for the fields that it has, else from the stored row."""
    extra = {name: value for name, value in json.loads(stored or "{}").items() if name not in shown}
    extra |= {name: value for name, value in json.loads(listed or "{}").items() if name in shown}
    return json.dumps(extra, sort_keys=True, separators=(",", ":")) if extra else None
