"""An event as it waits in the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.errors import BadEvent
from include.state.erasures.entry import EraseReason, Erasure, ErasureGrounds
from include.strava.events import COPIES_ONLY, WebhookEvent

_RECEIVED_AT = "received_at_epoch_s"
_ERASURE = "erasure"
_BACKFILL = "backfill"
_FORMER_ERASURE = "erasure_asked"
"""By which messages of older versions say that the athlete asks for it."""


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """A valid event and when it reached us, from which a run tells how long the event was under way."""

    event: WebhookEvent
    received_at_epoch_s: float
    erasure: ErasureGrounds | None = None
    """Who wants the athlete erased, and when the wish was uttered, as our own state says; no webhook can say so."""

    backfill: Mapping[str, Any] | None = None
    """The form of a backfill that is to go on, as our own state says; no webhook can say so."""

    @classmethod
    def look_again(
        cls, athlete_id: int, activity_id: int, now_epoch_s: float, *, copies_only: bool = False
    ) -> QueuedEvent:
        """An event of our own, by which an activity is looked at again, or its copies alone are."""
        event = WebhookEvent(
            object_type="activity",
            object_id=activity_id,
            aspect_type="update",
            owner_id=athlete_id,
            subscription_id=1,
            event_time_epoch_s=int(now_epoch_s),
            updates=COPIES_ONLY if copies_only else {},
        )
        return cls(event, now_epoch_s)

    @classmethod
    def deleted(cls, athlete_id: int, activity_id: int, now_epoch_s: float) -> QueuedEvent:
        """An event of our own, by which the operator says that an activity is gone; it is confirmed with Strava."""
        event = WebhookEvent(
            object_type="activity",
            object_id=activity_id,
            aspect_type="delete",
            owner_id=athlete_id,
            subscription_id=1,
            event_time_epoch_s=int(now_epoch_s),
        )
        return cls(event, now_epoch_s)

    @classmethod
    def resume_erasure(cls, erasure: Erasure, now_epoch_s: float) -> QueuedEvent:
        """An event of our own, by which an erasure that was asked for is carried out, from where it stands.

        Its run has another id than any that was started for the erasure in another second.
        """
        event = WebhookEvent(
            object_type="athlete",
            object_id=erasure.athlete_id,
            aspect_type="delete",
            owner_id=erasure.athlete_id,
            subscription_id=1,
            event_time_epoch_s=int(now_epoch_s),
        )
        return cls(event, now_epoch_s, erasure.grounds)

    @classmethod
    def resume_backfill(cls, form: Mapping[str, Any], now_epoch_s: float) -> QueuedEvent:
        """An event of our own, by which a backfill goes on from where its row stands; `form` is as of its DAG.

        Its run has another id than any that was started for the same form in another second.
        """
        event = WebhookEvent(
            object_type="athlete",
            object_id=form["athlete"],
            aspect_type="update",
            owner_id=form["athlete"],
            subscription_id=1,
            event_time_epoch_s=int(now_epoch_s),
            updates={_BACKFILL: json.dumps(form, sort_keys=True)},
        )
        return cls(event, now_epoch_s, backfill=form)

    @property
    def grounds(self) -> ErasureGrounds | None:
        """Why the athlete is to be erased, and when that was said; None for every other event."""
        if self.erasure is None and self.event.is_deauthorisation:
            return ErasureGrounds(EraseReason.DEAUTHORISATION, self.event.event_time_epoch_s)
        return self.erasure

    @property
    def is_about_activities(self) -> bool:
        """Whether it is one of those that share a run of `strava_ingest`."""
        return self.grounds is None and self.backfill is None

    def to_conf(self) -> dict[str, Any]:
        """The event as a run's conf names it, `received_at_epoch_s` beside its own fields."""
        asked = {_ERASURE: [self.erasure.reason, self.erasure.asked_at_epoch_s]} if self.erasure else {}
        resumed = {_BACKFILL: dict(self.backfill)} if self.backfill else {}
        return {**self.event.to_conf(), _RECEIVED_AT: self.received_at_epoch_s, **asked, **resumed}

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
        event = WebhookEvent.from_conf(conf)
        return cls(event, float(received_at), _erasure(conf, event), _backfill(conf))


def _backfill(conf: Mapping[str, Any]) -> Mapping[str, Any] | None:
    form = conf.get(_BACKFILL)
    if form is not None and not isinstance(form, Mapping):
        raise BadEvent(f"The queued message's {_BACKFILL} should be an object, is {type(form).__name__}.")
    return form


def _erasure(conf: Mapping[str, Any], event: WebhookEvent) -> ErasureGrounds | None:
    if conf.get(_FORMER_ERASURE) is True:
        return ErasureGrounds(EraseReason.ATHLETE, event.event_time_epoch_s)
    match conf.get(_ERASURE):
        case None:
            return None
        case [str(reason), int(asked_at)] if reason in set(EraseReason):
            return ErasureGrounds(EraseReason(reason), asked_at)
    raise BadEvent(f"The queued message's {_ERASURE} should be a reason and a time.")
