"""The OAuth flow: to Strava's consent page and back, in one browser, once, within ten minutes."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from flask import redirect
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from include.state.accounts.athletes import Narrowing
from include.strava.scopes import READ, parse_scopes
from webhook_api.edge import current_edge
from webhook_api.guards import cookie

STATE_COOKIE = "sdi_connecting"
STATE_LIFETIME_S = 600


@dataclass(frozen=True, slots=True)
class OAuthFlow:
    """One OAuth flow: what it asks for, and why."""

    scopes: frozenset[str]
    """The scopes that Strava was asked for."""
    invite_id: str | None = None
    """The id of the invitation that connecting accepts; the id alone cannot accept it."""
    narrowing: Narrowing | None = None
    """The scopes that the signed-in athlete chose to give up; another athlete may be logged in at Strava."""

    @property
    def is_sign_in(self) -> bool:
        """Whether the flow only identifies the athlete."""
        return self.scopes == {READ}

    def granted(self, address: str, proved: frozenset[str] | None) -> frozenset[str]:
        """The scopes that count: requested, in the callback's address, and confirmed by the token where it lists any.

        An address can be forged, and Strava may leave the scopes out of the token's answer.
        """
        granted = self.scopes & parse_scopes(address)
        return granted if proved is None else granted & proved

    def to_json(self) -> list[Any]:
        """The flow as JSON values."""
        return [sorted(self.scopes), self.invite_id, self.narrowing.to_json() if self.narrowing else None]

    @classmethod
    def from_json(cls, value: list[Any]) -> OAuthFlow:
        """The flow that `to_json` wrote."""
        scopes, invite_id, narrowing = value
        return cls(frozenset(scopes), invite_id, Narrowing.from_json(narrowing) if narrowing else None)


def begin(flow: OAuthFlow, *, force: bool) -> Response:
    """Redirect to Strava's consent page, with a `state` that this browser can use once.

    With `force` Strava shows the page even to athletes who agreed before, so that they can change what they allow.
    """
    edge = current_edge()
    nonce = secrets.token_urlsafe(24)
    edge.state.oauth_states.issue(nonce, lifetime_s=STATE_LIFETIME_S)
    address = edge.oauth().authorize_url(
        redirect_uri=f"{edge.settings.public_url}/callback",
        scopes=sorted(flow.scopes),
        state=str(_signer().dumps([nonce, flow.to_json()])),
        force=force,
    )
    answer = redirect(address, code=303)
    cookie.write(answer, STATE_COOKIE, nonce, STATE_LIFETIME_S)
    return answer


def finish(state: str) -> OAuthFlow | None:
    """The flow of `state`; None unless we signed it, for this browser, and it is in time and unused."""
    signed = _read(state)
    if signed is None:
        return None
    nonce, flow = signed
    if not hmac.compare_digest(cookie.read(STATE_COOKIE).encode(errors="replace"), nonce.encode()):
        return None
    edge = current_edge()
    return flow if edge.state.oauth_states.consume(nonce) else None


def peek(state: str) -> OAuthFlow | None:
    """The flow of a `state` that we signed, whichever browser brings it and when; good only to offer a new start."""
    signed = _read(state)
    return signed[1] if signed else None


def _read(state: str) -> tuple[str, OAuthFlow] | None:
    try:
        nonce, flow = _signer().loads(state)
    except BadSignature:
        return None
    return nonce, OAuthFlow.from_json(flow)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_edge().settings.cookie_keys, salt="walk")
