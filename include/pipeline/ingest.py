"""`strava_ingest`: from webhook events to the activities that have to be looked at."""

from __future__ import annotations

from collections.abc import Iterable

from include.pipeline.services import Services
from include.pipeline.sync import SyncItem
from include.state.activities import ActivityState
from include.state.athletes import AthleteStatus
from include.strava.events import WebhookEvent

CLOCK_SKEW_S = 30
"""An event counts as answered by a fetch only if it is older than the fetch by more than two clocks may differ."""


def plan(services: Services, events: Iterable[WebhookEvent]) -> list[SyncItem]:
    """The activities that the events name, each once, with the time of its newest event.

    Shape: ordered by event time, so that what happened first is looked at first.
    Events are hints: one that an earlier fetch has answered already costs no call; one of an athlete who is
    not connected is dropped. Both are noted in the audit.
    Effects: writes the audit only; safe to repeat.
    """
    newest: dict[tuple[int, int], SyncItem] = {}
    for event in sorted(events, key=lambda event: event.event_time_epoch_s):
        outcome = _drop_reason(services, event)
        services.events.record(
            event.event_id,
            athlete_id=event.owner_id,
            object_id=event.object_id,
            outcome=outcome or "planned",
        )
        if outcome is None:
            item = SyncItem(event.owner_id, event.object_id, event.event_time_epoch_s)
            newest[event.owner_id, event.object_id] = item
    return sorted(newest.values(), key=lambda item: item.event_at_epoch_s)


def _drop_reason(services: Services, event: WebhookEvent) -> str | None:
    if event.object_type != "activity":
        return "no activity event"
    athlete = services.athletes.get(event.owner_id)
    if athlete is None or athlete.status is not AthleteStatus.ACTIVE:
        return "athlete not connected"
    entry = services.activities.get(event.owner_id, event.object_id)
    if entry is None or entry.state is ActivityState.PENDING or entry.next_try_epoch_s is not None:
        return None
    if entry.fetched_at_epoch_s is not None and event.event_time_epoch_s + CLOCK_SKEW_S < entry.fetched_at_epoch_s:
        return "answered by a later fetch"
    return None
