"""The session: a signed cookie that names the athlete who has signed in in this browser."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import Flask, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from include.state.accounts.athletes import AthleteRow, AthleteStatus
from webhook_api.edge import current_edge

COOKIE = "sdi_session"
LIFETIME_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session."""

    athlete_id: int | None
    """None for a visitor who has not connected."""
    issued_at_epoch_s: int
    nonce: str
    """The value that the session's forms are bound to; new for every sign-in."""


def register(app: Flask) -> None:
    """Make `app` set the cookie of a session that a request began, and clear that of one that it ended."""
    app.after_request(_keep)


def current_session() -> Session | None:
    """The session of the present request; None without a cookie of ours that is younger than `LIFETIME_S`."""
    if "session" not in g:
        g.session = _read(request.cookies.get(COOKIE, ""))
    return g.session  # type: ignore[no-any-return]  # Flask's g is untyped


def begin_session(athlete_id: int | None) -> Session:
    """A new session, in place of the present one. Effects: the answer carries its cookie."""
    g.session = Session(athlete_id, int(current_edge().clock()), secrets.token_urlsafe(16))
    g.session_changed = True
    return g.session  # type: ignore[no-any-return]  # Flask's g is untyped


def end_session() -> None:
    """Effects: the answer clears the cookie."""
    g.session = None
    g.session_changed = True


def signed_in() -> AthleteRow | None:
    """The athlete of the present session; None for a visitor, and after the athlete was disconnected."""
    session = current_session()
    if session is None or session.athlete_id is None:
        return None
    edge = current_edge()
    athlete = edge.state.athletes.get(session.athlete_id)
    if athlete is None or athlete.status is AthleteStatus.REVOKED:
        return None
    # An athlete who was erased and has connected again is signed in only in the browser that connected.
    return athlete if session.issued_at_epoch_s >= athlete.connected_at_epoch_s else None


def require_athlete() -> ResponseReturnValue | None:
    """For `before_request`: redirect to the start page unless an athlete is signed in, then `current_athlete`."""
    g.athlete = signed_in()
    return redirect(url_for("connect.start"), code=303) if g.athlete is None else None


def current_athlete() -> AthleteRow:
    """The athlete who is signed in, on pages that `require_athlete` guards."""
    return g.athlete  # type: ignore[no-any-return]  # Flask's g is untyped


def _read(cookie: str) -> Session | None:
    edge = current_edge()
    try:
        session = Session(*_signer().loads(cookie))
    except BadSignature:
        return None
    return session if edge.clock() - session.issued_at_epoch_s < LIFETIME_S else None


def _keep(answer: Response) -> Response:
    if not g.get("session_changed"):
        return answer
    session: Session | None = g.session
    secure = current_edge().settings.public_url.startswith("https://")
    if session is None:
        answer.delete_cookie(COOKIE, secure=secure, httponly=True, samesite="Lax")
        return answer
    answer.set_cookie(
        COOKIE,
        str(_signer().dumps([session.athlete_id, session.issued_at_epoch_s, session.nonce])),
        max_age=LIFETIME_S,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_edge().settings.cookie_key, salt="session")
