"""What a message of the queue says: an event of Strava's, or what this system asks of a run of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.errors import BadEvent
from include.state.erasures.entry import EraseReason, ErasureGrounds
from include.strava.events import COPIES_ONLY, WebhookEvent

_KIND = "kind"
_QUEUED_AT = "received_at_epoch_s"
_ERASURE = "erasure"
_BACKFILL = "backfill"
_FORMER_ERASURE = "erasure_asked"
"""By which messages of older versions say that the athlete asks for it."""

_OWN = 1
"""The subscription in whose name our own messages are written, for versions that know them as events only."""


@dataclass(frozen=True, slots=True)
class StravaEvent:
    """A valid event that Strava has sent."""

    event: WebhookEvent
    queued_at_epoch_s: float
    """When it reached us, from which a run tells how long it was under way."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """An activity is to be fetched again, or it is time for its copies alone."""

    athlete_id: int
    activity_id: int
    queued_at_epoch_s: float
    copies_only: bool = False

    @property
    def event(self) -> WebhookEvent:
        """The same in the shape of an event, as a run is given it."""
        updates = COPIES_ONLY if self.copies_only else {}
        return _event("activity", self.activity_id, "update", self.athlete_id, self.queued_at_epoch_s, updates)


@dataclass(frozen=True, slots=True)
class ConfirmRemoval:
    """An operator says that an activity is gone, which is to be confirmed with Strava."""

    athlete_id: int
    activity_id: int
    queued_at_epoch_s: float

    @property
    def event(self) -> WebhookEvent:
        """The same in the shape of an event, as a run is given it."""
        return _event("activity", self.activity_id, "delete", self.athlete_id, self.queued_at_epoch_s, {})


@dataclass(frozen=True, slots=True)
class EraseAthlete:
    """An erasure that was asked for is to be carried out, from where it stands; no webhook can say so."""

    athlete_id: int
    grounds: ErasureGrounds
    """Who wants the athlete erased, and when that was said."""
    queued_at_epoch_s: float

    @property
    def event(self) -> WebhookEvent:
        """The same in the shape of an event; its run has another id than one that was queued in another second."""
        return _event("athlete", self.athlete_id, "delete", self.athlete_id, self.queued_at_epoch_s, {})


@dataclass(frozen=True, slots=True)
class ResumeBackfill:
    """A backfill goes on from where its row stands; no webhook can say so."""

    form: Mapping[str, Any]
    """As of its DAG."""
    queued_at_epoch_s: float

    @property
    def event(self) -> WebhookEvent:
        """The same in the shape of an event; its run has another id than one that was queued in another second."""
        athlete_id, updates = self.form["athlete"], {_BACKFILL: json.dumps(self.form, sort_keys=True)}
        return _event("athlete", athlete_id, "update", athlete_id, self.queued_at_epoch_s, updates)


Content = StravaEvent | LookAgain | ConfirmRemoval | EraseAthlete | ResumeBackfill

_KINDS: Mapping[str, type[Content]] = {
    "strava_event": StravaEvent,
    "look_again": LookAgain,
    "confirm_removal": ConfirmRemoval,
    "erase_athlete": EraseAthlete,
    "resume_backfill": ResumeBackfill,
}


def grounds_of(content: Content) -> ErasureGrounds | None:
    """Why the athlete is to be erased, and when that was said; None for what erases nobody."""
    if isinstance(content, EraseAthlete):
        return content.grounds
    if isinstance(content, StravaEvent) and content.event.is_deauthorisation:
        return ErasureGrounds(EraseReason.DEAUTHORISATION, content.event.event_time_epoch_s)
    return None


def is_about_activities(content: Content) -> bool:
    """Whether it is one of those that share a run of `strava_ingest`."""
    return grounds_of(content) is None and not isinstance(content, ResumeBackfill)


def to_conf(content: Content) -> dict[str, Any]:
    """The content as a run's conf names it: in the shape of an event, `received_at_epoch_s` beside its own fields."""
    return {**content.event.to_conf(), _QUEUED_AT: content.queued_at_epoch_s}


def to_body(content: Content) -> str:
    """The body of the queue's message.

    It has the shape of an event too, by which older versions read it: one of them may be the reader during a deploy.
    """
    own: dict[str, Any] = {}
    if isinstance(content, EraseAthlete):
        own = {_ERASURE: [content.grounds.reason, content.grounds.asked_at_epoch_s]}
    if isinstance(content, ResumeBackfill):
        own = {_BACKFILL: dict(content.form)}
    kind = next(name for name, known in _KINDS.items() if known is type(content))
    return json.dumps({**to_conf(content), **own, _KIND: kind}, separators=(",", ":"))


def parse(body: str) -> Content:
    """What `to_body` wrote, of this version or an older one, which named no kind. Errors: `BadEvent` for anything else.

    An older version's order to look again is read as the event that it was written as, which asks for the same.
    """
    try:
        written = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise BadEvent("The queued message is not JSON; the webhook did not write it.") from err
    if not isinstance(written, Mapping):
        raise BadEvent(f"The queued message should be an object, is {type(written).__name__}.")
    queued_at = written.get(_QUEUED_AT)
    if not isinstance(queued_at, (int, float)) or isinstance(queued_at, bool):
        raise BadEvent(f"The queued message's {_QUEUED_AT} should be a number.")
    return _content(written, WebhookEvent.from_conf(written), float(queued_at))


def _content(written: Mapping[str, Any], event: WebhookEvent, queued_at: float) -> Content:
    kind = _KINDS.get(str(written.get(_KIND, "strava_event")))
    grounds, form = _grounds(written, event), _form(written)
    if grounds is not None:
        return EraseAthlete(event.owner_id, grounds, queued_at)
    if form is not None:
        return ResumeBackfill(form, queued_at)
    if kind is LookAgain:
        return LookAgain(event.owner_id, event.object_id, queued_at, copies_only=event.asks_for_copies_only)
    if kind is ConfirmRemoval:
        return ConfirmRemoval(event.owner_id, event.object_id, queued_at)
    if kind is StravaEvent:
        return StravaEvent(event, queued_at)
    raise BadEvent(f"The queued message's {_KIND} should be one of {', '.join(_KINDS)}, with what belongs to it.")


def _form(written: Mapping[str, Any]) -> Mapping[str, Any] | None:
    form = written.get(_BACKFILL)
    if form is not None and not isinstance(form, Mapping):
        raise BadEvent(f"The queued message's {_BACKFILL} should be an object, is {type(form).__name__}.")
    return form


def _grounds(written: Mapping[str, Any], event: WebhookEvent) -> ErasureGrounds | None:
    if written.get(_FORMER_ERASURE) is True:
        return ErasureGrounds(EraseReason.ATHLETE, event.event_time_epoch_s)
    match written.get(_ERASURE):
        case None:
            return None
        case [str(reason), int(asked_at)] if reason in set(EraseReason):
            return ErasureGrounds(EraseReason(reason), asked_at)
    raise BadEvent(f"The queued message's {_ERASURE} should be a reason and a time.")


def _event(
    object_type: str, object_id: int, aspect_type: str, athlete_id: int, now: float, updates: Mapping[str, str]
) -> WebhookEvent:
    return WebhookEvent(object_type, object_id, aspect_type, athlete_id, _OWN, int(now), updates)
