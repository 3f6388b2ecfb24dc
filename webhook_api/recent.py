"""An athlete's latest activities, and in words what happened to each and to its copies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from include.state.activities import ActivityState, LedgerEntry
from include.state.copies import Copy, CopyState

SHOWN = 20

_STORED: Mapping[ActivityState, str] = {
    ActivityState.SYNCED: "stored",
    ActivityState.NO_STREAMS: "stored; Strava has no recorded points for it",
    ActivityState.HIDDEN: "hidden on Strava",
    ActivityState.REMOVED: "no longer visible on Strava, and removed here",
    ActivityState.QUARANTINED: "could not be understood; the people who run this service have to look at it",
    ActivityState.EXPIRED: "deleted here, as old as data may become",
}


@dataclass(frozen=True, slots=True)
class CopyLine:
    """What happened to one copy."""

    child_id: int
    text: str
    child_activity_id: int | None = None
    """The activity in the child's account, where there is one."""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One activity: no title, which is not kept in the ledger."""

    activity_id: int
    sport: str
    day: str
    text: str
    copies: tuple[CopyLine, ...]


def describe(entry: LedgerEntry, copies: Iterable[Copy], names: Mapping[int, str], now: float) -> ActivityLine:
    """The activity's line; `names` says what the athlete calls each child."""
    start = entry.start_at_epoch_s
    return ActivityLine(
        activity_id=entry.activity_id,
        sport=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", entry.sport_type) or "Activity",
        day="" if start is None else datetime.fromtimestamp(start, UTC).date().isoformat(),
        text=_STORED.get(entry.state) or _waiting(entry.reason, entry.next_try_epoch_s, now),
        copies=tuple(describe_copy(copy, names.get(copy.child_id) or copy.matched, now) for copy in copies),
    )


def describe_copy(copy: Copy, name: str, now: float) -> CopyLine:
    """The copy's line, in which the child is called `name`."""
    if copy.state is CopyState.DONE:
        return CopyLine(copy.child_id, f"copied to {name}", copy.child_activity_id)
    if copy.state is CopyState.DUPLICATE:
        return CopyLine(copy.child_id, f"was already in the account of {name}", copy.child_activity_id)
    if copy.state is CopyState.SKIPPED:
        return CopyLine(copy.child_id, f"not copied to {name}: {copy.reason}")
    if copy.state is CopyState.FAILED:
        return CopyLine(copy.child_id, f"failed for {name}: {copy.reason}", failed=True)
    return CopyLine(copy.child_id, f"copy to {name}: {_waiting(copy.reason, copy.next_try_epoch_s, now)}")


def _waiting(reason: str, next_try_epoch_s: int | None, now: float) -> str:
    if next_try_epoch_s is None or next_try_epoch_s <= now or not reason:
        return "under way"
    until = datetime.fromtimestamp(next_try_epoch_s, UTC)
    return f"waiting until {until:%H:%M} UTC: {reason}"
