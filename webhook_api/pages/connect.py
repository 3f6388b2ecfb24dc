"""The pages on which an athlete signs in, connects a Strava account, or changes what it allows."""

from __future__ import annotations

import logging

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from include.copying.trimming import hidden_radius_m
from include.state.accounts.athletes import AthleteStatus
from include.state.accounts.narrowing import Narrowing
from include.state.accounts.wishes import WishKind
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE, READ
from webhook_api.edge import current_edge
from webhook_api.errors import (
    ACCESS_DENIED,
    INVITATION_NOT_ACCEPTED,
    OPEN_INVITATION_AGAIN,
    OTHER_BROWSER,
    SCOPE_MISSING,
    STALE_LINK,
    NextStep,
    problem_page,
)
from webhook_api.guards.brakes import refuse_client
from webhook_api.pages import consent
from webhook_api.pages.consent import OAuthFlow
from webhook_api.pages.linking.address import lead_back_to
from webhook_api.pages.oauth_callback import complete, links_given
from webhook_api.session import end_session, signed_in

log = logging.getLogger(__name__)
blueprint = Blueprint("connect", __name__)

_GO_ON = "Go on in this browser"


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """The start page: the forms to sign in and to connect, and the permissions."""
    athlete = signed_in()
    return render_template("start.html", athlete=athlete, scopes=athlete.scopes if athlete else frozenset())


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Redirect to Strava to identify the athlete; Strava shows a page only where it has to."""
    return consent.begin(OAuthFlow(frozenset({READ})), force=False)


@blueprint.route("/connect", methods=["GET", "POST"])
def connect() -> ResponseReturnValue:
    """Redirect to Strava's consent page; first to a page that asks, if fewer scopes are requested than before.

    Strava sends webhooks only for `activity:read`, so `activity:read_all` is requested in addition, never instead. An
    account that shall only receive copies is not asked to let its own activities be read.
    Effects: the form of an athlete who is signed in notes the request to allow more; an address alone notes nothing.
    """
    if request.values.get("only") == "receive":
        scopes = {READ, ACTIVITY_WRITE}
    else:
        scopes = {READ, ACTIVITY_READ}
        if request.values.get("private"):
            scopes.add(ACTIVITY_READ_ALL)
        if request.values.get("receive"):
            scopes.add(ACTIVITY_WRITE)
    athlete = signed_in()
    if athlete is None:
        return consent.begin(OAuthFlow(frozenset(scopes)), force=True)
    if athlete.scopes - scopes:
        return redirect(url_for("connect.less", scope=sorted(scopes)), code=303)
    if request.method == "POST" and scopes - athlete.scopes - {READ}:
        return consent.confirm(athlete, WishKind.WIDEN, frozenset(scopes))
    return consent.begin(OAuthFlow(frozenset(scopes), athlete_id=athlete.athlete_id), force=True)


@blueprint.get("/connect/again")
def again() -> ResponseReturnValue:
    """Redirect to Strava to allow the stored scopes once more."""
    athlete = signed_in()
    if athlete is None:
        return redirect(url_for("connect.start"), code=303)
    return consent.begin(OAuthFlow(athlete.scopes | {READ}), force=False)


@blueprint.route("/connect/less", methods=["GET", "POST"])
def less() -> ResponseReturnValue:
    """Show what is lost with only the named scopes; a POST continues at Strava with the choice to keep or remove it.

    Only this page's form gives up scopes, never its address alone, and only those that the page has listed.
    """
    athlete = signed_in()
    if athlete is None:
        return redirect(url_for("connect.start"), code=303)
    known = frozenset({ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE})
    scopes = known & set(request.values.getlist("scope"))
    lost = athlete.scopes - scopes - {READ}
    if not scopes & {ACTIVITY_READ, ACTIVITY_WRITE}:
        return problem_page(SCOPE_MISSING)
    is_seen = request.method == "POST" and set(request.form.getlist("lost")) == lost
    if not is_seen:  # the page is opened, or what it listed is no longer all that would be lost
        return render_template("less.html", athlete=athlete, scopes=sorted(scopes), lost=sorted(lost))
    narrowing = Narrowing(athlete.athlete_id, lost, removes=request.form.get("stored") == "remove")
    return consent.begin(OAuthFlow(scopes | {READ}, narrowing=narrowing), force=True)


@blueprint.get("/connect/more")
def more() -> ResponseReturnValue:
    """Show what full tracks change for each link over which the athlete's activities are copied."""
    athlete = signed_in()
    if athlete is None:
        return redirect(url_for("connect.start"), code=303)
    hidden = [(link, hidden_radius_m(link.options, athlete.scopes)) for link in links_given(athlete.athlete_id)]
    return render_template("more.html", hidden=hidden)


@blueprint.get("/callback")
def callback() -> ResponseReturnValue:
    """Strava's redirect: leads to the athlete's page, or to one that says why nothing was connected.

    Effects: those of `complete`; none for a browser without the cookie of the flow's start.
    """
    state, code = request.args.get("state", ""), request.args.get("code")
    begun = consent.peek(state)
    if begun is not None and begun.invite_id:
        lead_back_to(begun.invite_id)
    if request.args.get("error"):
        return _declined(begun)
    refused = refuse_client() if code and begun is not None else None
    if refused is not None:
        return refused
    flow = consent.finish(state) if code else None
    if not code or flow is None:
        return _lead_back(begun)
    return complete(flow, code, request.args.get("scope", ""))


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this browser's session, or the athlete's in every browser; the connection to Strava stays."""
    athlete = signed_in() if "everywhere" in request.form else None
    if athlete is not None:
        current_edge().state.athletes.end_sessions(athlete.athlete_id)
        log.info("Athlete %s has signed out everywhere", athlete.athlete_id)
    end_session()
    return redirect(url_for("connect.start"), code=303)


def _declined(begun: OAuthFlow | None) -> ResponseReturnValue:
    """Say that nothing was connected; redirect to the athlete's page if it has a button to try again.

    An athlete who was accepting an invitation gets a button back to it, not to the start page, which archives the
    athlete's own activities.
    """
    if begun is not None and begun.invite_id:
        return problem_page(INVITATION_NOT_ACCEPTED)
    athlete = signed_in()
    if athlete is not None and (athlete.status is AthleteStatus.NEEDS_REAUTH or (begun and begun.wish)):
        return redirect(url_for("me.show"), code=303)
    return problem_page(ACCESS_DENIED)


def _lead_back(flow: OAuthFlow | None) -> ResponseReturnValue:
    """A page with a button that starts the same flow again, without the scopes to give up, or shows the invitation."""
    if flow is None:
        return problem_page(STALE_LINK)
    if flow.invite_id:
        return problem_page(OPEN_INVITATION_AGAIN)
    if flow.is_sign_in or flow.narrowing:
        return problem_page(OTHER_BROWSER, NextStep(url_for("connect.sign_in"), _GO_ON, to_strava=True))
    if ACTIVITY_READ not in flow.scopes:
        return problem_page(OTHER_BROWSER, NextStep(url_for("connect.connect", only="receive"), _GO_ON, to_strava=True))
    private, receive = ("1" if scope in flow.scopes else None for scope in (ACTIVITY_READ_ALL, ACTIVITY_WRITE))
    return problem_page(
        OTHER_BROWSER, NextStep(url_for("connect.connect", private=private, receive=receive), _GO_ON, to_strava=True)
    )
