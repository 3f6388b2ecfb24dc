"""The simulator without a socket or a thread: a transport for `requests` that calls the application."""

from __future__ import annotations

import io
from typing import Any

import requests
from flask import Flask
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from werkzeug.test import EnvironBuilder, run_wsgi_app

from local.strava_simulator.processing import settle_due
from local.strava_simulator.simulation import EXTENSION


class InProcessTransport(BaseAdapter):
    """Answers every request from the simulator `app`; mount it on a session.

    Uploads whose processing has had its time are settled before each request, so that what is answered depends on
    the simulator's clock alone. Events stay where they are.
    """

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        """The application's answer; everything but the request is about sockets and has no meaning here."""
        settle_due(self._app.extensions[EXTENSION])
        body: Any = request.body or b""
        builder = EnvironBuilder(
            path=request.url or "/",
            method=request.method or "GET",
            headers=list(request.headers.items()),
            data=body.encode() if isinstance(body, str) else body,
        )
        parts, status, headers = run_wsgi_app(self._app, builder.get_environ(), buffered=True)
        response = requests.Response()
        response.status_code = int(status.split()[0])
        response.headers = CaseInsensitiveDict(headers.items())
        response.raw = io.BytesIO(b"".join(parts))
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is held open."""
