"""Wishes of athletes that wait until Strava confirms the athlete's identity: fulfilled, repeated or withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from include.errors import IngestError
from include.state.accounts.athletes import AthleteRow
from include.state.accounts.wishes import WishKind
from webhook_api.edge import current_edge
from webhook_api.errors import NOT_CONFIRMED, problem_of, problem_page, to_own_page
from webhook_api.pages import consent, disconnect, erase
from webhook_api.pages.consent import OAuthFlow
from webhook_api.session import current_athlete, require_athlete

blueprint = Blueprint("wishes", __name__, url_prefix="/me/wish")
blueprint.before_request(require_athlete)

_FULFIL: Mapping[WishKind, Callable[[int, str], ResponseReturnValue]] = {
    WishKind.DISCONNECT: disconnect.fulfil,
    WishKind.ERASE: erase.fulfil,
}


@blueprint.post("")
def answer() -> ResponseReturnValue:
    """Have Strava confirm the stored wish once more, or withdraw it."""
    athlete = current_athlete()
    if athlete.wish is not None and request.form.get("answer") == "again":
        return consent.confirm(athlete, athlete.wish.kind, athlete.wish.scopes)
    current_edge().state.athletes.withdraw_wish(athlete.athlete_id)
    return redirect(url_for("me.show"), code=303)


def fulfil(flow: OAuthFlow, athlete: AthleteRow, access_token: str) -> ResponseReturnValue | None:
    """Fulfil the wish that Strava has confirmed, and return its page; None where the flow has its own page.

    Effects: none for a wish that the athlete's row does not have: it is fulfilled already, or was withdrawn.
    """
    if flow.wish is None or flow.wish != athlete.wish or flow.wish.kind not in _FULFIL:
        return None
    return _FULFIL[flow.wish.kind](athlete.athlete_id, access_token)


def not_confirmed(flow: OAuthFlow, err: IngestError) -> ResponseReturnValue | None:
    """The page for an error before the confirmation of a wish that is still stored; else None."""
    athlete = current_edge().state.athletes.get(flow.athlete_id) if flow.athlete_id and flow.wish else None
    if athlete is None or athlete.wish != flow.wish:
        return None
    current_app.logger.warning("What athlete %s asks for is not confirmed: %s", athlete.athlete_id, err)
    return problem_page(replace(NOT_CONFIRMED, status=problem_of(err).status), to_own_page())
