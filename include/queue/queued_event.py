"""An event as it waits in the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.errors import BadEvent
from include.strava.events import WebhookEvent

_RECEIVED_AT = "received_at_epoch_s"
_ERASURE_ASKED = "erasure_asked"


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """A valid event and when it reached us, from which a run tells how long the event was under way."""

    event: WebhookEvent
    received_at_epoch_s: float
    erasure_asked: bool = False
    """Whether the athlete, signed in on our pages, asks to be erased; no webhook can say so."""

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

    @classmethod
    def ask_erasure(cls, athlete_id: int, now_epoch_s: float) -> QueuedEvent:
        """An event of our own, by which everything of an athlete is erased."""
        event = WebhookEvent(
            object_type="athlete",
            object_id=athlete_id,
            aspect_type="delete",
            owner_id=athlete_id,
            subscription_id=1,
            event_time_epoch_s=int(now_epoch_s),
        )
        return cls(event, now_epoch_s, erasure_asked=True)

    @property
    def erase_reason(self) -> str | None:
        """Why the athlete is to be erased, in the words of `strava_erase`; None for every other event."""
        if self.erasure_asked:
            return "athlete"
        return "deauthorisation" if self.event.is_deauthorisation else None

    def to_conf(self) -> dict[str, Any]:
        """The event as a run's conf names it, `received_at_epoch_s` beside its own fields."""
        asked = {_ERASURE_ASKED: True} if self.erasure_asked else {}
        return {**self.event.to_conf(), _RECEIVED_AT: self.received_at_epoch_s, **asked}

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
        return cls(WebhookEvent.from_conf(conf), float(received_at), conf.get(_ERASURE_ASKED) is True)
