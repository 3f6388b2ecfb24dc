"""The web edge behind an API Gateway HTTP API: Lambda's handler for the pages and the webhook."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from apig_wsgi import make_lambda_handler

from include.deadline import ending_at
from include.secret import CachedSettings
from include.settings import Settings
from webhook_api import access_log
from webhook_api.app import create_app, longest_s
from webhook_api.aws_lambda import logs as lambda_logs
from webhook_api.edge import EXTENSION, Edge

_ASCII = "".join(map(chr, range(128)))


def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request in the form of payload version 2.0.

    Effects: opens the stores that an event needs before the first request, and keeps them for this process until a
    secret has changed. Then everything is opened again with the new settings, and the old ones are no longer used.
    """
    _logs().request_id = context.aws_request_id
    with ending_at(time.monotonic() + longest_s(event["rawPath"])):
        return _answering(_kept().current())(as_wsgi_takes_it(event), context)


def as_wsgi_takes_it(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with only ASCII in its path, query, headers and cookies, because WSGI's strings are latin-1.

    An HTTP API decodes percent signs in paths, so that a path may hold any character, even half a surrogate pair.
    """
    return {
        **event,
        "rawPath": _escaped(event["rawPath"]),
        "rawQueryString": _escaped(event["rawQueryString"]),
        "headers": {name: _escaped(value) for name, value in event["headers"].items()},
        "cookies": [_escaped(each) for each in event.get("cookies", ())],
    }


def _escaped(text: str) -> str:
    """The text with every character that is not ASCII percent-encoded as UTF-8."""
    return text if text.isascii() else quote(text, safe=_ASCII, errors="replace")


@cache
def _logs() -> lambda_logs.JsonFormatter:
    return lambda_logs.configure()


@cache
def _kept() -> CachedSettings:
    return CachedSettings(os.environ, time.time)


@lru_cache(maxsize=1)
def _answering(settings: Settings) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    app = create_app(settings)
    access_log.register(app)
    edge: Edge = app.extensions[EXTENSION]
    edge.open()
    return make_lambda_handler(app)


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    # During initialisation Lambda gives a process a whole processor, afterwards only a share of one.
    _logs()
    _answering(_kept().current())
