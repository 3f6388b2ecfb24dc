"""The lease on one activity: the right to write it, which one worker has at a time."""

from __future__ import annotations

from dataclasses import dataclass

from include.state.activities.entry import LedgerEntry
from include.strava.models import ActivityId, AthleteId

LEASE_S = 300
"""How long a worker has for an activity before another may take it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one activity, until it expires or is settled."""

    athlete_id: AthleteId
    activity_id: ActivityId
    fence: int
    """Grows with every lease of this activity: a lease with a smaller number than the row's is lost."""
    expires_at_epoch_s: float
    entry: LedgerEntry | None
    """The row's entry when it was leased."""
