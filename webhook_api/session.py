"""The session: a signed cookie that names the athlete who has signed in in this browser."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace

from flask import Flask, Response, g, redirect, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from include.state.accounts.athletes import AthleteRow, AthleteStatus
from webhook_api.edge import current_edge
from webhook_api.errors import to_own_page
from webhook_api.guards import cookie

log = logging.getLogger(__name__)

COOKIE = "sdi_session"

IDLE_S = 30 * 86_400
"""The lifetime of an unused session."""
LONGEST_S = 180 * 86_400
"""The longest lifetime of a used session; after it the athlete signs in again."""
_SLIDE_S = 3_600
"""A cookie older than this is replaced at its next use, so that not every page sets a cookie."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session."""

    athlete_id: int | None
    """None for a visitor who has not connected."""
    series: str
    """The athlete's `session_series` when the session began; the session is over when the row has another one."""
    began_at_epoch_s: int
    used_at_epoch_s: int
    """When it was last used, to the hour."""
    nonce: str
    """The value that the session's forms are bound to; new for every sign-in."""

    def remaining_s(self, now_epoch_s: int) -> int:
        """The seconds until it ends if it is not used again; 0 or negative for one that is over."""
        return min(self.used_at_epoch_s + IDLE_S, self.began_at_epoch_s + LONGEST_S) - now_epoch_s


def register(app: Flask) -> None:
    """Make `app` set the cookie of a session that a request began or used, and clear that of one that it ended."""
    app.after_request(_keep)


def current_session() -> Session | None:
    """The session of the present request; None without a cookie that we signed and that is not over."""
    if "session" not in g:
        g.session = _read(cookie.read(COOKIE))
    return g.session  # type: ignore[no-any-return]  # Flask's g is untyped


def begin_session(athlete: AthleteRow | None) -> Session:
    """A new session, in place of the present one. Effects: the answer carries its cookie; a sign-in is logged."""
    now_epoch_s = int(current_edge().clock())
    athlete_id, series = (athlete.athlete_id, athlete.session_series) if athlete else (None, "")
    g.session = Session(athlete_id, series, now_epoch_s, now_epoch_s, secrets.token_urlsafe(16))
    g.session_changed = True
    if athlete is not None:
        log.info("Athlete %s has signed in", athlete.athlete_id)
    return g.session  # type: ignore[no-any-return]  # Flask's g is untyped


def end_session() -> None:
    """End this browser's session only. Effects: the answer clears the cookie."""
    g.session = None
    g.session_changed = True


def signed_in() -> AthleteRow | None:
    """The athlete of the present session; None for a visitor, and after the athlete's sessions were ended.

    Effects: reads the athlete's row; the session slides.
    """
    session = current_session()
    if session is None or session.athlete_id is None:
        return None
    edge = current_edge()
    athlete = edge.state.athletes.get(session.athlete_id)
    if athlete is None or athlete.status is AthleteStatus.REVOKED or athlete.session_series != session.series:
        return None
    now_epoch_s = int(edge.clock())
    if now_epoch_s - session.used_at_epoch_s >= _SLIDE_S:
        g.session = replace(session, used_at_epoch_s=now_epoch_s)
        g.session_changed = True
    return athlete


def require_athlete() -> ResponseReturnValue | None:
    """For `before_request`: redirect to the start page unless an athlete is signed in, then `current_athlete`.

    Effects: every problem of the page leads back to the athlete's own page.
    """
    g.athlete = signed_in()
    if g.athlete is None:
        return redirect(url_for("connect.start"), code=303)
    g.next_step = to_own_page()
    return None


def current_athlete() -> AthleteRow:
    """The athlete who is signed in, on pages that `require_athlete` guards."""
    return g.athlete  # type: ignore[no-any-return]  # Flask's g is untyped


def _read(text: str) -> Session | None:
    try:
        session = Session(*_signer().loads(text))
    except BadSignature:
        return None
    return session if session.remaining_s(int(current_edge().clock())) > 0 else None


def _keep(answer: Response) -> Response:
    if not g.get("session_changed"):
        return answer
    session: Session | None = g.session
    if session is None:
        cookie.clear(answer, COOKIE)
        return answer
    fields = [session.athlete_id, session.series, session.began_at_epoch_s, session.used_at_epoch_s, session.nonce]
    cookie.write(answer, COOKIE, str(_signer().dumps(fields)), session.remaining_s(int(current_edge().clock())))
    return answer


def _signer() -> URLSafeSerializer:
    # Not the salt of older cookies, which have no series: they count as no session.
    return URLSafeSerializer(current_edge().settings.cookie_keys, salt="session-of-a-series")
