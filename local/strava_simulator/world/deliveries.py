"""Delivers events to the applications' callbacks: in order, with a timeout of two seconds, at most three times.

Source: https://developers.strava.com/docs/webhooks/ (2026).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from typing import Any

import requests

from local.strava_simulator.world.events import DELIVERED, DROPPED, PENDING
from local.strava_simulator.world.processing import settle_due
from local.strava_simulator.world.simulation import Simulation

PATIENCE_S = 2.0
MOST_TRIES = 3
_LOOK_EVERY_S = 0.02


def deliver_due(simulation: Simulation) -> int:
    """Deliver every event that is due; returns the number of attempts.

    Effects: logs each attempt; an event is dropped after its third failed attempt.
    """
    tries = 0
    while (event := _next_due(simulation)) is not None:
        _try_once(simulation, event)
        tries += 1
    return tries


def pending_count(db: sqlite3.Connection) -> int:
    """How many events still wait to be delivered, now or later."""
    return int(db.execute("SELECT COUNT(*) AS count FROM events WHERE outcome = ?", (PENDING,)).fetchone()["count"])


def log(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every attempt so far, oldest first, with the event and the outcome."""
    rows = db.execute("SELECT * FROM deliveries JOIN events USING (event_id) ORDER BY delivery_id").fetchall()
    keys = ("event_id", "attempt", "status", "error", "latency_ms", "delivered_at", "outcome")
    return [{"event": json.loads(row["body"]), **{key: row[key] for key in keys}} for row in rows]


class DeliveryWorker:
    """The background worker that settles uploads and delivers events while the simulator runs."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def start(self) -> None:
        """Start the worker."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the present delivery and stop; due events stay due."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY_S):
            settle_due(self._simulation)
            deliver_due(self._simulation)


def _next_due(simulation: Simulation) -> sqlite3.Row | None:
    with simulation.state.transaction() as db:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM events WHERE outcome = ? AND due_at <= ? ORDER BY due_at, event_id LIMIT 1",
            (PENDING, simulation.clock()),
        ).fetchone()
    return row


def _try_once(simulation: Simulation, event: sqlite3.Row) -> None:
    attempt = event["attempts"] + 1
    status, error, latency_ms = _post(simulation.session, event["callback_url"], event["body"])
    now_epoch_s = simulation.clock()
    outcome = DELIVERED if error is None else DROPPED if attempt == MOST_TRIES else PENDING
    with simulation.state.transaction() as db:
        db.execute(
            "INSERT INTO deliveries (event_id, attempt, status, error, latency_ms, delivered_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (event["event_id"], attempt, status, error, latency_ms, now_epoch_s),
        )
        db.execute(
            "UPDATE events SET attempts = ?, due_at = ?, outcome = ? WHERE event_id = ? AND outcome = ?",
            (attempt, now_epoch_s + simulation.rules.retry_gap_s, outcome, event["event_id"], PENDING),
        )


def _post(session: requests.Session, url: str, body: str) -> tuple[int | None, str | None, float]:
    """The status, the error (None if there is none) and the latency of one attempt."""
    try:
        response = session.post(
            url,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=PATIENCE_S,
            allow_redirects=False,
        )
    except requests.Timeout:
        return None, "no answer in time", PATIENCE_S * 1000
    except requests.RequestException as err:
        return None, type(err).__name__, 0.0
    latency_s = response.elapsed.total_seconds()
    error = None
    if response.status_code != 200:
        error = f"answered {response.status_code}"
    elif latency_s > PATIENCE_S:
        error = "no answer in time"
    return response.status_code, error, round(latency_s * 1000, 1)
