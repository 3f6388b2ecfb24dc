"""Checks of the request line: ids of a limited length, and this installation's own host."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.routing import IntegerConverter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class IdConverter(IntegerConverter):
    """An id in a path: at most 18 digits, so below 2^63, which every store can hold."""

    regex = r"[0-9]{1,18}"


def register(app: Flask) -> None:
    """Make `app` use `IdConverter` for `<int:…>`; call it before routes are added."""
    app.url_map.converters["int"] = IdConverter


def to_own_host(environ: WSGIEnvironment, public_url: str) -> None:
    """Replace the request's `Host` by the host of `public_url`.

    No page depends on the request's own, and an invalid one would make every page fail.
    """
    environ["HTTP_HOST"] = urlsplit(public_url).netloc
