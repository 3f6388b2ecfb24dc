"""The webhook subscription of an application: `/api/v3/push_subscriptions`.

Source: https://developers.strava.com/docs/webhooks/ (2026) and answers recorded in 2018.
"""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime
from typing import Any

import requests
from flask import Blueprint, Response, request
from urllib3.exceptions import LocationValueError

from local.strava_simulator.api import answers
from local.strava_simulator.api.access import meet_faults, refuse_inactive
from local.strava_simulator.recordings.facts import utc_text
from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.deliveries import PATIENCE_S
from local.strava_simulator.world.events import DROPPED, PENDING
from local.strava_simulator.world.simulation import Simulation, simulation

blueprint = Blueprint("subscriptions", __name__, url_prefix="/api/v3/push_subscriptions")

_LONGEST_URL = 255
_FIRST_SUBSCRIPTION_ID = 131_300


@blueprint.post("")
def subscribe() -> Response:
    """Subscribe the application, once its callback has answered Strava's challenge."""
    sim = simulation()
    form = request.form
    application = _application(form.get("client_id"), form.get("client_secret"))
    callback_url, verify_token = form.get("callback_url", ""), form.get("verify_token", "")
    if not verify_token:
        raise answers.bad_request("PushSubscription", "verify_token", "missing")
    with sim.state.transaction() as db:
        _refuse_second(db, application)
    if len(callback_url) > _LONGEST_URL or not _answers_challenge(sim, callback_url, verify_token):
        raise answers.bad_request("PushSubscription", "callback url", "not verifiable")
    with sim.state.transaction() as db:
        # Checked again: another call may have subscribed the application during the handshake.
        _refuse_second(db, application)
        last = db.execute("SELECT MAX(seq) AS last FROM sqlite_sequence WHERE name = 'subscriptions'").fetchone()
        row = db.execute(
            "INSERT INTO subscriptions VALUES (?, ?, ?, ?) RETURNING *",
            (
                max(_FIRST_SUBSCRIPTION_ID, (last["last"] or 0) + 1),
                application.client_id,
                callback_url,
                sim.clock(),
            ),
        ).fetchone()
        return _uncounted(answers.answer(_body(row), 201))


@blueprint.get("")
def show() -> Response:
    """The application's subscription in a list, or an empty list."""
    application = _application(request.args.get("client_id"), request.args.get("client_secret"))
    with simulation().state.transaction() as db:
        rows = db.execute("SELECT * FROM subscriptions WHERE client_id = ?", (application.client_id,)).fetchall()
    return _uncounted(answers.answer([_body(row) for row in rows]))


@blueprint.delete("/<int(max=9223372036854775807):subscription_id>")
def unsubscribe(subscription_id: int) -> Response:
    """End the subscription; events that wait for it are dropped.

    The credentials may be in the body too: undocumented, but verified by others against Strava.
    """
    given = {**request.args.to_dict(), **request.form.to_dict()}
    application = _application(given.get("client_id"), given.get("client_secret"))
    with simulation().state.transaction() as db:
        ended = db.execute(
            "DELETE FROM subscriptions WHERE subscription_id = ? AND client_id = ?",
            (subscription_id, application.client_id),
        )
        if not ended.rowcount:
            raise answers.record_not_found()
        db.execute(
            "UPDATE events SET outcome = ? WHERE subscription_id = ? AND outcome = ?",
            (DROPPED, subscription_id, PENDING),
        )
    response = answers.answer(None, 204)
    response.data = b""
    return _uncounted(response)


def _application(client_id: str | None, client_secret: str | None) -> Application:
    with simulation().state.transaction() as db:
        application = applications.authenticate(db, client_id, client_secret)
    refuse_inactive(application.client_id)
    meet_faults(application.client_id)
    return application


def _refuse_second(db: sqlite3.Connection, application: Application) -> None:
    if db.execute("SELECT 1 FROM subscriptions WHERE client_id = ?", (application.client_id,)).fetchone():
        raise answers.bad_request("PushSubscription", "", "already exists")


def _answers_challenge(sim: Simulation, callback_url: str, verify_token: str) -> bool:
    """Whether the callback echoes the challenge in JSON, with status 200, within two seconds and without a redirect."""
    challenge = secrets.token_hex(8)
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        response = sim.session.get(callback_url, params=query, timeout=PATIENCE_S, allow_redirects=False)
        body = response.json()
    except (requests.RequestException, LocationValueError):
        # requests lets urllib3's error for a malformed host name through.
        return False
    is_json = response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json"
    in_time = response.elapsed.total_seconds() <= PATIENCE_S
    echoed = isinstance(body, dict) and body.get("hub.challenge") == challenge
    return response.status_code == 200 and is_json and in_time and echoed


def _body(row: sqlite3.Row) -> dict[str, Any]:
    moment = utc_text(datetime.fromtimestamp(row["created_at"], UTC))
    return {
        "id": row["subscription_id"],
        "resource_state": 2,
        "application_id": row["client_id"],
        "callback_url": row["callback_url"],
        "created_at": moment,
        "updated_at": moment,
    }


def _uncounted(response: Response) -> Response:
    """The answer with the usage `0,0`, as recorded: these calls do not count."""
    limits = simulation().rules.limits
    response.headers.update(
        {"X-RateLimit-Limit": f"{limits.window},{limits.day}", "X-RateLimit-Usage": "0,0"},
    )
    return response
