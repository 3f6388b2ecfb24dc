"""Copies that sleep until what stood against them has gone: who wakes which, and when each is due.

Whoever has changed something wakes the copies that it stood against, newest first, as far apart as half of the budget
of calls serves them: live work keeps the other half.
"""

from __future__ import annotations

from collections.abc import Iterable

from include.clock import Clock
from include.copying.eligibility import LASTING_REASONS
from include.copying.reasons import PASSING_REASONS
from include.state.copies import Copy, CopyLedger, CopyState
from include.state.links import Link, Links
from include.state.quota import Quota
from include.state.store import Store
from include.strava.quota import DAY_S, WINDOW_S, Limits

_CHANGING_S = 60
"""How long after a change of a link the copies that it stood against are due: longer than the change takes."""

_CALLS = 3
"""What one copy costs: the upload and two looks at it."""


def wake_for_access(copies: CopyLedger, child_id: int, limits: Limits, now: float) -> int:
    """Wake the copies that wait for access to the child's account, which has just been given; returns how many.

    Effects: safe to repeat. After a crash before it each is tried within a day.
    """
    waiting = (copy for copy in copies.of_child(child_id) if copy.state is CopyState.WAITING_FOR_ACCESS)
    return sum(copies.wake(*_ids(copy), at) for copy, at in _in_turn(waiting, limits, now))


def save_link(store: Store, clock: Clock, link: Link) -> Link:
    """Save the link over the version it was read with, and have the copies looked at again that it stood against.

    They are woken before and after the write: a crash after it leaves none asleep, nor does a run that meanwhile skips
    one because of the link as it was.
    Errors: `VersionConflict` when the other side changed it meanwhile: read it again and decide again.
    """
    copies, limits = CopyLedger(store, clock), Quota(store, clock).limits()
    wake_for_link(copies, link.parent_id, link.child_id, limits, clock() + _CHANGING_S)
    saved = Links(store).save(link)
    wake_for_link(copies, link.parent_id, link.child_id, limits, clock() + _CHANGING_S)
    return saved


def wake_for_link(copies: CopyLedger, parent_id: int, child_id: int, limits: Limits, now: float) -> int:
    """Wake the copies that were skipped over a link that is being changed; returns how many.

    Effects: safe to repeat. A copy that the link still stands against is skipped again, at no call.
    """
    skipped = (
        copy
        for copy in copies.of_child(child_id)
        if copy.parent_id == parent_id and copy.state is CopyState.SKIPPED and copy.reason not in LASTING_REASONS
    )
    return sum(copies.wake(*_ids(copy), at) for copy, at in _in_turn(skipped, limits, now))


def wake_failed_before(copies: CopyLedger, parent_id: int, limits: Limits, now: float) -> int:
    """Wake the parent's copies that an older version called failed because of a passing fault; returns how many.

    Effects: safe to repeat: this version fails no copy for such a reason, so there are none the next time.
    """
    failed = (
        copy
        for copy in copies.of_parent(parent_id)
        if copy.state is CopyState.FAILED and copy.reason in PASSING_REASONS
    )
    return sum(copies.reopen(*_ids(copy), at) for copy, at in _in_turn(failed, limits, now))


def spacing_s(limits: Limits) -> float:
    """How far apart copies are woken."""
    return 2 * _CALLS * max(WINDOW_S / limits.overall_window, DAY_S / limits.overall_day)


def _in_turn(copies: Iterable[Copy], limits: Limits, now: float) -> list[tuple[Copy, float]]:
    """The copies, newest activity first, each with its time."""
    newest_first = sorted(copies, key=lambda copy: copy.activity_start_epoch_s or copy.planned_at_epoch_s, reverse=True)
    return [(copy, now + place * spacing_s(limits)) for place, copy in enumerate(newest_first)]


def _ids(copy: Copy) -> tuple[int, int]:
    return copy.parent_activity_id, copy.child_id
