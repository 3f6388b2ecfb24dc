"""The simulator without a socket or a thread: a transport for `requests` that calls the application."""

from __future__ import annotations

import io
from typing import Any

import requests
from flask import Flask
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from werkzeug.test import EnvironBuilder, run_wsgi_app

from local.strava_simulator.api.script import PACE_HEADER, Pace
from local.strava_simulator.world.processing import settle_due
from local.strava_simulator.world.simulation import EXTENSION, Simulation


class InProcessTransport(BaseAdapter):
    """Answers every request from the simulator `app`; mount it on a session.

    Uploads that are due are settled before each request, so that answers depend only on the simulator's clock. Events
    are not delivered.
    """

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_args: Any, **options: Any) -> requests.Response:
        """The application's answer; the other options concern sockets and have no meaning here.

        Errors: those of requests where the answer script drops or cuts an answer, or sends it too slowly; that time
        passes on the simulator's clock.
        """
        simulation: Simulation = self._app.extensions[EXTENSION]
        settle_due(simulation)
        body: Any = request.body or b""
        builder = EnvironBuilder(
            path=request.url or "/",
            method=request.method or "GET",
            headers=list(request.headers.items()),
            data=body.encode() if isinstance(body, str) else body,
        )
        parts, status, headers = run_wsgi_app(self._app, builder.get_environ(), buffered=True)
        content = b"".join(parts)
        pace = Pace.parse(headers.pop(PACE_HEADER, None))
        if pace.drops:
            raise requests.ConnectionError("the connection ended without an answer", request=request)
        dripping_s = pace.seconds(len(str(headers)), len(content))
        timeout = options.get("timeout")
        patience_s = timeout[1] if isinstance(timeout, tuple) else timeout
        if dripping_s:
            simulation.sleep(dripping_s if patience_s is None else min(dripping_s, patience_s))
        if patience_s is not None and dripping_s > patience_s:
            raise requests.ReadTimeout("the answer arrived too slowly", request=request)
        if len(content) < int(headers.get("Content-Length", 0)):
            raise requests.exceptions.ChunkedEncodingError("the connection ended within the answer", request=request)
        response = requests.Response()
        response.status_code = int(status.split()[0])
        response.headers = CaseInsensitiveDict(headers.items())
        response.raw = io.BytesIO(content)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """No effect: no connection is open."""
