"""Merges a new row of `activities` with the row that it replaces."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from include.lake.rows.activities import LIST_COLUMNS
from include.lake.schemas import ACTIVITIES

_ONLY_IN_DETAIL = ("description", "calories_kcal", "device_name", "hide_from_home")
_PROVENANCE = frozenset({"source", "updated_at"})


def merged_rows(old: pa.Table, new: pa.Table) -> pa.Table:
    """The new rows, each with the values of the activity's present row that it must not replace.

    A summary does not clear columns of a detailed answer. Values from a list that is newer than the answer stay. A row
    whose values do not change keeps its `source` and `updated_at`.
    """
    present = {row["activity_id"]: row for row in old.to_pylist()}
    rows = [_merged(present.get(row["activity_id"]), row) for row in new.to_pylist()]
    return pa.Table.from_pylist(rows, schema=ACTIVITIES)


def _merged(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    if old is None:
        return new
    if old["has_detail"] and not new["has_detail"]:
        new = new | {name: old[name] for name in _ONLY_IN_DETAIL if new[name] is None} | {"has_detail": True}
    if old["updated_at"] > new["updated_at"]:
        new = new | {name: old[name] for name in LIST_COLUMNS}
    return old if _content(old) == _content(new) else new


def _content(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _PROVENANCE}
