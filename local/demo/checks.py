"""Compares the lake and the child's account with the parent's activities, point by point."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.lake.schemas import ACTIVITIES
from include.strava.stream_types import STREAM_TYPES, Kind
from local.demo.row_truth import OWN, row_differences
from local.strava_simulator.world.activity import SimulatedActivity

_DERIVED = "velocity_smooth"
"""Streams in a copy's file that Strava ignores and computes itself."""
_COPIED = tuple(each.key for each in STREAM_TYPES if each.is_copied and each.key not in ("time", "latlng", _DERIVED))


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: how many values were compared, and the differences, at most a few examples."""

    subject: str
    compared: int
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differed."""
        return not self.differences


def lake_holds(
    truth: SimulatedActivity,
    rows: Sequence[Mapping[str, Any]],
    row: Mapping[str, Any] | None,
    parent_activity_id: int | None = None,
) -> Check:
    """Compare one activity's `streams` rows and `activities` row with Strava's data, column by column.

    `parent_activity_id` is the original of a copy.
    """
    subject = f"lake: {truth.activity_id} {truth.detail['sport_type']}"
    expected = list(_expected_points(truth))
    differences = []
    if row is None:
        differences.append("no row in activities")
    else:
        differences += list(row_differences(truth, row, parent_activity_id))
    if len(rows) != len(expected):
        differences.append(f"{len(rows)} rows in streams, {len(expected)} points at Strava")
    compared = 0 if row is None else len(ACTIVITIES) - len(OWN)  # the partition's columns come from the path
    for index, (point, stored) in enumerate(zip(expected, rows, strict=False)):
        for column, value in point.items():
            compared += 1
            if stored[column] != value:
                differences.append(f"point {index} {column}: {stored[column]!r}, at Strava {value!r}")
    return Check(subject, compared, tuple(differences[:5]))


def _expected_points(truth: SimulatedActivity) -> Iterator[dict[str, Any]]:
    channels = {name: stream["data"] for name, stream in (truth.streams or {}).items()}
    length = max((len(samples) for samples in channels.values()), default=0)
    for index in range(length):
        point: dict[str, Any] = {"point_index": index}
        for each in STREAM_TYPES:
            value = _sample(channels.get(each.key), index)
            if each.kind is Kind.POSITION:
                point |= zip(each.columns, value if value and value != [0, 0] else (None, None), strict=True)
            else:
                point[each.columns[0]] = _as_stored(value, each.kind)
        yield point


def _as_stored(value: Any, kind: Kind) -> Any:
    """The sample in the precision of its column."""
    return struct.unpack("f", struct.pack("f", value))[0] if kind is Kind.SINGLE and value is not None else value


def copy_holds(truth: SimulatedActivity, copy: SimulatedActivity) -> Check:
    """Compare the child's activity, which the simulator parsed from the uploaded file, with the parent's streams.

    Points without a position or a time cannot be in a GPX file and are not expected in it.
    """
    subject = f"copy: {truth.activity_id} → {copy.activity_id}"
    mine = {name: stream["data"] for name, stream in (truth.streams or {}).items()}
    theirs = {name: stream["data"] for name, stream in (copy.streams or {}).items()}
    kept = [
        index
        for index, at_s in enumerate(mine["time"])
        if at_s is not None and ("latlng" not in mine or mine["latlng"][index])
    ]
    differences = []
    if copy.detail["sport_type"] != truth.detail["sport_type"]:
        differences.append(f"sport {copy.detail['sport_type']}, the parent's is {truth.detail['sport_type']}")
    if len(theirs.get("time", [])) != len(kept):
        differences.append(f"{len(theirs.get('time', []))} points, {len(kept)} expected")
        return Check(subject, 2, tuple(differences))
    compared = 2
    for copied, original in enumerate(kept):
        for name, expected in _copied_values(mine, original, start_s=mine["time"][kept[0]]):
            compared += 1
            found = _sample(theirs.get(name), copied)
            if not _equal(found, expected):
                differences.append(f"point {copied} {name}: {found!r}, the parent's is {expected!r}")
    return Check(subject, compared, tuple(differences[:5]))


def copy_row_holds(truth: SimulatedActivity, copy: SimulatedActivity, row: Mapping[str, Any] | None) -> Check:
    """Compare the lake's row about a copy with the parent's activity and the child's activity."""
    subject = f"lake: copy of {truth.activity_id}"
    if row is None:
        return Check(subject, 0, ("no row in copies",))
    expected = {
        "parent_id": truth.athlete_id,
        "child_id": copy.athlete_id,
        "state": "done",
        "child_activity_id": copy.activity_id,
        "file_format": "gpx" if "latlng" in (truth.streams or {}) else "tcx",
        "points": len((copy.streams or {}).get("time", {}).get("data", [])),
        "activity_start_ts": datetime.fromisoformat(truth.detail["start_date"]).replace(tzinfo=None),
    }
    differences = [
        f"{column}: {row[column]!r}, at Strava {value!r}" for column, value in expected.items() if row[column] != value
    ]
    return Check(subject, len(expected), tuple(differences))


def _copied_values(mine: Mapping[str, Sequence[Any]], index: int, *, start_s: int) -> Iterator[tuple[str, Any]]:
    yield "time", mine["time"][index] - start_s
    if "latlng" in mine:
        yield "latlng", mine["latlng"][index]
    for name in _COPIED:
        if name in mine:
            yield name, mine[name][index]


def _equal(found: Any, expected: Any) -> bool:
    if isinstance(expected, list) and isinstance(found, list):
        return all(abs(one - other) < 1e-7 for one, other in zip(found, expected, strict=True))
    if isinstance(expected, float) and isinstance(found, (int, float)):
        return abs(found - expected) < 0.05
    return bool(found == expected)


def _sample(samples: Sequence[Any] | None, index: int) -> Any:
    return samples[index] if samples is not None and index < len(samples) else None
