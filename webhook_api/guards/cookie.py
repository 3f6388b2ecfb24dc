"""Cookies that scripts cannot read, that other sites' forms do not send, and that other hosts cannot set."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from webhook_api.edge import current_edge


def read(name: str) -> str:
    """The cookie's value; empty where the browser sends none."""
    return request.cookies.get(_full(name), "")


def write(answer: Response, name: str, value: str, lifetime_s: int) -> None:
    """Make `answer` set the cookie."""
    answer.set_cookie(
        _full(name), value, max_age=lifetime_s, path="/", secure=_by_https(), httponly=True, samesite="Lax"
    )


def clear(answer: Response, name: str) -> None:
    """Make `answer` remove the cookie."""
    answer.delete_cookie(_full(name), path="/", secure=_by_https(), httponly=True, samesite="Lax")


def _full(name: str) -> str:
    """The cookie's name in the browser.

    With the prefix `__Host-` a browser accepts a cookie only over https, for this host alone and for every path. Over
    plain http, on one machine, the name has no prefix: Safari accepts no `Secure` cookie there, and other browsers
    differ.
    Source: github.com/httpwg/http-extensions, issue 2605.
    """
    return f"__Host-{name}" if _by_https() else name


def _by_https() -> bool:
    return current_edge().settings.public_url.startswith("https://")
