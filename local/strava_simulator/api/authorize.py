"""The page on which an athlete authorizes an application, or refuses.

Unlike Strava's it always asks who is logged in, and is shown even where `approval_prompt=auto` would skip it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WsgiResponse

from local.strava_simulator.api import answers
from local.strava_simulator.world import applications, athletes, tokens
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.simulation import simulation

blueprint = Blueprint("authorize", __name__)

_REQUIRED = "read"
"""The scope that Strava always grants, requested or not, and that cannot be unticked."""
_MEANINGS = {
    "read": "View data about your public profile",
    "read_all": "View your complete profile data, private routes and segments included",
    "profile:read_all": "View all of your profile",
    "profile:write": "Change your weight and FTP, star segments",
    "activity:read": "View data about your activities",
    "activity:read_all": "View data about your private activities",
    "activity:write": "Upload your activities",
}


@dataclass(frozen=True, slots=True)
class _Request:
    """An application's authorization request."""

    application: Application
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str

    def way_back(self, **values: str) -> str:
        """The address to send the athlete's browser to, with the outcome in its query."""
        parts = urlsplit(self.redirect_uri)
        outcome = "&".join(f"{key}={quote(value, safe=':,')}" for key, value in values.items())
        query = f"{parts.query}&{outcome}" if parts.query else outcome
        return urlunsplit(parts._replace(query=query))


@blueprint.get("/oauth/authorize")
def ask() -> Response:
    """Show the application's request."""
    sim = simulation()
    with sim.state.transaction() as db:
        asked = _read_request(db)
        known = athletes.everyone(db)
    page = render_template(
        "authorize.html", asked=asked, athletes=known, meanings=_MEANINGS, required=_REQUIRED, scopes=asked.scopes
    )
    return Response(page, content_type="text/html; charset=utf-8")


@blueprint.post("/oauth/authorize")
def decide() -> WsgiResponse:
    """Send the athlete back with a code, or with the refusal."""
    sim = simulation()
    with sim.state.transaction() as db:
        asked = _read_request(db)
        if request.form.get("decision") == "cancel":
            return redirect(asked.way_back(state=asked.state, error="access_denied"))
        if request.form.get("decision") != "authorize":
            raise answers.bad_request("Authorize", "decision")
        scopes = _ticked(asked)
        athlete = _logged_in(db)
        tokens.check_capacity(db, asked.application, athlete.athlete_id)
        code = tokens.write_code(db, asked.application.client_id, athlete.athlete_id, scopes, now_epoch_s=sim.clock())
    return redirect(asked.way_back(state=asked.state, code=code, scope=scopes))


@blueprint.errorhandler(answers.Refusal)
def refuse(refusal: answers.Refusal) -> Response:
    """Show a refusal as a page for people."""
    page = render_template("refused.html", status=refusal.status, body=refusal.body)
    return Response(page, refusal.status, content_type="text/html; charset=utf-8")


def _read_request(db: sqlite3.Connection) -> _Request:
    query = request.args
    application = applications.identify(db, query.get("client_id"))
    redirect_uri = query.get("redirect_uri", "")
    if not application.may_redirect_to(redirect_uri):
        raise answers.bad_request("Application", "redirect_uri")
    if query.get("response_type") != "code":
        raise answers.bad_request("Authorize", "response_type")
    if query.get("approval_prompt", "auto") not in ("auto", "force"):
        raise answers.bad_request("Authorize", "approval_prompt")
    scopes = query.get("scope", "").replace(",", " ").split()
    if not scopes or not set(scopes) <= set(tokens.SCOPES):
        raise answers.bad_request("Authorize", "scope")
    asked_for = tuple(scope for scope in tokens.SCOPES if scope in {*scopes, _REQUIRED})
    return _Request(application, redirect_uri, asked_for, query.get("state", ""))


def _ticked(asked: _Request) -> str:
    ticked = set(request.form.getlist("scope"))
    if not ticked <= set(asked.scopes):
        raise answers.bad_request("Authorize", "scope")
    return tokens.join_scopes({*ticked, _REQUIRED})


def _logged_in(db: sqlite3.Connection) -> athletes.Athlete:
    try:
        return athletes.find(db, int(request.form.get("athlete_id", "")))
    except (ValueError, athletes.UnknownAthlete) as err:
        raise answers.bad_request("Athlete", "id") from err
