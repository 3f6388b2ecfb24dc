"""Merges a new row of `activities` with the row that it replaces."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from include.lake.rows.activities import LIST_COLUMNS
from include.lake.schemas import ACTIVITIES

_ONLY_IN_DETAIL = ("description", "calories_kcal", "device_name", "hide_from_home")
_PROVENANCE = frozenset({"source", "updated_at"})


def take_over(old: pa.Table, new: pa.Table) -> pa.Table:
    """The new rows, each with the better values of the present row of the same activity.

    A summary does not clear columns of a detailed answer. Values from a list that is newer than the answer stay. An
    unchanged row stays as it is, so that `source` and `updated_at` tell when its values came.
    """
    present = {row["activity_id"]: row for row in old.to_pylist()}
    rows = [_settled(present.get(row["activity_id"]), row) for row in new.to_pylist()]
    return pa.Table.from_pylist(rows, schema=ACTIVITIES)


def _settled(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    if old is None:
        return new
    if old["has_detail"] and not new["has_detail"]:
        new = new | {name: old[name] for name in _ONLY_IN_DETAIL if new[name] is None} | {"has_detail": True}
    if old["updated_at"] > new["updated_at"]:
        new = new | {name: old[name] for name in LIST_COLUMNS}
    return old if _content(old) == _content(new) else new


def _content(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _PROVENANCE}
