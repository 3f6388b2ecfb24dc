"""The pages on which an athlete connects a Strava account, and signs in and out by it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from include.errors import ScopeMissing
from include.state.athletes import AthleteRow, Athletes
from webhook_api import consent, invites
from webhook_api.edge import current_edge
from webhook_api.errors import ACCESS_DENIED, STALE_LINK, UPLOAD_NOT_ALLOWED, problem_page
from webhook_api.session import begin_session, end_session, signed_in
from webhook_api.waking import access_given

blueprint = Blueprint("connect", __name__)


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """The start page: what connecting means, and what may be read and written."""
    athlete = signed_in()
    return render_template("start.html", athlete=athlete, scopes=athlete.scopes if athlete else frozenset())


@blueprint.get("/connect")
def connect() -> ResponseReturnValue:
    """On to Strava's consent page.

    Strava sends webhooks only for `activity:read`, so `activity:read_all` is asked for beside it, never instead.
    """
    from include.strava.oauth import ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE, READ

    scopes = [READ, ACTIVITY_READ]
    if request.args.get("private"):
        scopes.append(ACTIVITY_READ_ALL)
    if request.args.get("receive"):
        scopes.append(ACTIVITY_WRITE)
    return consent.begin(scopes)


@blueprint.get("/callback")
def callback() -> ResponseReturnValue:
    """Back from Strava: on to the athlete's page, or one that says why nothing was connected.

    Effects: on success the athlete, the granted scopes and the encrypted tokens are stored, an invitation that was
    carried along is accepted, and the browser is signed in.
    """
    from include.strava.oauth import ACTIVITY_WRITE, parse_scopes

    if request.args.get("error"):
        return problem_page(ACCESS_DENIED)
    code = request.args.get("code")
    walk = consent.finish(request.args.get("state", "")) if code else None
    if not code or walk is None:
        return problem_page(STALE_LINK)
    scopes = parse_scopes(request.args.get("scope", ""))
    if walk.invite_id and ACTIVITY_WRITE not in scopes:
        return problem_page(UPLOAD_NOT_ALLOWED)
    athlete = _connect_athlete(code, scopes)
    begin_session(athlete.athlete_id)
    problem = invites.accept(walk.invite_id, athlete.athlete_id) if walk.invite_id else None
    # The redirect takes the code out of the address bar.
    return problem_page(problem) if problem else redirect(url_for("me.show"), code=303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Forget the athlete in this browser; the connection to Strava stays."""
    end_session()
    return redirect(url_for("connect.start"), code=303)


def _connect_athlete(code: str, scopes: frozenset[str]) -> AthleteRow:
    from include.strava.oauth import ACTIVITY_READ, ACTIVITY_WRITE

    # Without reading, an account is of use only where copies may be written to it.
    if not scopes & {ACTIVITY_READ, ACTIVITY_WRITE}:
        raise ScopeMissing("The athlete allowed neither to read nor to upload activities.", scope=ACTIVITY_READ)
    edge = current_edge()
    athlete = Athletes(edge.store(), edge.cipher(), edge.clock).connect(edge.oauth().exchange(code), scopes)
    access_given(athlete.athlete_id)
    return athlete
