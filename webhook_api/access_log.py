"""One log line for each request."""

from __future__ import annotations

import logging

from flask import Flask, Response, request

from webhook_api.errors import route

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Make `app` log every answer."""
    app.after_request(_log)


def _log(answer: Response) -> Response:
    """Log the request's route, never its path or query: the webhook's path is a secret, the callback's query a code."""
    log.info("%s %s %s", request.method, route(), answer.status_code)
    return answer
