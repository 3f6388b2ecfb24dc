"""The walk to Strava's consent page and back, in one browser, once, within ten minutes."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from flask import redirect, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from include.state.oauth_states import OAuthStates
from webhook_api.edge import current_edge

STATE_COOKIE = "connecting"
STATE_LIFETIME_S = 600


@dataclass(frozen=True, slots=True)
class Walk:
    """What the browser set out for."""

    invite_id: str | None
    """The invitation that is accepted by connecting."""


def begin(scopes: Collection[str], invite_id: str | None = None) -> Response:
    """On to Strava's consent page, with a `state` that this browser can bring back once.

    The consent page is shown even to athletes who agreed before: they may be here to change what they allow.
    The state names an invitation by its id, which cannot be used to accept it.
    """
    edge = current_edge()
    nonce = secrets.token_urlsafe(24)
    OAuthStates(edge.store(), edge.clock).issue(nonce, lifetime_s=STATE_LIFETIME_S)
    address = edge.oauth().authorize_url(
        redirect_uri=f"{edge.settings.public_url}/callback",
        scopes=scopes,
        state=str(_signer().dumps([nonce, invite_id])),
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


def finish(state: str) -> Walk | None:
    """The walk that ends here; None unless we signed `state`, for this browser, and it is used first and in time."""
    edge = current_edge()
    try:
        nonce, invite_id = _signer().loads(state)
    except BadSignature:
        return None
    cookie = request.cookies.get(STATE_COOKIE, "")
    if not hmac.compare_digest(cookie.encode(errors="replace"), nonce.encode()):
        return None
    return Walk(invite_id) if OAuthStates(edge.store(), edge.clock).consume(nonce) else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_edge().settings.cookie_key, salt="consent")
