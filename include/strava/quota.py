"""The arithmetic of Strava's call budget: windows, limits, headers, and the share of each priority."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum, StrEnum

WINDOW_S = 15 * 60
HOUR_S = 60 * 60
DAY_S = 24 * HOUR_S
MOST_SKEW_S = 300


class Priority(IntEnum):
    """The priority of a call: a smaller number goes first."""

    LIVE = 0
    COPY = 1
    RECONCILE = 2
    BACKFILL = 3


class Bucket(StrEnum):
    """The counters of a call: READ counts in the overall and the read budget, UPLOAD in the overall budget only."""

    READ = "read"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many calls each counter allows; the defaults are those of a standard application.

    Source: https://developers.strava.com/docs/rate-limits/
    """

    overall_window: int = 200
    overall_day: int = 2000
    read_window: int = 100
    read_day: int = 1000

    def updated(self, report: Counts) -> Limits:
        """These limits, replaced by those in `report` where it has them."""
        return replace(self, **report.known())

    def allowed(self, counter: str, priority: Priority) -> int:
        """How far `priority` may fill `counter`: backfill leaves a tenth to the others."""
        limit: int = getattr(self, counter)
        return limit * 9 // 10 if priority is Priority.BACKFILL else limit


@dataclass(frozen=True, slots=True)
class Counts:
    """One number for each counter of `Limits`, None where the headers have none."""

    overall_window: int | None = None
    overall_day: int | None = None
    read_window: int | None = None
    read_day: int | None = None

    def known(self) -> dict[str, int]:
        """The numbers in the headers, by counter."""
        values = {counter: getattr(self, counter) for counter in COUNTERS}
        return {counter: value for counter, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Room:
    """How many calls are left, in both the window and the day."""

    read: int
    overall: int

    @classmethod
    def between(cls, used: Counts, limits: Limits) -> Room:
        """The calls that remain of `limits` after `used`."""
        left = {name: getattr(limits, name) - count for name, count in used.known().items()}
        overall = max(0, min(left["overall_window"], left["overall_day"]))
        return cls(read=max(0, min(overall, left["read_window"], left["read_day"])), overall=overall)


COUNTERS = tuple(field.name for field in fields(Limits))
"""The counters' names, as fields of `Limits` and `Counts`."""


def counters_of(bucket: Bucket) -> tuple[str, ...]:
    """The counters that one call of `bucket` uses."""
    return COUNTERS if bucket is Bucket.READ else COUNTERS[:2]


@dataclass(frozen=True, slots=True)
class Report:
    """The budget in the headers of one answer."""

    limits: Counts
    usage: Counts

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> Report:
        """The report in `headers`, whose names may be in any case and whose values may be missing or malformed."""
        by_name = {name.lower(): value for name, value in headers.items()}
        return cls(limits=_counts(by_name, "limit", minimum=1), usage=_counts(by_name, "usage", minimum=0))

    def day_is_spent(self) -> bool:
        """Whether one of the daily counters has reached its limit."""
        return any(
            usage is not None and limit is not None and usage >= limit
            for usage, limit in (
                (self.usage.overall_day, self.limits.overall_day),
                (self.usage.read_day, self.limits.read_day),
            )
        )


def clock_skew_s(headers: Mapping[str, str], now_epoch_s: float) -> float | None:
    """How far Strava's clock is ahead of ours, to a second; None where an answer does not show it.

    Only the API's own answers count, which have a request id, and only a plausible difference.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    if not by_name.get("x-request-id"):
        return None
    try:
        skew_s = parsedate_to_datetime(by_name.get("date", "")).timestamp() + 0.5 - now_epoch_s  # it is cut to a second
    except (ValueError, OverflowError):
        return None
    return skew_s if abs(skew_s) <= MOST_SKEW_S else None


def reconciled(own: int, reported: int | None) -> int:
    """The higher of two counts, since other callers share the budget and headers may lag behind."""
    return own if reported is None else max(own, reported)


def window_start(now_epoch_s: float) -> int:
    """When the present 15-minute window opened."""
    return int(now_epoch_s // WINDOW_S) * WINDOW_S


def next_window(now_epoch_s: float) -> int:
    """When the next 15-minute window opens."""
    return window_start(now_epoch_s) + WINDOW_S


def day_start(now_epoch_s: float) -> int:
    """When the present UTC day began."""
    return int(now_epoch_s // DAY_S) * DAY_S


def next_day(now_epoch_s: float) -> int:
    """When the next UTC day begins."""
    return day_start(now_epoch_s) + DAY_S


def utc_day(now_epoch_s: float) -> str:
    """The present UTC day, for example `2026-11-22`."""
    return utc_text(day_start(now_epoch_s))[:10]


def utc_text(epoch_s: float) -> str:
    """A time for a person to read, for example `2026-11-22 13:15 UTC`."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _counts(by_name: Mapping[str, str], what: str, *, minimum: int) -> Counts:
    overall = _pair(by_name.get(f"x-ratelimit-{what}", ""), minimum)
    read = _pair(by_name.get(f"x-readratelimit-{what}", ""), minimum)
    return Counts(overall[0], overall[1], read[0], read[1])


def _pair(text: str, minimum: int) -> tuple[int, int] | tuple[None, None]:
    """The window's and the day's number of a header such as `100,1000`; observed malformed form: a lone comma."""
    match = re.fullmatch(r"\s*([0-9]{1,9})\s*,\s*([0-9]{1,9})\s*", text)
    if match is None:
        return None, None
    window, day = int(match[1]), int(match[2])
    return (window, day) if min(window, day) >= minimum else (None, None)
