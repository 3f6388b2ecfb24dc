"""What a request may say about where it goes: ids of a sane length, and the host that is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.routing import IntegerConverter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class IdConverter(IntegerConverter):
    """An id in a path: below 2^63, as every store holds it, and never so long that Python refuses to read it."""

    regex = r"[0-9]{1,18}"


def register(app: Flask) -> None:
    """Make `app` read ids so; before its routes are added."""
    app.url_map.converters["int"] = IdConverter


def to_own_host(environ: WSGIEnvironment, public_url: str) -> None:
    """Let the request be for the host of `public_url`, whatever it says itself.

    No page depends on the host, and one that cannot be a host would end every page in an error.
    """
    environ["HTTP_HOST"] = urlsplit(public_url).netloc
