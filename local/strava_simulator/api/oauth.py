"""The token endpoint and the two ways to revoke a connection."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from local.strava_simulator.api import answers
from local.strava_simulator.api.access import authenticate, count_call, meet_faults
from local.strava_simulator.world import applications, athletes, events, tokens
from local.strava_simulator.world.simulation import simulation

blueprint = Blueprint("oauth", __name__)


@blueprint.post("/oauth/token")
@blueprint.post("/api/v3/oauth/token")
def token() -> Response:
    """Exchange a code, or refresh; the fields may be in the query, as one public client sends them."""
    sim = simulation()
    form = request.values
    with sim.state.transaction() as db:
        application = applications.authenticate(db, form.get("client_id"), form.get("client_secret"))
    meet_faults(application.client_id)
    if form.get("grant_type") == "authorization_code":
        return answers.answer(_exchange(application, form.get("code", "")))
    if form.get("grant_type") == "refresh_token":
        return answers.answer(_refresh(application, form.get("refresh_token", "")))
    raise answers.bad_request("Application", "grant_type")


@blueprint.post("/oauth/revoke")
def revoke() -> Response:
    """Revoke the connection of a token; an unknown token is answered with 200 too."""
    sim = simulation()
    credentials = request.authorization
    if credentials is None or credentials.type != "basic":
        raise answers.Refusal(401, "Authorization Error", [])
    with sim.state.transaction() as db:
        try:
            application = applications.authenticate(db, credentials.username, credentials.password)
        except answers.Refusal as err:
            raise answers.Refusal(401, "Authorization Error", []) from err
    meet_faults(application.client_id)
    if not request.form.get("token"):
        raise answers.bad_request("Token", "token", "missing")
    now_epoch_s = sim.clock()
    with sim.state.transaction() as db:
        athlete_id = tokens.holder_of(db, application, request.form["token"], now_epoch_s=now_epoch_s)
        if athlete_id is not None and tokens.revoke(db, application.client_id, athlete_id, now_epoch_s=now_epoch_s):
            events.athlete_disconnected(db, sim, application.client_id, athlete_id)
    return Response(status=200)


@blueprint.post("/oauth/deauthorize")
@blueprint.post("/api/v3/oauth/deauthorize")
def deauthorize() -> Response:
    """Revoke the connection of the caller; counts as a read, as recorded."""
    sim = simulation()
    caller = authenticate()
    usage = count_call(caller, is_read=True)
    if usage.exceeded:
        raise answers.limit_exceeded(usage.exceeded)
    meet_faults(caller.client_id)
    with sim.state.transaction() as db:
        if tokens.revoke(db, caller.client_id, caller.athlete_id, now_epoch_s=sim.clock()):
            events.athlete_disconnected(db, sim, caller.client_id, caller.athlete_id)
    response = answers.answer({"access_token": request.headers["Authorization"].partition(" ")[2]})
    response.headers.update(usage.headers())
    return response


def _exchange(application: applications.Application, code: str) -> dict[str, Any]:
    sim = simulation()
    now_epoch_s = sim.clock()
    with sim.state.transaction() as db:
        pair = tokens.exchange(db, application, code, older_pair=sim.rules.older_pair, now_epoch_s=now_epoch_s)
        athlete = athletes.find(db, pair.athlete_id)
    return {**_body(pair, now_epoch_s), "scope": pair.scopes, "athlete": athlete.summary()}


def _refresh(application: applications.Application, refresh_token: str) -> dict[str, Any]:
    sim = simulation()
    now_epoch_s = sim.clock()
    with sim.state.transaction() as db:
        pair = tokens.refresh(db, application, refresh_token, now_epoch_s=now_epoch_s)
    return _body(pair, now_epoch_s)


def _body(pair: tokens.TokenPair, now_epoch_s: float) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "access_token": pair.access_token,
        "expires_at": pair.expires_at,
        "expires_in": pair.expires_at - int(now_epoch_s),
        "refresh_token": pair.refresh_token,
    }
