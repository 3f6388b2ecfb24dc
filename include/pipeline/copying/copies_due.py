"""Whether a sync makes copies due: noted in the write that settles the sync, so that a crash loses none."""

from __future__ import annotations

from dataclasses import replace

from include.copying.matching import match
from include.state.activities.entry import DUE_AFTER_S
from include.state.activities.ledger import DueWork, Lease, LedgerEntry
from include.state.state import UsesState
from include.strava.models import Activity


def with_copies(services: UsesState, lease: Lease, entry: LedgerEntry, activity: Activity | None) -> LedgerEntry:
    """The entry that a sync settles: copies are due where the title names a linked child, or copies exist.

    The run that synced the activity makes the copies now; reconcile queues them where that run dies.
    """
    if not (activity is not None and _names_a_child(services, activity)) and not _has_copies(services, entry):
        return entry
    return replace(entry, copies_due=DueWork(lease.fence, int(services.clock()) + DUE_AFTER_S))


def with_undecided_copies(services: UsesState, lease: Lease, entry: LedgerEntry, activity: Activity) -> LedgerEntry:
    """The entry that a backfill settles: copies are due at once where one is still undecided.

    Only for activities that began after their link did: older ones are copied on request.
    """
    decided = {copy.child_id for copy in services.state.copies.of_activity(activity.activity_id)}
    if not _names_a_child(services, activity, decided=frozenset(decided), began_under_link=True):
        return entry
    return replace(entry, copies_due=DueWork(lease.fence, int(services.clock())))


def _names_a_child(
    services: UsesState, activity: Activity, *, decided: frozenset[int] = frozenset(), began_under_link: bool = False
) -> bool:
    start_at_epoch_s = activity.start_at.timestamp()
    return any(
        match(activity.name, link.names) is not None
        for link in services.state.links.of_parent(activity.athlete_id)
        if link.child_id not in decided and not (began_under_link and start_at_epoch_s < link.starts_at_epoch_s)
    )


def _has_copies(services: UsesState, entry: LedgerEntry) -> bool:
    return any(copy.parent_id == entry.athlete_id for copy in services.state.copies.of_activity(entry.activity_id))
