"""Cookies that no script reads, no other site sends with a form, and no other host can set."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from webhook_api.edge import current_edge


def read(name: str) -> str:
    """The cookie's value; empty where the browser sends none."""
    return request.cookies.get(_full(name), "")


def write(answer: Response, name: str, value: str, lifetime_s: int) -> None:
    """Effects: `answer` sets the cookie."""
    answer.set_cookie(
        _full(name), value, max_age=lifetime_s, path="/", secure=_by_https(), httponly=True, samesite="Lax"
    )


def clear(answer: Response, name: str) -> None:
    """Effects: `answer` removes the cookie."""
    answer.delete_cookie(_full(name), path="/", secure=_by_https(), httponly=True, samesite="Lax")


def _full(name: str) -> str:
    """The name as browsers have it.

    Under `__Host-` a browser takes a cookie only over https, for this host alone and for every path. Over plain http,
    which is for one machine, the name goes without: Safari takes no `Secure` cookie there, and the others differ in
    what they take (github.com/httpwg/http-extensions, issue 2605).
    """
    return f"__Host-{name}" if _by_https() else name


def _by_https() -> bool:
    return current_edge().settings.public_url.startswith("https://")
