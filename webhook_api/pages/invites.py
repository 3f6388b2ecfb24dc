"""The pages of an invitation's address: what accepting means, and the form to accept."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from include.linking.invitations import Objection, find_open
from include.strava.scopes import ACTIVITY_WRITE, READ
from webhook_api.edge import current_edge
from webhook_api.errors import ALREADY_LINKED, INVITE_GONE, OWN_INVITE, Problem, problem_page
from webhook_api.pages import consent
from webhook_api.pages.consent import OAuthFlow
from webhook_api.pages.recent import day_text
from webhook_api.session import signed_in

blueprint = Blueprint("invites", __name__, url_prefix="/invite")


OBJECTIONS: Mapping[Objection, Problem] = {
    Objection.GONE: INVITE_GONE,
    Objection.OWN: OWN_INVITE,
    Objection.LINKED: ALREADY_LINKED,
}
"""The page that says what keeps a child from accepting an invitation."""


@blueprint.get("/<secret>")
def show(secret: str) -> ResponseReturnValue:
    """Show who invites, by first name only, and what will happen; 410 where the invitation is used or expired."""
    edge = current_edge()
    invite = find_open(edge, secret)
    if invite is None:
        return problem_page(INVITE_GONE)
    parent = edge.state.athletes.get(invite.parent_id)
    if parent is None:
        return problem_page(INVITE_GONE)
    athlete = signed_in()
    if athlete is not None and athlete.athlete_id == parent.athlete_id:
        return problem_page(OWN_INVITE)
    return render_template("invite.html", invite=invite, parent=parent, athlete=athlete, day_text=day_text)


@blueprint.post("/<secret>")
def connect(secret: str) -> ResponseReturnValue:
    """Redirect to Strava's consent page to allow uploads; scopes allowed before are requested again.

    The holder of the address may decline instead, without connecting: then nobody can use the invitation any more.
    """
    invite = find_open(current_edge(), secret)
    if invite is None:
        return problem_page(INVITE_GONE)
    if request.form.get("answer") == "decline":
        current_edge().state.invites.withdraw(invite.invite_id)
        return render_template("declined.html")
    athlete = signed_in()
    if athlete is not None and athlete.athlete_id == invite.parent_id:
        return problem_page(OWN_INVITE)
    allowed = athlete.scopes if athlete else frozenset()
    return consent.begin(OAuthFlow(allowed | {READ, ACTIVITY_WRITE}, invite.invite_id), force=True)
