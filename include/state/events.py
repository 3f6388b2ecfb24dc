"""The audit of webhook events: when each came, and its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from include.clock import Clock
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store

KEPT_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class AuditedEvent:
    """One event's record in the audit."""

    athlete_id: int
    object_id: int
    outcome: str
    """Its latest outcome."""
    received_at_epoch_s: float
    """When it was first recorded."""
    times: int
    """How often it was recorded."""


class EventAudit:
    """The rows, which expire. People read them; no code decides by them whether to skip work."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @retry_on_conflict
    def record(self, event_id: str, *, athlete_id: int, object_id: int, outcome: str) -> None:
        """Note an event's outcome. Effects: keeps the first time it was received; expires after `KEPT_S`."""
        now_epoch_s = self._clock()
        item = self._store.get(_key(event_id))
        earlier = decode(AuditedEvent, item.fields) if item else None
        event = AuditedEvent(
            athlete_id=athlete_id,
            object_id=object_id,
            outcome=outcome,
            received_at_epoch_s=earlier.received_at_epoch_s if earlier else now_epoch_s,
            times=earlier.times + 1 if earlier else 1,
        )
        self._store.put(
            _key(event_id),
            encode(event),
            expected_version=item.version if item else ABSENT,
            expires_at_epoch_s=int(now_epoch_s) + KEPT_S,
        )

    def get(self, event_id: str) -> AuditedEvent | None:
        """The event's record, or None."""
        item = self._store.get(_key(event_id))
        return decode(AuditedEvent, item.fields) if item else None

    def of_athlete(self, athlete_id: int) -> Iterator[str]:
        """The ids of the athlete's events that have not expired, as the index finds them."""
        for item in self._store.find("events", "by_athlete", athlete_id):
            yield item.key.partition

    @retry_on_conflict
    def forget(self, event_id: str) -> None:
        """Remove the event's record; safe to repeat."""
        item = self._store.get(_key(event_id))
        if item is not None:
            self._store.delete(item.key, expected_version=item.version)


def _key(event_id: str) -> Key:
    return Key("events", event_id)
