"""What references compute from: activities, samples and rounding as SQL has them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from include.strava.stream_types import BY_KEY

Row = tuple[Any, ...]


Held = Sequence[Any]


def rounded(value: float | None, digits: int) -> float | None:
    """Half away from zero, as SQL rounds."""
    if value is None:
        return None
    return math.copysign(math.floor(abs(value) * 10**digits + 0.5) / 10**digits, value)


def began(activity: Any) -> datetime:
    text = activity.detail["start_date_local"] or activity.detail["start_date"]
    return datetime.fromisoformat(text.removesuffix("Z"))


def chosen(held: Held, values: Mapping[str, Any]) -> list[Any]:
    ending = values["sport_type"].removeprefix("%")
    return [
        activity
        for activity in held
        if activity.detail["sport_type"].endswith(ending)
        and ("%" in values["sport_type"] or activity.detail["sport_type"] == ending)
        and values.get("since", date.min) <= began(activity).date() <= values.get("until", date.max)
    ]


def field(activity: Any, name: str) -> float:
    return activity.detail.get(name) or 0


def samples(activity: Any) -> list[dict[str, Any]]:
    """The samples that have a time."""
    streams = {name: stream["data"] for name, stream in (activity.streams or {}).items()}
    count = max(map(len, streams.values()), default=0)
    rows = [{name: data[index] for name, data in streams.items()} for index in range(count)]
    return [row for row in rows if row["time"] is not None]


def plausible(row: dict[str, Any], stream: str) -> Any:
    """The sample, or None where it is none or a slip of the sensor."""
    value, bounds = row.get(stream), BY_KEY[stream].plausible
    return value if value is not None and bounds.low <= value <= bounds.high else None


def steps(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any], int]]:
    """Each sample with the one before it, where no pause is between them."""
    for before, row in pairwise(rows):
        gap_s = row["time"] - before["time"]
        if 1 <= gap_s <= 10:
            yield before, row, gap_s


def moves(before: dict[str, Any] | None, row: dict[str, Any]) -> bool:
    """Whether the athlete moves, as the sample says; else as fast as the step to it was."""
    told, metres = row.get("moving"), row.get("distance")
    if told is not None or before is None or metres is None or before.get("distance") is None:
        return told is not False
    return bool(metres - before["distance"] >= 0.3 * (row["time"] - before["time"]))


def goes_on(before: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether the athlete covers a metre or more each second between two samples, as far as is known."""
    if row.get("distance") is None or before.get("distance") is None:
        return False
    return bool(row["distance"] - before["distance"] >= row["time"] - before["time"])


def began_utc(copy: Any) -> date:
    return datetime.fromtimestamp(copy.activity_start_epoch_s, UTC).date()
