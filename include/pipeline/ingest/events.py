"""`strava_ingest`: from webhook events to the activities that have to be fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from include.pipeline.ingest.sync_item import SyncItem
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.state import UsesState
from include.strava.events import WebhookEvent

CLOCK_SKEW_S = 120
"""The largest difference assumed between two clocks: a fetch answers an event only if it is later by more than this."""


def plan(services: UsesState, events: Iterable[WebhookEvent]) -> list[SyncItem]:
    """The activities that the events name, each once, with the time of its newest event.

    Shape: ordered by event time, oldest first. Events are hints: an event that a later fetch has already answered costs
    no call, unless its activity has other work due; an event of an athlete who is not connected is dropped. The table
    `events` records both. Activities of an athlete who has to connect again stay due until then; copies that have begun
    continue: uploads are polled until Strava decides, and waiting copies expire.
    Effects: writes `events`, and clears the due mark of an answered event; safe to repeat.
    """
    events = list(events)
    _note_arrival(services, events)
    newest: dict[tuple[int, int], SyncItem] = {}
    for event in sorted(events, key=lambda event: event.event_time_epoch_s):
        outcome = _drop_reason(services, event)
        services.state.events.record(
            event.event_id,
            athlete_id=event.owner_id,
            object_id=event.object_id,
            outcome=outcome or "planned",
        )
        if outcome is None:
            key = event.owner_id, event.object_id
            copies_only = event.asks_for_copies_only and (key not in newest or newest[key].copies_only)
            announced = event.aspect_type == "delete" or (key in newest and newest[key].is_announced)
            newest[key] = SyncItem(*key, event.event_time_epoch_s, copies_only, announced)
    return sorted(newest.values(), key=lambda item: item.event_at_epoch_s)


def _note_arrival(services: UsesState, events: Sequence[WebhookEvent]) -> None:
    """Note that Strava's events arrive, if some of these are Strava's rather than our own."""
    subscription = services.state.subscriptions.current()
    sent = [
        event.event_time_epoch_s
        for event in events
        if subscription is not None and event.subscription_id == subscription.subscription_id
    ]
    if subscription is not None and sent:
        services.state.subscriptions.note_event(subscription.subscription_id, max(sent))


def _drop_reason(services: UsesState, event: WebhookEvent) -> str | None:
    if event.object_type != "activity":
        return "not an activity event"
    athlete = services.state.athletes.get(event.owner_id)
    entry = services.state.activities.get(event.owner_id, event.object_id)
    if athlete is None or athlete.status is not AthleteStatus.ACTIVE:
        if athlete is None and entry is not None and not entry.is_known:
            services.state.activities.forget(event.owner_id, event.object_id)
        if athlete is None or not event.asks_for_copies_only:
            return "athlete not connected"
    if entry is None or not _is_answered(entry, event.event_time_epoch_s):
        return None
    services.state.activities.answered(event.owner_id, event.object_id, asked_at_epoch_s=event.event_time_epoch_s)
    return "answered by a later fetch"


def _is_answered(entry: LedgerEntry, asked_at_epoch_s: int) -> bool:
    """Whether a stored answer is newer than the event and the activity has no other work due."""
    if entry.state is ActivityState.PENDING or entry.answered(asked_at_epoch_s).due_at_epoch_s is not None:
        return False
    return entry.fetched_at_epoch_s is not None and asked_at_epoch_s + CLOCK_SKEW_S < entry.fetched_at_epoch_s
