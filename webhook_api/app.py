"""The Flask application behind the public URL."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from flask import Flask, request

from include.clock import Clock
from include.deadline import ending_at
from include.settings import Settings
from webhook_api import csrf, errors, headers, health, session, webhook
from webhook_api.edge import EXTENSION, Edge
from webhook_api.errors import route
from webhook_api.guards import request_line
from webhook_api.mail import confirmation as mail
from webhook_api.mail import own_mail
from webhook_api.pages import connect, disconnect, erase, foreign_text, me, times, wishes
from webhook_api.pages.linking import children, invites, inviting, parents
from webhook_api.site import certificate, files, privacy, security_txt, service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST_BODY_BYTES = 8 * 1024
"""The largest request that is accepted; a larger one gets 413 without being read. An event has about 300 bytes."""

WEBHOOK_S = 1.8
"""The deadline of the webhook's answer: Strava waits two seconds, and sends an event again that was answered 503."""
PAGE_S = 7.8
"""The deadline of a page's answer, shorter than Lambda's own, at which a browser would get no page."""


def longest_s(path: str) -> float:
    """The deadline of the answer to a request for `path`, in seconds."""
    return WEBHOOK_S if path.startswith("/webhook/") else PAGE_S


class EdgeApp(Flask):
    """A Flask app that gives each request a deadline.

    Its log names the route of a failed request, never its path: some paths hold a secret.
    """

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request; calls to AWS and Strava end before its deadline."""
        edge: Edge = self.extensions[EXTENSION]
        request_line.to_own_host(environ, edge.settings.public_url)
        with ending_at(time.monotonic() + longest_s(environ["PATH_INFO"])):
            return super().wsgi_app(environ, start_response)

    def log_exception(self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]) -> None:
        """Log a failure that no handler expected."""
        self.logger.error("Unexpected failure on %s %s", request.method, route(), exc_info=exc_info)


def create_app(settings: Settings, clock: Clock = time.time) -> Flask:
    """The application: pages, webhook and health check on the leaves that `settings` describe.

    Effects: none until the first request; leaves are opened when a page first needs them.
    """
    app = EdgeApp(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.extensions[EXTENSION] = Edge.of(settings, clock)
    request_line.register(app)
    linking = (invites, inviting, children, parents)
    site = (certificate, privacy, security_txt)
    for page in (connect, me, *linking, disconnect, erase, wishes, mail, own_mail, times, *site, webhook, health):
        app.register_blueprint(page.blueprint)
    errors.register(app)
    headers.register(app)
    files.register(app)
    service.register(app, settings)
    session.register(app)
    csrf.register(app)
    foreign_text.register(app)
    return app
