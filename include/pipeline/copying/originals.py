"""Marks copies whose original was renamed or deleted: Strava has no call to delete a copy."""

from __future__ import annotations

from include.copying.matching import match
from include.errors import RetryLater
from include.pipeline.uses import UsesStorage
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import MADE_STATES, Copy, Original


def mark_copies(services: UsesStorage, parent_id: int, activity_id: int) -> None:
    """Mark the activity's copies whose title no longer names the child, or whose original is gone; unmark the others.

    A copy counts as named while the title holds a name of its link, or the name that matched first.
    Errors: `RetryLater` while another run has the copy.
    Effects: sets `original` of copies that were made; no call to Strava. Safe to repeat.
    """
    for copy in services.state.copies.of_activity(activity_id):
        if copy.parent_id == parent_id and copy.state in MADE_STATES:
            _follow(services, copy)


def _follow(services: UsesStorage, copy: Copy) -> None:
    """Write the mark until it is still true after the write: the title may change meanwhile."""
    original = _original(services, copy)
    while original is not copy.original:
        held = services.state.copies.acquire(copy.parent_activity_id, copy.child_id)
        if held is None:
            raise RetryLater(
                f"Another run is working on copy {copy.external_id} to athlete {copy.child_id}, so it could not be"
                f" marked {original}; run this again."
            )
        copy = held.marked(original)
        services.state.copies.settle(copy)
        original = _original(services, copy)


def _original(services: UsesStorage, copy: Copy) -> Original:
    activity = services.lake.raw.detail(copy.parent_id, copy.parent_activity_id)
    if activity is None:
        entry = services.state.activities.get(copy.parent_id, copy.parent_activity_id)
        removed = entry is not None and entry.state is ActivityState.REMOVED
        return Original.DELETED if removed else copy.original
    link = services.state.links.get(copy.parent_id, copy.child_id)
    names = (*(link.names if link else ()), copy.matched)
    return Original.RENAMED if match(activity.name, names) is None else Original.NAMED
