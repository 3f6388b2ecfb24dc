"""`strava_reconcile`: what waited in the ledgers until now goes back into the queue."""

from __future__ import annotations

from dataclasses import dataclass

from include.pipeline.services import Services
from include.queue.queued_event import QueuedEvent

QUEUED_AT_ONCE = 500
"""How many due rows one run queues; the next window's run goes on."""


@dataclass(frozen=True, slots=True)
class Queued:
    """How many activities were queued, because of their own row or because of a copy."""

    activities: int
    copies: int


def queue_due(services: Services) -> Queued:
    """Queue every activity that is due itself or has a copy that is.

    Effects: sends messages only; queueing an activity twice costs at most one call more.
    """
    now = services.clock()
    due: dict[tuple[int, int], str] = {}
    for copy in services.copies.due(now):
        due[(copy.parent_id, copy.parent_activity_id)] = "copy"
    for entry in services.activities.due(now):
        due[(entry.athlete_id, entry.activity_id)] = "activity"
    for athlete_id, activity_id in list(due)[:QUEUED_AT_ONCE]:
        services.queue.send(QueuedEvent.look_again(athlete_id, activity_id, now).to_body())
    kinds = list(due.values())[:QUEUED_AT_ONCE]
    return Queued(activities=kinds.count("activity"), copies=kinds.count("copy"))
