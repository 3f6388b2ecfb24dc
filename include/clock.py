"""The clock: time enters the domain only as a value that the caller passes in."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since 1970 in UTC; `time.time` in production, a closure over a number in tests."""
