"""The OAuth flow: to Strava's consent page and back, in one browser, once, within ten minutes."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Response, after_this_request, redirect
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as BaseResponse

from include.state.accounts.athletes import AthleteRow
from include.state.accounts.narrowing import Narrowing
from include.state.accounts.wishes import Wish, WishKind
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
    athlete_id: int | None = None
    """The only athlete for whom the flow has an effect; None for any athlete who is logged in at Strava."""
    wish: Wish | None = None
    """That athlete's wish, which is fulfilled once Strava has confirmed the athlete's identity."""

    @property
    def is_sign_in(self) -> bool:
        """Whether the flow only identifies the athlete."""
        return self.scopes == {READ}

    def granted(self, address: str, proved: frozenset[str] | None) -> frozenset[str]:
        """The granted scopes: those requested, in the callback's address, and in the token response if it lists any.

        An address can be forged, and Strava may omit the scopes from the token response.
        """
        granted = self.scopes & parse_scopes(address)
        return granted if proved is None else granted & proved

    def to_json(self) -> list[Any]:
        """The flow as JSON values."""
        narrowing = self.narrowing.to_json() if self.narrowing else None
        wish = self.wish.to_json() if self.wish else None
        return [sorted(self.scopes), self.invite_id, narrowing, self.athlete_id, wish]

    @classmethod
    def from_json(cls, value: list[Any]) -> OAuthFlow:
        """The flow that `to_json` wrote."""
        scopes, invite_id, narrowing, athlete_id, wish = value
        return cls(
            frozenset(scopes),
            invite_id,
            Narrowing.from_json(narrowing) if narrowing else None,
            athlete_id,
            Wish.from_json(wish) if wish else None,
        )


def confirm(athlete: AthleteRow, kind: WishKind, scopes: frozenset[str] = frozenset()) -> BaseResponse:
    """Redirect to Strava, which confirms the athlete's identity for this wish.

    Effects: stores the wish first, so that it is not lost if Strava does not answer.
    """
    wish = current_edge().state.athletes.note_wish(athlete.athlete_id, kind, scopes)
    flow = OAuthFlow(scopes or frozenset({READ}), athlete_id=athlete.athlete_id, wish=wish)
    return begin(flow, force=kind is WishKind.WIDEN)


def begin(flow: OAuthFlow, *, force: bool) -> BaseResponse:
    """Redirect to Strava's consent page, with a `state` that this browser can use once.

    With `force` Strava shows the page even to athletes who agreed before, so that they can change what they allow.
    """
    edge = current_edge()
    nonce = secrets.token_urlsafe(24)
    address = edge.oauth().authorize_url(
        redirect_uri=f"{edge.settings.public_url}/callback",
        scopes=sorted(flow.scopes),
        state=str(_signer().dumps([nonce, int(edge.clock()), flow.to_json()])),
        force=force,
    )
    answer = redirect(address, code=303)
    cookie.write(answer, STATE_COOKIE, nonce, STATE_LIFETIME_S)
    return answer


def finish(state: str) -> OAuthFlow | None:
    """The flow of `state`; None unless we signed it for this browser, at most ten minutes ago, and it is unused.

    Effects: marks the state as used; the answer clears the cookie.
    """
    signed = _read(state)
    if signed is None:
        return None
    nonce, began_at_epoch_s, flow = signed
    edge = current_edge()
    is_ours = hmac.compare_digest(cookie.read(STATE_COOKIE).encode(errors="replace"), nonce.encode())
    if not is_ours or edge.clock() - began_at_epoch_s > STATE_LIFETIME_S:
        return None
    after_this_request(_clear)
    return flow if edge.state.oauth_states.use(nonce, lifetime_s=STATE_LIFETIME_S) else None


def peek(state: str) -> OAuthFlow | None:
    """The flow of a `state` that we signed, for any browser at any time; use it only to offer a new start."""
    signed = _read(state)
    return signed[2] if signed else None


def _clear(answer: Response) -> Response:
    # A page that continues the flow at Strava has set it again.
    if not any(STATE_COOKIE in header for header in answer.headers.getlist("Set-Cookie")):
        cookie.clear(answer, STATE_COOKIE)
    return answer


def _read(state: str) -> tuple[str, int, OAuthFlow] | None:
    try:
        nonce, began_at_epoch_s, flow = _signer().loads(state)
    except BadSignature:
        return None
    return nonce, began_at_epoch_s, OAuthFlow.from_json(flow)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_edge().settings.cookie_keys, salt="oauth-flow")
