"""The pages on which an athlete connects a Strava account."""

from __future__ import annotations

import hmac
import secrets

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from include.errors import ScopeMissing
from include.state.athletes import Athletes
from include.state.oauth_states import OAuthStates
from webhook_api.edge import Edge, current_edge
from webhook_api.errors import ACCESS_DENIED, STALE_LINK, problem_page

STATE_COOKIE = "connecting"
STATE_LIFETIME_S = 600

blueprint = Blueprint("connect", __name__)


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """The start page: what connecting means, and what may be read and written."""
    return render_template("start.html")


@blueprint.get("/connect")
def connect() -> ResponseReturnValue:
    """On to Strava's consent page, with a `state` that this browser can bring back once, within ten minutes.

    Strava sends webhooks only for `activity:read`, so `activity:read_all` is asked for beside it, never instead.
    The consent page is shown even to athletes who agreed before: they may be here to change what they allow.
    """
    from include.strava.oauth import ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE, READ

    edge = current_edge()
    nonce = secrets.token_urlsafe(24)
    OAuthStates(edge.store(), edge.clock).issue(nonce, lifetime_s=STATE_LIFETIME_S)
    scopes = [READ, ACTIVITY_READ]
    if request.args.get("private"):
        scopes.append(ACTIVITY_READ_ALL)
    if request.args.get("receive"):
        scopes.append(ACTIVITY_WRITE)
    address = edge.oauth().authorize_url(
        redirect_uri=f"{edge.settings.public_url}/callback",
        scopes=scopes,
        state=_signer(edge).dumps(nonce),
        force=True,
    )
    answer = redirect(address, code=303)
    answer.set_cookie(
        STATE_COOKIE,
        nonce,
        max_age=STATE_LIFETIME_S,
        path="/callback",
        secure=edge.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )
    return answer


@blueprint.get("/callback")
def callback() -> ResponseReturnValue:
    """Back from Strava: the connected page, or one that says why nothing was connected.

    Effects: on success the athlete, the granted scopes and the encrypted tokens are stored.
    """
    edge = current_edge()
    if request.args.get("error"):
        return problem_page(ACCESS_DENIED)
    code = request.args.get("code")
    if not code or not _is_ours(edge, request.args.get("state", "")):
        return problem_page(STALE_LINK)
    return _connect_athlete(edge, code, request.args.get("scope", ""))


def _connect_athlete(edge: Edge, code: str, granted: str) -> ResponseReturnValue:
    from include.strava.oauth import ACTIVITY_READ, ACTIVITY_READ_ALL, ACTIVITY_WRITE, parse_scopes

    scopes = parse_scopes(granted)
    # Without reading, an account is of use only where copies may be written to it.
    if not scopes & {ACTIVITY_READ, ACTIVITY_WRITE}:
        raise ScopeMissing("The athlete allowed neither to read nor to upload activities.", scope=ACTIVITY_READ)
    grant = edge.oauth().exchange(code)
    athlete = Athletes(edge.store(), edge.cipher(), edge.clock).connect(grant, scopes)
    return render_template(
        "connected.html",
        athlete=athlete,
        reads=ACTIVITY_READ in scopes,
        reads_all={ACTIVITY_READ, ACTIVITY_READ_ALL} <= scopes,
        receives=ACTIVITY_WRITE in scopes,
    )


def _is_ours(edge: Edge, state: str) -> bool:
    """Whether we signed `state`, for this browser, and it is used for the first time and in time."""
    try:
        nonce = str(_signer(edge).loads(state))
    except BadSignature:
        return False
    cookie = request.cookies.get(STATE_COOKIE, "")
    if not hmac.compare_digest(cookie.encode(errors="replace"), nonce.encode()):
        return False
    return OAuthStates(edge.store(), edge.clock).consume(nonce)


def _signer(edge: Edge) -> URLSafeSerializer:
    return URLSafeSerializer(edge.settings.cookie_key, salt="oauth-state")
