"""The web edge behind an API Gateway HTTP API: Lambda's handler for the pages and the webhook."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from apig_wsgi import make_lambda_handler

from include.deadline import ending_at
from include.secret import KeptSettings
from include.settings import Settings
from webhook_api import access_log
from webhook_api.app import create_app, longest_s
from webhook_api.aws_lambda import logs as lambda_logs
from webhook_api.edge import EXTENSION, Edge


def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request in the form of payload version 2.0.

    Effects: opens the stores that an event needs before the first request and keeps them for the next ones of this
    process, until a secret has changed: everything is opened anew then, and nothing of the old one is accepted.
    """
    _logs().request_id = context.aws_request_id
    with ending_at(time.monotonic() + longest_s(event["rawPath"])):
        return _answering(_kept().current())(dict(event), context)


@cache
def _logs() -> lambda_logs.JsonFormatter:
    return lambda_logs.configure()


@cache
def _kept() -> KeptSettings:
    return KeptSettings(os.environ, time.time)


@lru_cache(maxsize=1)
def _answering(settings: Settings) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    app = create_app(settings)
    access_log.register(app)
    edge: Edge = app.extensions[EXTENSION]
    edge.open()
    return make_lambda_handler(app)


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    # Before the first request Lambda gives a process all of a processor, afterwards only its share.
    _logs()
    _answering(_kept().current())
