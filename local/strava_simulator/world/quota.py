"""The rate limits of an application, and its usage.

Source: https://developers.strava.com/docs/rate-limits/ (2026); headers as recorded in October 2025.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

_WINDOW_S = 900
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """The calls that an application may make in 15 minutes and in a UTC day, overall and for reads."""

    window: int
    day: int
    read_window: int
    read_day: int


class Tier(StrEnum):
    """The tiers of Strava's limits."""

    STANDARD = "standard"
    UPGRADED = "upgraded"
    PARTNER = "partner"
    """Limits that no large test reaches."""

    @property
    def limits(self) -> Limits:
        """The tier's limits."""
        return _LIMITS[self]

    @property
    def athlete_capacity(self) -> int:
        """How many athletes may be connected at once; more than ten need Strava's approval."""
        return 100_000 if self is Tier.PARTNER else 10


_LIMITS = {
    Tier.STANDARD: Limits(200, 2000, 100, 1000),
    Tier.UPGRADED: Limits(400, 4000, 200, 2000),
    Tier.PARTNER: Limits(60_000, 600_000, 30_000, 300_000),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """An application's usage, including the present call."""

    limits: Limits
    is_read: bool
    window: int
    day: int
    read_window: int
    read_day: int

    @property
    def exceeded(self) -> str | None:
        """The limit that the present call exceeds, in the words of Strava's error; None if there is none."""
        if self.window > self.limits.window or self.day > self.limits.day:
            return "overall rate limit"
        if self.is_read and (self.read_window > self.limits.read_window or self.read_day > self.limits.read_day):
            return "rate limit"
        return None

    def headers(self) -> dict[str, str]:
        """Both pairs of headers; the read usage of a call that is not a read is `,` without numbers, as recorded."""
        return {
            "X-RateLimit-Limit": f"{self.limits.window},{self.limits.day}",
            "X-RateLimit-Usage": f"{self.window},{self.day}",
            "X-ReadRateLimit-Limit": f"{self.limits.read_window},{self.limits.read_day}",
            "X-ReadRateLimit-Usage": f"{self.read_window},{self.read_day}" if self.is_read else ",",
        }


def count(db: sqlite3.Connection, client_id: int, *, now_epoch_s: float, is_read: bool, limits: Limits) -> Usage:
    """The usage after one more call, which counts even if it is refused."""
    window, read_window = _add(db, client_id, "window", _WINDOW_S, now_epoch_s=now_epoch_s, is_read=is_read)
    day, read_day = _add(db, client_id, "day", _DAY_S, now_epoch_s=now_epoch_s, is_read=is_read)
    return Usage(limits, is_read, window, day, read_window, read_day)


def _add(
    db: sqlite3.Connection, client_id: int, span: str, length_s: int, *, now_epoch_s: float, is_read: bool
) -> tuple[int, int]:
    # Windows begin at :00, :15, :30 and :45, days at 00:00 UTC: both are multiples of their length since 1970.
    start_epoch_s = int(now_epoch_s // length_s) * length_s
    row = db.execute(
        "INSERT INTO usage VALUES (?, ?, ?, 1, ?)"
        " ON CONFLICT DO UPDATE SET calls = calls + 1, reads = reads + excluded.reads RETURNING calls, reads",
        (client_id, span, start_epoch_s, int(is_read)),
    ).fetchone()
    return int(row["calls"]), int(row["reads"])
