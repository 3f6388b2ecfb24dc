"""The pages at an invitation's address: the terms, the form to accept, and the button to decline."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from include.linking.invitations import Objection, decline, find_open, undo_decline
from include.state.consent.feed import Side
from include.strava.scopes import ACTIVITY_WRITE, READ
from webhook_api.csrf import csrf_token
from webhook_api.edge import current_edge
from webhook_api.errors import (
    ALREADY_LINKED,
    INVITE_GONE,
    NOT_UNDONE,
    OWN_INVITE,
    NextStep,
    Problem,
    problem_page,
    to_own_page,
)
from webhook_api.guards.brakes import TOO_MANY_CHILDREN
from webhook_api.pages import consent
from webhook_api.pages.consent import OAuthFlow
from webhook_api.pages.foreign_text import foreign
from webhook_api.pages.linking.questions import Question, ask
from webhook_api.pages.linking.terms_table import list_terms
from webhook_api.session import end_session, signed_in

_WHO_READS = Markup("Nothing is connected, and nobody can use the invitation any more. {} reads that it was declined.")

blueprint = Blueprint("invites", __name__, url_prefix="/invite")

_OBJECTIONS: Mapping[Objection, Problem] = {
    Objection.GONE: INVITE_GONE,
    Objection.OWN: OWN_INVITE,
    Objection.LINKED: ALREADY_LINKED,
    Objection.FULL: TOO_MANY_CHILDREN,
}


@blueprint.url_value_preprocessor
def _lead_back(_: str | None, values: dict[str, str] | None) -> None:
    """Make the page of a problem, such as a stale form, lead back to the invitation."""
    if values:
        g.next_step = NextStep(url_for("invites.show", secret=values["secret"]), "Open the invitation again")


@blueprint.get("/<secret>")
def show(secret: str) -> ResponseReturnValue:
    """Show who invites, by first name only, and what will happen; 410 where the invitation is used or expired.

    The browser in which it was declined is shown how to undo that.
    """
    edge = current_edge()
    invite = find_open(edge, secret)
    if invite is None:
        return _declined_or_gone(secret)
    parent = edge.state.athletes.get(invite.parent_id)
    if parent is None:
        return objection_page(Objection.GONE)
    athlete = signed_in()
    if athlete is not None and athlete.athlete_id == parent.athlete_id:
        return render_template("invites/own_invite.html", secret=secret, invite=invite), 409
    terms = list_terms(invite.terms)
    return render_template(
        "invites/invite.html", invite=invite, secret=secret, parent=parent, athlete=athlete, terms=terms
    )


@blueprint.post("/<secret>")
def connect(secret: str) -> ResponseReturnValue:
    """Redirect to Strava's consent page to allow uploads; scopes allowed before are requested again."""
    if request.form.get("answer") == "decline":  # from a page of an older version
        return redirect(url_for("invites.ask_decline", secret=secret), code=303)
    invite = find_open(current_edge(), secret)
    if invite is None:
        return objection_page(Objection.GONE)
    athlete = signed_in()
    if athlete is not None and athlete.athlete_id == invite.parent_id:
        return objection_page(Objection.OWN)
    allowed = athlete.scopes if athlete else frozenset()
    return consent.begin(OAuthFlow(allowed | {READ, ACTIVITY_WRITE}, invite.invite_id), force=True)


@blueprint.get("/<secret>/decline")
def ask_decline(secret: str) -> ResponseReturnValue:
    """Ask once."""
    invite = find_open(current_edge(), secret)
    if invite is None:
        return _declined_or_gone(secret)
    parent = current_edge().state.athletes.get(invite.parent_id)
    name = foreign(parent.firstname if parent else "")
    return ask(
        Question(
            "Say no to the invitation?",
            (
                _WHO_READS.format(name),
                "You can undo this for a day, in this browser.",
            ),
            "Say no",
            address=url_for("invites.decline", secret=secret),
            back=url_for("invites.show", secret=secret),
        )
    )


@blueprint.post("/<secret>/decline", endpoint="decline")
def say_no(secret: str) -> ResponseReturnValue:
    """Decline the invitation without connecting: nobody can use it any more."""
    invite, athlete = find_open(current_edge(), secret), signed_in()
    if invite is not None and athlete is not None and athlete.athlete_id == invite.parent_id:
        return objection_page(Objection.OWN)
    if not decline(current_edge(), secret, _this_browser()):
        return objection_page(Objection.GONE)
    return redirect(url_for("invites.show", secret=secret), code=303)


@blueprint.post("/<secret>/undo")
def undo(secret: str) -> ResponseReturnValue:
    """Reopen the invitation that was declined in this browser."""
    if not undo_decline(current_edge(), secret, _this_browser()):
        return problem_page(NOT_UNDONE)
    return redirect(url_for("invites.show", secret=secret), code=303)


@blueprint.post("/<secret>/sign-out")
def sign_out(secret: str) -> ResponseReturnValue:
    """End this browser's session, so that another athlete can accept the invitation here."""
    end_session()
    return redirect(url_for("invites.show", secret=secret), code=303)


def objection_page(objection: Objection) -> ResponseReturnValue:
    """The page that says why a child cannot accept an invitation, with a button for the next step."""
    if objection is Objection.OWN:
        return problem_page(OWN_INVITE)
    next_step = to_own_page() if signed_in() else NextStep(url_for("connect.sign_in"), "Sign in", to_strava=True)
    return problem_page(_OBJECTIONS[objection], next_step)


def _declined_or_gone(secret: str) -> ResponseReturnValue:
    edge = current_edge()
    invite = edge.state.invites.find(secret)
    closing = invite.closing if invite else None
    if closing is None or (closing.by, closing.browser) != (Side.CHILD, _this_browser()):
        return objection_page(Objection.GONE)
    undoable = edge.clock() < min(closing.undo_until_epoch_s, closing.good_until_epoch_s)
    return render_template("invites/declined.html", secret=secret, undoable=undoable)


def _this_browser() -> str:
    """An id of this browser's session."""
    return hashlib.sha256(csrf_token().encode()).hexdigest()
