"""Makes waiting copies due: which copies after which change, and when each is due.

The newest copies are due first, spaced so that they take half of the call budget: live work keeps the other half.
Reconcile makes copies due that a link no longer blocks. When a child connects again, as many are made due as fit into
one page request; the others are tried once a day anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from include.copying.eligibility import LASTING_REASONS
from include.copying.reasons import PASSING_REASONS
from include.state.copies.ledger import Copy, CopyLedger, CopyState
from include.state.links import Link, Links
from include.strava.quota import DAY_S, WINDOW_S, Limits

_AT_ONCE = 200
"""How many copies are woken within a page request: a second or two for all reads and writes."""

_CALLS = 3
"""The calls of one copy: the upload and two polls."""


def wake_for_access(copies: CopyLedger, child_id: int, limits: Limits, now_epoch_s: float) -> int:
    """Make the newest copies due that wait for access to the child's account; returns how many.

    Effects: safe to repeat. The others, and after a crash all, are tried within a day.
    """
    waiting = (copy for copy in copies.of_child(child_id) if copy.state is CopyState.WAITING_FOR_ACCESS)
    newest = _newest_first(waiting)[:_AT_ONCE]
    return sum(copies.wake(*_ids(copy), at) for copy, at in _in_turn(newest, limits, now_epoch_s))


def wake_for_links(copies: CopyLedger, links: Links, limits: Limits, now_epoch_s: float) -> int:
    """Make the copies due that were skipped because of links that have changed since; returns how many.

    Effects: safe to repeat, and to run twice at once: after a crash the link is still due. A copy that the link still
    blocks is skipped again, at no call.
    """
    woken = 0
    for link in links.due(now_epoch_s):
        woken += sum(
            copies.wake(*_ids(copy), at) for copy, at in _in_turn(_blocked_by(copies, link), limits, now_epoch_s)
        )
        links.note_woken(link)
    return woken


def wake_failed_before(copies: CopyLedger, parent_id: int, limits: Limits, now_epoch_s: float) -> int:
    """Make the parent's copies due that an older version marked failed because of a temporary fault; returns how many.

    Effects: safe to repeat: this version marks no copy failed for such a reason, so the next call finds none.
    """
    failed = (
        copy
        for copy in copies.of_parent(parent_id)
        if copy.state is CopyState.FAILED and copy.reason in PASSING_REASONS
    )
    return sum(copies.reopen(*_ids(copy), at) for copy, at in _in_turn(failed, limits, now_epoch_s))


def spacing_s(limits: Limits) -> float:
    """The interval between the due times of two copies."""
    return 2 * _CALLS * max(WINDOW_S / limits.overall_window, DAY_S / limits.overall_day)


def _blocked_by(copies: CopyLedger, link: Link) -> Iterator[Copy]:
    """The copies that were skipped because of the link."""
    for copy in copies.of_child(link.child_id):
        is_skipped = copy.state is CopyState.SKIPPED and copy.reason not in LASTING_REASONS
        if copy.parent_id == link.parent_id and is_skipped:
            yield copy


def _newest_first(copies: Iterable[Copy]) -> list[Copy]:
    return sorted(copies, key=lambda copy: copy.activity_start_epoch_s or copy.planned_at_epoch_s, reverse=True)


def _in_turn(copies: Iterable[Copy], limits: Limits, now_epoch_s: float) -> list[tuple[Copy, float]]:
    """The copies, newest activity first, each with its time."""
    return [(copy, now_epoch_s + place * spacing_s(limits)) for place, copy in enumerate(_newest_first(copies))]


def _ids(copy: Copy) -> tuple[int, int]:
    return copy.parent_activity_id, copy.child_id
