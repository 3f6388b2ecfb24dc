"""The webhook events of each change, and the applications that receive them.

Source: https://developers.strava.com/docs/webhooks/ (2026). An application receives events of an athlete's activities
only with `activity:read` (observed: not even with `activity:read_all` alone), and events of activities that only the
athlete sees only with `activity:read_all` too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from local.strava_simulator.api.faults import faults_of
from local.strava_simulator.world.simulation import Simulation

PENDING = "pending"
DELIVERED = "delivered"
DROPPED = "dropped"
LOST = "lost"


@dataclass(frozen=True, slots=True)
class _Event:
    object_type: str
    object_id: int
    aspect_type: str
    owner_id: int
    updates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Subject:
    """The activity of an event. `only_me` is whether only its athlete sees it."""

    activity_id: int
    athlete_id: int
    only_me: bool


def activity_created(db: sqlite3.Connection, simulation: Simulation, subject: Subject) -> None:
    """Raise the event of a new activity."""
    _tell_of_activity(db, simulation, subject, "create", {})


def activity_updated(db: sqlite3.Connection, simulation: Simulation, subject: Subject, updates: dict[str, str]) -> None:
    """Raise the event of a changed title or type."""
    _tell_of_activity(db, simulation, subject, "update", updates)


def activity_deleted(db: sqlite3.Connection, simulation: Simulation, subject: Subject) -> None:
    """Raise the event of a deleted activity."""
    _tell_of_activity(db, simulation, subject, "delete", {})


def activity_hidden(db: sqlite3.Connection, simulation: Simulation, subject: Subject) -> None:
    """Raise the events of an activity that became visible only to its athlete, or (`only_me` false) to others again.

    Applications that may see it in both cases get an update; for the others it is deleted, or created.
    """
    for client_id, scopes in _listeners(db, subject.athlete_id):
        aspect, updates = "delete" if subject.only_me else "create", {}
        if "activity:read_all" in scopes:
            aspect, updates = "update", {"private": "true" if subject.only_me else "false"}
        event = _Event("activity", subject.activity_id, aspect, subject.athlete_id, updates)
        _queue(db, simulation, client_id, event)


def athlete_disconnected(db: sqlite3.Connection, simulation: Simulation, client_id: int, athlete_id: int) -> None:
    """Raise the event that an athlete disconnected an application."""
    event = _Event("athlete", athlete_id, "update", athlete_id, {"authorized": "false"})
    _queue(db, simulation, client_id, event)


def _tell_of_activity(
    db: sqlite3.Connection, simulation: Simulation, subject: Subject, aspect: str, updates: Mapping[str, str]
) -> None:
    event = _Event("activity", subject.activity_id, aspect, subject.athlete_id, updates)
    for client_id, scopes in _listeners(db, subject.athlete_id):
        if not subject.only_me or "activity:read_all" in scopes:
            _queue(db, simulation, client_id, event)


def _listeners(db: sqlite3.Connection, athlete_id: int) -> list[tuple[int, frozenset[str]]]:
    rows = db.execute("SELECT client_id, scopes FROM grants WHERE athlete_id = ? ORDER BY client_id", (athlete_id,))
    granted = [(int(row["client_id"]), frozenset(row["scopes"].split(","))) for row in rows.fetchall()]
    return [(client_id, scopes) for client_id, scopes in granted if "activity:read" in scopes]


def _queue(db: sqlite3.Connection, simulation: Simulation, client_id: int, event: _Event) -> None:
    subscription = db.execute("SELECT * FROM subscriptions WHERE client_id = ?", (client_id,)).fetchone()
    if subscription is None:
        return
    now_epoch_s, chances, faults = simulation.clock(), simulation.chances, faults_of(db, client_id)
    outcome = LOST if chances.falls(client_id, faults.webhook_lose_rate) else PENDING
    held_back = chances.falls(client_id, faults.webhook_reorder_rate)
    copies = 2 if chances.falls(client_id, faults.webhook_duplicate_rate) else 1
    body = {
        "aspect_type": event.aspect_type,
        "event_time": int(now_epoch_s),
        "object_id": event.object_id,
        "object_type": event.object_type,
        "owner_id": event.owner_id,
        "subscription_id": subscription["subscription_id"],
        "updates": dict(event.updates),
    }
    row = (
        client_id,
        subscription["subscription_id"],
        subscription["callback_url"],
        json.dumps(body),
        now_epoch_s + (faults.webhook_reorder_delay_s if held_back else 0.0),
        outcome,
    )
    columns = "client_id, subscription_id, callback_url, body, due_at, outcome"
    db.executemany(f"INSERT INTO events ({columns}) VALUES (?, ?, ?, ?, ?, ?)", [row] * copies)  # noqa: S608 - own text
