"""The pages on which an athlete takes the access to the Strava account back."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from include.errors import NotConnected, TokenRefused
from include.store.conflict import retry_on_conflict
from webhook_api.edge import Edge, current_edge
from webhook_api.session import current_athlete, end_session, require_athlete

blueprint = Blueprint("disconnect", __name__, url_prefix="/me/disconnect")
blueprint.before_request(require_athlete)


@blueprint.get("")
def ask() -> ResponseReturnValue:
    """What disconnecting means, and the button."""
    return render_template("disconnect.html")


@blueprint.post("")
def confirm() -> ResponseReturnValue:
    """Give the access back at Strava, destroy the tokens here, and sign out."""
    disconnect(current_edge(), current_athlete().athlete_id)
    end_session()
    return render_template("disconnected.html")


@retry_on_conflict
def disconnect(edge: Edge, athlete_id: int) -> None:
    """End the access, first at Strava, then here.

    Errors: `RetryLater` and others that are not about the athlete; then the tokens are kept, and it can be repeated.
    Effects: safe to repeat. Tokens that Strava refuses are as good as given back. An athlete who connects again in
    between is disconnected too: what is destroyed here is only what was given back there.
    """
    athletes = edge.state.athletes
    athlete = athletes.get(athlete_id)
    if athlete is None:
        return
    athletes.note_disconnect(athlete_id)
    athlete = athletes.get(athlete_id) or athlete
    try:
        access_token = edge.tokens().access_token(athlete_id, scope=min(athlete.scopes, default=""))
        athlete = athletes.get(athlete_id) or athlete  # a renewal has changed the row
        edge.oauth().revoke(athlete_id, access_token)
    except (TokenRefused, NotConnected):
        athlete = athletes.get(athlete_id) or athlete
    athletes.revoke(athlete)
