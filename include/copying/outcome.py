"""The outcome of an upload in Strava's answer."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from enum import StrEnum

from include.strava.models import ActivityId, Upload

_DELETED = "The created activity has been deleted."
_DUPLICATE = re.compile(
    r"\bduplicate of\b(?:.{0,500}?(?:/activities/|\bactivity )(\d{1,18})(?!\d))?", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(r"<[^<>]*>")
_LONGEST_REASON = 300


class OutcomeState(StrEnum):
    """The state of an upload."""

    PROCESSING = "processing"
    READY = "ready"
    DUPLICATE = "duplicate"
    """The child's account already has the activity, which counts as ready."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An upload's state, its activity in the child's account, and Strava's own words where it refused.

    A duplicate's activity is None when Strava does not name it.
    """

    state: OutcomeState
    activity_id: ActivityId | None = None
    reason: str = ""


def read_outcome(upload: Upload) -> Outcome:
    """The outcome of `upload`; without an error and an id Strava has not decided, whatever the status text says.

    Source: Strava's upload guide and recorded answers of 2014 to 2026; the HTML form of a duplicate is observed.
    """
    if upload.error is not None:
        return _refused(upload.error)
    if upload.activity_id is not None:
        return Outcome(OutcomeState.READY, upload.activity_id)
    if upload.status == _DELETED:
        return _refused(upload.status)
    return Outcome(OutcomeState.PROCESSING)


def poll_delays_s() -> tuple[float, ...]:
    """The waits before each poll of an upload: Strava takes under two seconds on average."""
    return (2.0, 4.0, 8.0, 16.0)


def _refused(text: str) -> Outcome:
    readable = _readable(text)
    duplicate = _DUPLICATE.search(text)
    if duplicate is None:
        return Outcome(OutcomeState.FAILED, reason=readable or "Strava gave no reason.")
    activity_id = ActivityId(int(duplicate[1])) if duplicate[1] else None
    return Outcome(OutcomeState.DUPLICATE, activity_id, readable)


def _readable(text: str) -> str:
    """`text` as one line without markup, cut to a length that fits a page and a log line."""
    line = " ".join(_TAG.sub("", html.unescape(text)).split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
