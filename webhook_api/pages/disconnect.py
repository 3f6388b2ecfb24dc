"""The pages on which an athlete revokes this application's access to the Strava account."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from include.errors import NotConnected, TokenRefused
from include.state.accounts.wishes import WishKind
from include.store.conflict import retry_on_conflict
from webhook_api.edge import Edge, current_edge
from webhook_api.pages import consent
from webhook_api.session import current_athlete, end_session, require_athlete

blueprint = Blueprint("disconnect", __name__, url_prefix="/me/disconnect")
blueprint.before_request(require_athlete)


@blueprint.get("")
def ask() -> ResponseReturnValue:
    """Show what disconnecting means, with the button."""
    return render_template("disconnect.html")


@blueprint.post("")
def confirm() -> ResponseReturnValue:
    """Store the wish, and have Strava confirm the athlete's identity."""
    return consent.confirm(current_athlete(), WishKind.DISCONNECT)


def fulfil(athlete_id: int, access_token: str) -> ResponseReturnValue:
    """Revoke the access at Strava, destroy the tokens here, and sign out."""
    disconnect(current_edge(), athlete_id, access_token)
    end_session()
    return render_template("disconnected.html")


def disconnect(edge: Edge, athlete_id: int, access_token: str) -> None:
    """Revoke the access at Strava by the token that confirmed the wish, then destroy the tokens here.

    Errors: `RetryLater` and others that are not about the athlete; then the tokens are kept.
    Effects: safe to repeat. Tokens that Strava refuses count as revoked. An athlete who connects again in between is
    disconnected too: only tokens that were revoked at Strava are destroyed here.
    """
    edge.state.athletes.note_disconnect(athlete_id)
    with suppress(TokenRefused):
        edge.oauth().revoke(athlete_id, access_token)
    _end_stored(edge, athlete_id)


@retry_on_conflict
def _end_stored(edge: Edge, athlete_id: int) -> None:
    """Revoke and destroy the stored pair: it differs from the token of the flow, and may be newer."""
    athletes = edge.state.athletes
    athlete = athletes.get(athlete_id)
    if athlete is None:
        return
    try:
        access_token = edge.tokens().access_token(athlete_id, scope=min(athlete.scopes, default=""))
        athlete = athletes.get(athlete_id) or athlete  # a token refresh has changed the row
        edge.oauth().revoke(athlete_id, access_token)
    except (TokenRefused, NotConnected):
        athlete = athletes.get(athlete_id) or athlete
    athletes.revoke(athlete)
