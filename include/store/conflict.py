"""Repeats an operation that lost a race for a row: read again, decide again."""

from __future__ import annotations

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from include.errors import VersionConflict

retry_on_conflict = retry(
    retry=retry_if_exception_type(VersionConflict),
    stop=stop_after_attempt(100),  # every conflict means that another writer succeeded
    reraise=True,
)
"""Decorator for a method that reads a row and writes it back: runs it again on `VersionConflict`, without waiting."""
