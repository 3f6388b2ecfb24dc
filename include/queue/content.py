"""The content of a message in the queue: an event from Strava, or a request of this system to a run."""

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
"""The mark of an athlete's request in messages of older versions."""

_OWN = 1
"""The subscription id in our own messages, for versions that read them as events."""


@dataclass(frozen=True, slots=True)
class StravaEvent:
    """A valid event from Strava."""

    event: WebhookEvent
    queued_at_epoch_s: float
    """When it arrived; a run reports how long the event took from then."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """A request to fetch an activity again, or only to make its copies."""

    athlete_id: int
    activity_id: int
    queued_at_epoch_s: float
    copies_only: bool = False

    @property
    def event(self) -> WebhookEvent:
        """The request in the shape of an event, as a run gets it."""
        updates = COPIES_ONLY if self.copies_only else {}
        return _event("activity", self.activity_id, "update", self.athlete_id, self.queued_at_epoch_s, updates)


@dataclass(frozen=True, slots=True)
class ConfirmRemoval:
    """An operator's statement that an activity is gone, which Strava has to confirm."""

    athlete_id: int
    activity_id: int
    queued_at_epoch_s: float

    @property
    def event(self) -> WebhookEvent:
        """The request in the shape of an event, as a run gets it."""
        return _event("activity", self.activity_id, "delete", self.athlete_id, self.queued_at_epoch_s, {})


@dataclass(frozen=True, slots=True)
class EraseAthlete:
    """A request to carry out or continue a stored erasure; no webhook event can be read as one."""

    athlete_id: int
    grounds: ErasureGrounds
    """Who requested the erasure, and when."""
    queued_at_epoch_s: float

    @property
    def event(self) -> WebhookEvent:
        """The request in the shape of an event; requests of different seconds have runs with different ids."""
        return _event("athlete", self.athlete_id, "delete", self.athlete_id, self.queued_at_epoch_s, {})


@dataclass(frozen=True, slots=True)
class ResumeBackfill:
    """A request to continue a backfill from its row; no webhook event can be read as one."""

    form: Mapping[str, Any]
    """The params of its DAG's form."""
    queued_at_epoch_s: float

    @property
    def event(self) -> WebhookEvent:
        """The request in the shape of an event; requests of different seconds have runs with different ids."""
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
    """The grounds of the erasure that the content requests; None where it requests none."""
    if isinstance(content, EraseAthlete):
        return content.grounds
    if isinstance(content, StravaEvent) and content.event.is_deauthorisation:
        return ErasureGrounds(EraseReason.DEAUTHORISATION, content.event.event_time_epoch_s)
    return None


def is_about_activities(content: Content) -> bool:
    """Whether the content is handled by `strava_ingest`, in a run with others."""
    return grounds_of(content) is None and not isinstance(content, ResumeBackfill)


def to_conf(content: Content) -> dict[str, Any]:
    """The content in a run's conf: in the shape of an event, with `received_at_epoch_s`."""
    return {**content.event.to_conf(), _QUEUED_AT: content.queued_at_epoch_s}


def to_body(content: Content) -> str:
    """The body of the queue's message.

    It has the shape of an event too, because an older version may read it during a deployment.
    """
    own: dict[str, Any] = {}
    if isinstance(content, EraseAthlete):
        own = {_ERASURE: [content.grounds.reason, content.grounds.asked_at_epoch_s]}
    if isinstance(content, ResumeBackfill):
        own = {_BACKFILL: dict(content.form)}
    kind = next(name for name, known in _KINDS.items() if known is type(content))
    return json.dumps({**to_conf(content), **own, _KIND: kind}, separators=(",", ":"))


def parse(body: str) -> Content:
    """The content that `to_body` wrote, in this or an older version. Errors: `BadEvent` for anything else.

    Older versions wrote no kind: their request to look again is read as the event that it resembles, with the same
    effect.
    """
    try:
        written = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise BadEvent("The queued message is not JSON; the webhook did not write it.") from err
    if not isinstance(written, Mapping):
        raise BadEvent(f"The queued message should be an object, not a {type(written).__name__}.")
    queued_at_epoch_s = written.get(_QUEUED_AT)
    if not isinstance(queued_at_epoch_s, (int, float)) or isinstance(queued_at_epoch_s, bool):
        raise BadEvent(f"The queued message's {_QUEUED_AT} should be a number.")
    return _content(written, WebhookEvent.from_conf(written), float(queued_at_epoch_s))


def _content(written: Mapping[str, Any], event: WebhookEvent, queued_at_epoch_s: float) -> Content:
    kind = _KINDS.get(str(written.get(_KIND, "strava_event")))
    grounds, form = _grounds(written, event), _form(written)
    if grounds is not None:
        return EraseAthlete(event.owner_id, grounds, queued_at_epoch_s)
    if form is not None:
        return ResumeBackfill(form, queued_at_epoch_s)
    if kind is LookAgain:
        return LookAgain(event.owner_id, event.object_id, queued_at_epoch_s, copies_only=event.asks_for_copies_only)
    if kind is ConfirmRemoval:
        return ConfirmRemoval(event.owner_id, event.object_id, queued_at_epoch_s)
    if kind is StravaEvent:
        return StravaEvent(event, queued_at_epoch_s)
    raise BadEvent(f"The queued message's {_KIND} should be one of {', '.join(_KINDS)}, with the fields of that kind.")


def _form(written: Mapping[str, Any]) -> Mapping[str, Any] | None:
    form = written.get(_BACKFILL)
    if form is not None and not isinstance(form, Mapping):
        raise BadEvent(f"The queued message's {_BACKFILL} should be an object, not a {type(form).__name__}.")
    return form


def _grounds(written: Mapping[str, Any], event: WebhookEvent) -> ErasureGrounds | None:
    if written.get(_FORMER_ERASURE) is True:
        return ErasureGrounds(EraseReason.ATHLETE, event.event_time_epoch_s)
    match written.get(_ERASURE):
        case None:
            return None
        case [str(reason), int(asked_at_epoch_s)] if reason in set(EraseReason):
            return ErasureGrounds(EraseReason(reason), asked_at_epoch_s)
    raise BadEvent(f"The queued message's {_ERASURE} should be a reason and a time.")


def _event(
    object_type: str, object_id: int, aspect_type: str, athlete_id: int, now_epoch_s: float, updates: Mapping[str, str]
) -> WebhookEvent:
    return WebhookEvent(object_type, object_id, aspect_type, athlete_id, _OWN, int(now_epoch_s), updates)
