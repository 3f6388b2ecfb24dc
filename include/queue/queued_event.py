"""An event as it waits in the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.errors import BadEvent
from include.strava.events import WebhookEvent

_RECEIVED_AT = "received_at_epoch_s"


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """A valid event and when it reached us, from which a run tells how long the event was under way."""

    event: WebhookEvent
    received_at_epoch_s: float

    @classmethod
    def look_again(cls, athlete_id: int, activity_id: int, now_epoch_s: float) -> QueuedEvent:
        """An event of our own, by which an activity is looked at again."""
        event = WebhookEvent(
            object_type="activity",
            object_id=activity_id,
            aspect_type="update",
            owner_id=athlete_id,
            subscription_id=1,
            event_time_epoch_s=int(now_epoch_s),
        )
        return cls(event, now_epoch_s)

    def to_conf(self) -> dict[str, Any]:
        """The event as a run's conf names it, `received_at_epoch_s` beside its own fields."""
        return {**self.event.to_conf(), _RECEIVED_AT: self.received_at_epoch_s}

    def to_body(self) -> str:
        """The body of the queue's message."""
        return json.dumps(self.to_conf(), separators=(",", ":"))

    @classmethod
    def parse(cls, body: str) -> QueuedEvent:
        """What `to_body` wrote. Errors: `BadEvent` for anything else."""
        try:
            conf = json.loads(body)
        except (ValueError, RecursionError) as err:
            raise BadEvent("The queued message is not JSON; the webhook did not write it.") from err
        if not isinstance(conf, Mapping):
            raise BadEvent(f"The queued message should be an object, is {type(conf).__name__}.")
        received_at = conf.get(_RECEIVED_AT)
        if not isinstance(received_at, (int, float)) or isinstance(received_at, bool):
            raise BadEvent(f"The queued message's {_RECEIVED_AT} should be a number.")
        return cls(WebhookEvent.from_conf(conf), float(received_at))
