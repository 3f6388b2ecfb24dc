"""Refetches copies in a child's account that the lake stored before the ledger knew them as copies."""

from __future__ import annotations

from include.errors import UnexpectedShape
from include.pipeline.ingest.events import CLOCK_SKEW_S
from include.pipeline.uses import UsesLake, UsesStorage
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import Copy, CopyState, parent_activity_of


def refetch_copies_made(services: UsesStorage, activity_id: int) -> None:
    """Have the activity's copies fetched again where their rows may lack `parent_activity_id`.

    Nothing is due where Strava shows the copy's external id, as it usually does: then the row has it.
    Effects: makes activities due; safe to repeat: a copy fetched after it was made is not fetched again.
    """
    for copy in services.state.copies.of_activity(activity_id):
        if copy.state is CopyState.DONE and copy.child_activity_id is not None:
            _refetch(services, copy, copy.child_activity_id)


def _refetch(services: UsesStorage, copy: Copy, child_activity_id: int) -> None:
    entry = services.state.activities.get(copy.child_id, child_activity_id)
    if entry is None or not (entry.object_keys or entry.state is ActivityState.PENDING):
        return  # A worker that stores it later finds the copy in the ledger.
    fetched_at_epoch_s = entry.fetched_at_epoch_s
    if fetched_at_epoch_s is not None and fetched_at_epoch_s > copy.updated_at_epoch_s + CLOCK_SKEW_S:
        return
    if not _names_its_parent(services, copy.child_id, child_activity_id):
        now_epoch_s = int(services.clock())
        services.state.activities.make_due(
            copy.child_id, child_activity_id, asked_at_epoch_s=now_epoch_s, due_at_epoch_s=now_epoch_s
        )


def _names_its_parent(services: UsesLake, athlete_id: int, activity_id: int) -> bool:
    try:
        activity = services.lake.raw.detail(athlete_id, activity_id)
    except UnexpectedShape:
        return False
    return activity is not None and parent_activity_of(activity.external_id or "") is not None
