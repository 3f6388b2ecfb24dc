"""Copies that sleep until what stood against them has gone: who wakes which, and when each is due.

Whoever has changed something wakes the copies that it stood against, newest first, as far apart as half of the budget
of calls serves them: live work keeps the other half. While a browser waits only so many are woken as it has patience
for; the others come by themselves, at the try that each has once a day, or after the nightly look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

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

_AT_ONCE = 200
"""How many copies are woken while a browser waits: each is read and written, in a second or two together."""

_CALLS = 3
"""What one copy costs: the upload and two looks at it."""


def wake_for_access(copies: CopyLedger, child_id: int, limits: Limits, now: float) -> int:
    """Wake the newest copies that wait for access to the child's account, which was just given; returns how many.

    Effects: safe to repeat. The others, and all after a crash before it, are tried within a day.
    """
    waiting = (copy for copy in copies.of_child(child_id) if copy.state is CopyState.WAITING_FOR_ACCESS)
    return _wake(copies, _newest_first(waiting)[:_AT_ONCE], limits, now)


def save_link(store: Store, clock: Clock, link: Link) -> Link:
    """Save the link over the version it was read with, and have the copies looked at again that it stood against.

    The newest are woken before the write, and after it those that a run has skipped meanwhile because of the link as it
    was: a crash between leaves none of them asleep. The others are left to `wake_for_links`.
    Errors: `VersionConflict` when the other side changed it meanwhile: read it again and decide again.
    """
    copies, limits, began = CopyLedger(store, clock), Quota(store, clock).limits(), int(clock())
    _wake(copies, _stood_against(copies, link)[:_AT_ONCE], limits, clock() + _CHANGING_S)
    saved = Links(store).save(replace(link, changed_at_epoch_s=began))
    skipped = [copy for copy in _stood_against(copies, saved) if copy.updated_at_epoch_s >= began]
    _wake(copies, skipped[:_AT_ONCE], limits, clock() + _CHANGING_S)
    return saved


def wake_for_links(copies: CopyLedger, links: Iterable[Link], limits: Limits, now: float) -> int:
    """Wake the copies that were skipped before their link was changed, or while it was; returns how many.

    Effects: safe to repeat. A copy that the link still stands against is skipped again, at no call, and sleeps then.
    """
    return sum(
        _wake(copies, [copy for copy in _stood_against(copies, link) if _is_before(copy, link)], limits, now)
        for link in links
    )


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


def _stood_against(copies: CopyLedger, link: Link) -> list[Copy]:
    """The copies that were skipped over the link, newest activity first."""
    return _newest_first(
        copy
        for copy in copies.of_child(link.child_id)
        if copy.parent_id == link.parent_id and copy.state is CopyState.SKIPPED and copy.reason not in LASTING_REASONS
    )


def _is_before(copy: Copy, link: Link) -> bool:
    return copy.updated_at_epoch_s < link.changed_at_epoch_s + _CHANGING_S


def _wake(copies: CopyLedger, chosen: Iterable[Copy], limits: Limits, now: float) -> int:
    return sum(copies.wake(*_ids(copy), at) for copy, at in _in_turn(chosen, limits, now))


def _newest_first(copies: Iterable[Copy]) -> list[Copy]:
    return sorted(copies, key=lambda copy: copy.activity_start_epoch_s or copy.planned_at_epoch_s, reverse=True)


def _in_turn(copies: Iterable[Copy], limits: Limits, now: float) -> list[tuple[Copy, float]]:
    """The copies, newest activity first, each with its time."""
    return [(copy, now + place * spacing_s(limits)) for place, copy in enumerate(_newest_first(copies))]


def _ids(copy: Copy) -> tuple[int, int]:
    return copy.parent_activity_id, copy.child_id
