"""Strava's webhook: an event is checked, queued and answered; Strava waits for no other work."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable
from functools import cache

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from include.errors import BadEvent
from include.queue.content import StravaEvent, to_body
from include.strava import signature
from include.strava.events import WebhookEvent, parse
from webhook_api.edge import Edge, current_edge

AHEAD_S = 86_400
"""How far an event's time may be ahead of this machine's clock, which may be wrong by hours, but not by years."""

log = logging.getLogger(__name__)
blueprint = Blueprint("webhook", __name__, url_prefix="/webhook")


@blueprint.get("/<secret>")
def handshake(secret: str) -> ResponseReturnValue:
    """Strava's challenge, echoed, when a subscription is created with our verify token.

    Source: https://developers.strava.com/docs/webhooks/, "Subscription validation request".
    """
    settings = current_edge().settings
    _require_one_of(settings.webhook_path_secrets, secret, otherwise=404)
    _require_one_of([settings.webhook_verify_token], request.args.get("hub.verify_token", ""), otherwise=403)
    challenge = request.args.get("hub.challenge")
    if request.args.get("hub.mode") != "subscribe" or not challenge:
        abort(400)
    return {"hub.challenge": challenge}


@blueprint.post("/<secret>")
def receive(secret: str) -> ResponseReturnValue:
    """Answer 200 once the event is durably queued, or when it is not for this application and dropped.

    Errors: 404 for another path, 403 for a bad signature, 413 and 400 for a body that is no event, 503 when the queue
    refuses. After any of them Strava tries twice more, so a mistyped key that is corrected within minutes costs no
    event.
    Effects: one queued message and one audit row; the same event delivered twice is queued twice, which is harmless.
    """
    edge = current_edge()
    _require_one_of(edge.settings.webhook_path_secrets, secret, otherwise=404)
    body = request.get_data()
    _check_signature(edge, body)
    event = parse(body)
    if event.event_time_epoch_s > edge.clock() + AHEAD_S:
        raise BadEvent("The event's event_time lies in the future: send the time at which it happened.")
    reason = _reason_to_drop(edge, event)
    if reason:
        log.warning(
            "Dropped event %s of athlete %s: %s",
            event.event_id,
            event.owner_id,
            reason,
            extra={"metrics": {"EventsReceived": 1, "EventsDropped": 1}},
        )
        _audit(edge, event, f"dropped: {reason}")
        return {"status": "dropped"}
    edge.queue().send(to_body(StravaEvent(event, edge.clock())))
    _audit(edge, event, "queued")
    log.info(
        "Queued event %s of athlete %s",
        event.event_id,
        event.owner_id,
        extra={"metrics": {"EventsReceived": 1, "EventsQueued": 1}},
    )
    return {"status": "queued"}


def _check_signature(edge: Edge, body: bytes) -> None:
    given = request.headers.get(signature.HEADER)
    if edge.settings.webhook_signing_key:
        signature.check(given, body, key=edge.settings.webhook_signing_key, now_epoch_s=edge.clock())
    elif given is not None:
        _note_unchecked_signature()


@cache
def _note_unchecked_signature() -> None:
    """Log it once in each process, not with every event."""
    log.debug("Strava signs its events; without WEBHOOK_SIGNING_KEY the signature is not checked.")


def _reason_to_drop(edge: Edge, event: WebhookEvent) -> str | None:
    subscription = edge.state.subscriptions.current()
    if subscription is None:
        return "no subscription is stored yet"
    if event.subscription_id != subscription.subscription_id:
        return "other subscription"
    if edge.state.athletes.get(event.owner_id) is None:
        return "unknown athlete"
    return None


def _audit(edge: Edge, event: WebhookEvent, outcome: str) -> None:
    edge.state.events.record(event.event_id, athlete_id=event.owner_id, object_id=event.object_id, outcome=outcome)


def _require_one_of(expected: Iterable[str], given: str, *, otherwise: int) -> None:
    """Compare in constant time, so that answering times do not spell out the secret."""
    if not any(hmac.compare_digest(given.encode(errors="replace"), one.encode()) for one in expected):
        abort(otherwise)
