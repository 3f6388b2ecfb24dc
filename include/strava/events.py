"""Strava's webhook events: strict parsing, and deterministic ids."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from include.errors import BadEvent

MAX_ID = 2**63 - 1
MAX_EPOCH_S = 253_402_300_799
"""The last second of the year 9999: every accepted time converts to a date."""

_OBJECT_TYPES = ("activity", "athlete")
_ASPECT_TYPES = ("create", "update", "delete")
_MAX_DEPTH = 8
_MAX_RUN_ID = 36
_PLAIN_IN_CONF = ("authorized", "look", "private", "type")
COPIES_ONLY: Mapping[str, str] = {"look": "copies"}
"""The updates of our own event that only copies of the activity are due; nothing has changed at Strava."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event, a hint that something about `object_id` changed at Strava.

    Units: `event_time_epoch_s` is Strava's time in UTC.
    Source: https://developers.strava.com/docs/webhooks/
    """

    object_type: str
    """`activity` or `athlete`."""
    object_id: int
    aspect_type: str
    """`create`, `update` or `delete`."""
    owner_id: int
    """The athlete whom the event is about."""
    subscription_id: int
    event_time_epoch_s: int
    updates: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_conf(cls, conf: Mapping[str, Any]) -> WebhookEvent:
        """The event in `conf`, in Strava's own field names; unknown fields are left out.

        Errors: `BadEvent` for a missing field, a wrong type or a value out of range.
        """
        return cls(
            object_type=_choice(conf, "object_type", _OBJECT_TYPES),
            object_id=_integer(conf, "object_id", MAX_ID),
            aspect_type=_choice(conf, "aspect_type", _ASPECT_TYPES),
            owner_id=_integer(conf, "owner_id", MAX_ID),
            subscription_id=_integer(conf, "subscription_id", MAX_ID),
            event_time_epoch_s=_integer(conf, "event_time", MAX_EPOCH_S),
            updates=_updates(conf),
        )

    def to_conf(self) -> dict[str, Any]:
        """The event as JSON values, for queues and Airflow's database.

        Shape: Strava's field names; a digest replaces the title, so that the event of `from_conf` has the same
        `event_id` and `run_id`.
        """
        return {
            "object_type": self.object_type,
            "object_id": self.object_id,
            "aspect_type": self.aspect_type,
            "owner_id": self.owner_id,
            "subscription_id": self.subscription_id,
            "event_time": self.event_time_epoch_s,
            "updates": {name: _without_title(name, value) for name, value in sorted(self.updates.items())},
        }

    @property
    def event_id(self) -> str:
        """32 hexadecimal digits, the same for every delivery of this event; Strava itself sends no id."""
        return _digest(_canonical(self.to_conf()), 32)

    @property
    def run_id(self) -> str:
        """The id of the DAG run for this event alone: at most 36 characters of `[A-Za-z0-9.]`."""
        readable = f"{self.object_id}.{self.aspect_type}.{self.event_time_epoch_s}"
        if self.updates:
            readable += "." + _digest(_canonical(self.to_conf()["updates"]), 6)
        return readable if len(readable) <= _MAX_RUN_ID else f"event.{self.event_id[:24]}"

    @property
    def is_deauthorisation(self) -> bool:
        """Whether the athlete revoked the application's access; reports name different aspects, and any counts."""
        return self.object_type == "athlete" and self.updates.get("authorized", "").strip().lower() == "false"

    @property
    def asks_for_copies_only(self) -> bool:
        """Whether the activity need not be fetched; a forged webhook event of this form only loses itself."""
        return self.object_type == "activity" and self.updates == COPIES_ONLY


def parse(body: bytes) -> WebhookEvent:
    """The event in a webhook's body.

    Errors: `BadEvent` for anything but one strict JSON object with every field of the right type.
    """
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadEvent("The webhook's body is not strict JSON in UTF-8.") from None
    if not isinstance(document, dict):
        raise BadEvent(f"The webhook's body should be an object, not a {type(document).__name__}.")
    if _deeper_than(document, _MAX_DEPTH):
        raise BadEvent(f"The webhook's body is nested deeper than {_MAX_DEPTH} levels.")
    return WebhookEvent.from_conf(document)


def batch_run_id(events: Iterable[WebhookEvent]) -> str:
    """The id of the one DAG run for `events`: the same for the same set of events in any order.

    Errors: `BadEvent` for no events at all.
    """
    by_id = {event.event_id: event for event in events}
    if not by_id:
        raise BadEvent("A batch without events has no run id; start no run for it.")
    if len(by_id) == 1:
        return next(iter(by_id.values())).run_id
    return "batch." + _digest(" ".join(sorted(by_id)), 24)


def _integer(conf: Mapping[str, Any], name: str, maximum: int) -> int:
    value = conf.get(name)
    if type(value) is not int or not 0 < value <= maximum:
        raise BadEvent(f"The event's {name} should be an integer from 1 to {maximum}.")
    return value


def _choice(conf: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = conf.get(name)
    if not isinstance(value, str) or value not in choices:
        raise BadEvent(f"The event's {name} should be one of {', '.join(choices)}.")
    return value


def _updates(conf: Mapping[str, Any]) -> dict[str, str]:
    """The changed fields, as text; they decide nothing but a deauthorisation, so odd values are not an error.

    A flag is its JSON text; a value that is not a text, flag or number is left out. Half of a surrogate pair, which
    JSON can express and no database can store, becomes a question mark.
    """
    updates = conf.get("updates")
    if not isinstance(updates, Mapping):
        return {}
    return {_storable(str(name)): _storable(_as_text(value)) for name, value in updates.items() if _is_worded(value)}


def _is_worded(value: object) -> bool:
    return isinstance(value, str | bool | int | float)


def _as_text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _without_title(name: str, value: str) -> str:
    if name in _PLAIN_IN_CONF or _DIGEST.fullmatch(value):
        return value
    return "sha256:" + _digest(value, 16)


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _deeper_than(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(_deeper_than(child, levels - 1) for child in value)
