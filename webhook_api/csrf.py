"""CSRF protection: each form has a token that is bound to the browser's session."""

from __future__ import annotations

from flask import Flask, request
from flask.typing import ResponseReturnValue
from itsdangerous import Signer

from webhook_api.edge import current_edge
from webhook_api.errors import FOREIGN_FORM, problem_page
from webhook_api.session import begin_session, current_session

FIELD = "csrf"


def register(app: Flask) -> None:
    """Make `app` refuse every POST without a form token of the same session, except the webhook's."""
    app.before_request(_check)
    app.jinja_env.globals["csrf_token"] = csrf_token


def csrf_token() -> str:
    """The token for a form on the present page. Effects: begins a visitor's session where there is none."""
    session = current_session() or begin_session(None)
    return _signer().get_signature(session.nonce).decode()


def _check() -> ResponseReturnValue | None:
    if request.method in ("GET", "HEAD", "OPTIONS") or request.url_rule is None or request.blueprint == "webhook":
        return None
    session = current_session()
    given = request.form.get(FIELD, "").encode(errors="replace")
    # Compares in constant time.
    if session is None or not _signer().verify_signature(session.nonce, given):
        return problem_page(FOREIGN_FORM)
    return None


def _signer() -> Signer:
    return Signer(current_edge().settings.cookie_keys, salt="csrf")
