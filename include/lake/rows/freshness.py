"""The rows of `freshness`: how many activities of a month Strava listed and the lake held at the last comparison."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from include.errors import UnexpectedShape
from include.lake.keys import freshness_key, freshness_prefix
from include.lake.objects.conflict import until_written
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.lake.schemas import FRESHNESS
from include.lake.table_object import decode, encode, is_current

log = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class Month(NamedTuple):
    """A month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, epoch_s: int) -> Month:
        """The month of an instant; the nearest month for one outside the years 1 to 9999."""
        since = max(_FIRST - _EPOCH, min(_LAST - _EPOCH, timedelta(seconds=epoch_s)))
        moment = _EPOCH + since
        return cls(moment.year, moment.month)


@dataclass(frozen=True, slots=True)
class MonthComparison:
    """One comparison of a month: the activities that Strava's list showed, and those that the lake held."""

    listed: int
    held: int
    compared_at_epoch_s: float


class FreshnessRows:
    """Keeps each month's newest comparison; any number of processes may store theirs at once."""

    def __init__(self, objects: ObjectStore, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._objects = objects
        self._retry = until_written(sleep)

    def note(self, athlete_id: int, months: Mapping[Month, MonthComparison]) -> None:
        """Store the comparisons of the athlete's months; a stored comparison that is newer stays.

        Errors: `ObjectConflict` when other writers won every one of many tries.
        Effects: safe to repeat; writes one object for each year. An unreadable object is replaced.
        """
        by_year: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
        for (year, month), compared in months.items():
            by_year[year][month] = _row(month, compared)
        for year, rows in sorted(by_year.items()):
            self._retry(self._note, freshness_key(athlete_id, year), rows)

    def expire(self, athlete_id: int, up_to_epoch_s: float) -> int:
        """Remove the athlete's months that were last compared at that time or earlier; returns how many.

        Errors: `ObjectConflict`. Effects: safe to repeat. An unreadable object is deleted.
        """
        keys = list(self._objects.list(freshness_prefix(athlete_id)))
        return sum(self._retry(self._expire, key, up_to_epoch_s) for key in keys)

    def _note(self, key: str, rows: Mapping[int, dict[str, Any]]) -> None:
        stored = self._objects.get(key)
        old = _readable(key, stored)
        known = {row["month"]: row for row in old.to_pylist()}
        newer = {
            month: row
            for month, row in rows.items()
            if month not in known or row["compared_at"] > known[month]["compared_at"]
        }
        self._write(key, stored, old, known | newer)

    def _expire(self, key: str, up_to_epoch_s: float) -> int:
        stored = self._objects.get(key)
        old = _readable(key, stored)
        rows = {row["month"]: row for row in old.to_pylist()}
        kept = {month: row for month, row in rows.items() if row["compared_at"].timestamp() > up_to_epoch_s}
        self._write(key, stored, old, kept)
        return len(rows) - len(kept)

    def _write(self, key: str, stored: StoredObject | None, old: pa.Table, rows: Mapping[int, dict[str, Any]]) -> None:
        new = pa.Table.from_pylist([rows[month] for month in sorted(rows)], schema=FRESHNESS)
        if rows and not (stored and is_current(old, new)):
            self._objects.put(key, encode(new), expected=stored.etag if stored else Condition.ABSENT)
        elif stored and not rows:
            self._objects.delete(key, expected=stored.etag)


def _row(month: int, compared: MonthComparison) -> dict[str, Any]:
    return {
        "month": month,
        "listed_count": compared.listed,
        "held_count": compared.held,
        "compared_at": _EPOCH + timedelta(milliseconds=int(compared.compared_at_epoch_s * 1000)),
    }


def _readable(key: str, stored: StoredObject | None) -> pa.Table:
    if stored is not None:
        try:
            return decode(key, stored.body)
        except UnexpectedShape as error:
            log.warning("%s", error)
    return FRESHNESS.empty_table()
