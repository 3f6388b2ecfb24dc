"""A simulator without sockets, a clock that the test sets, and a webhook receiver that does as it is told."""

from __future__ import annotations

import io
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from local.strava_simulator.api.faults import SeededChances
from local.strava_simulator.app import create_app
from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.deliveries import deliver_due
from local.strava_simulator.world.processing import settle_due
from local.strava_simulator.world.simulation import EXTENSION, Rules, Simulation
from local.strava_simulator.world.state import State
from local.testbed.manual_clock import ManualClock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
CALLBACK_URL = "http://callback.test/webhook/path-secret?from=strava"
REDIRECT_URI = "http://localhost/connected"
ALL_SCOPES = "read,read_all,profile:read_all,profile:write,activity:read,activity:read_all,activity:write"


class Receiver(BaseAdapter):
    """The callback's side of every connection that the simulator opens."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.handshakes: list[dict[str, list[str]]] = []
        self.outcomes: deque[int | Exception] = deque()
        """What the next events meet; 200 when nothing is left."""
        self.handshake: Callable[[str], tuple[int, str, str]] = lambda challenge: (
            200,
            "application/json",
            json.dumps({"hub.challenge": challenge}),
        )

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        assert options["timeout"] == 2.0
        response = requests.Response()
        response.request, response.url, response.status_code, response._content = request, request.url or "", 200, b""
        response._content_consumed = True
        response.headers["Location"] = response.url
        if request.method == "GET":
            query = parse_qs(urlsplit(request.url or "").query)
            self.handshakes.append(query)
            status, content_type, body = self.handshake(query["hub.challenge"][0])
            response.status_code, response._content = status, body.encode()
            response.headers["Content-Type"] = content_type
            return response
        self.events.append(json.loads(request.body or b"null"))
        outcome = self.outcomes.popleft() if self.outcomes else 200
        if isinstance(outcome, Exception):
            raise outcome
        response.status_code = outcome
        return response

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class World:
    """A simulator, and the people and programs around it."""

    app: Flask
    client: FlaskClient
    application: Application
    receiver: Receiver
    clock: ManualClock
    slept: list[float] = field(default_factory=list)

    @property
    def simulation(self) -> Simulation:
        simulation: Simulation = self.app.extensions[EXTENSION]
        return simulation

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def work(self) -> None:
        """What the background worker does on one of its rounds."""
        settle_due(self.simulation)
        deliver_due(self.simulation)

    def athlete(self, **values: Any) -> int:
        return int(self.control("POST", "athletes", **values).get_json()["id"])

    def finish(
        self, athlete_id: int, *, name: str = "Morning Run", at: str = "2026-06-01T08:00:00Z", **more: Any
    ) -> int:
        """Let the athlete finish a run of four samples."""
        body = {"detail": {**run_detail(name, at), **more.pop("detail", {})}, "streams": run_streams(), **more}
        response = self.control("POST", f"athletes/{athlete_id}/activities", **body)
        assert response.status_code == 201, response.text
        return int(response.get_json()["activity_id"])

    def control(self, method: str, path: str, **body: Any) -> TestResponse:
        return self.client.open(f"/simulator/{path}", method=method, json=body)

    def authorize(self, athlete_id: int, scope: str = ALL_SCOPES, **form: Any) -> TestResponse:
        query = {
            "client_id": self.application.client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": scope,
            "state": "s1",
        }
        data = {"athlete_id": athlete_id, "decision": "authorize", "scope": scope.split(","), **form}
        return self.client.post("/oauth/authorize", query_string=query, data=data)

    def code(self, athlete_id: int, scope: str = ALL_SCOPES) -> str:
        return parse_qs(urlsplit(self.authorize(athlete_id, scope).headers["Location"]).query)["code"][0]

    def token(self, **form: Any) -> TestResponse:
        credentials = {"client_id": self.application.client_id, "client_secret": self.application.client_secret}
        return self.client.post("/oauth/token", data=credentials | form)

    def connect(self, athlete_id: int, scope: str = ALL_SCOPES) -> dict[str, Any]:
        """The athlete authorises the application, which exchanges the code at once."""
        response = self.token(grant_type="authorization_code", code=self.code(athlete_id, scope))
        assert response.status_code == 200, response.text
        return dict(response.get_json())

    def bearer(self, athlete_id: int, scope: str = ALL_SCOPES) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.connect(athlete_id, scope)['access_token']}"}

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        return self.client.get(f"/api/v3/{path}", headers=headers, query_string=query)

    def truth(self, activity_id: int) -> dict[str, Any]:
        return dict(self.control("GET", f"activities/{activity_id}").get_json())

    def upload(self, headers: dict[str, str], content: bytes | None = None, **fields: Any) -> TestResponse:
        data = {"data_type": "gpx", **fields}
        if content is not None:
            data["file"] = (io.BytesIO(content), data.pop("filename", "morning.gpx"))
        return self.client.post("/api/v3/uploads", headers=headers, data=data)

    def poll(self, headers: dict[str, str], upload_id: int) -> dict[str, Any]:
        response = self.get(f"uploads/{upload_id}", headers)
        assert response.status_code == 200
        return dict(response.get_json())

    def uploaded(self, headers: dict[str, str], content: bytes, **fields: Any) -> dict[str, Any]:
        """The status once the processing has had its time."""
        response = self.upload(headers, content, **fields)
        assert response.status_code == 201, response.text
        self.pass_time(2)
        return self.poll(headers, response.get_json()["id"])

    def subscribe(self, **form: Any) -> TestResponse:
        values = {
            "client_id": self.application.client_id,
            "client_secret": self.application.client_secret,
            "callback_url": CALLBACK_URL,
            "verify_token": "v-1",
        }
        return self.client.post("/api/v3/push_subscriptions", data=values | form)

    def switch(self, **faults: Any) -> None:
        path = f"applications/{self.application.client_id}/faults"
        assert self.control("PUT", path, **faults).status_code == 200

    def received(self) -> list[tuple[str, str, dict[str, str]]]:
        """The events received so far, in short."""
        self.work()
        return [(event["object_type"], event["aspect_type"], event["updates"]) for event in self.receiver.events]


def run_detail(name: str, at: str) -> dict[str, Any]:
    return {
        "resource_state": 3,
        "name": name,
        "description": "Felt good",
        "type": "Run",
        "sport_type": "Run",
        "distance": 9.0,
        "moving_time": 3,
        "elapsed_time": 3,
        "start_date": at,
        "start_date_local": at,
        "timezone": "(GMT+01:00) Europe/Berlin",
        "utc_offset": 7200.0,
        "map": {"id": "a1", "polyline": "abc", "summary_polyline": "ab", "resource_state": 3},
        "trainer": False,
        "commute": False,
        "manual": False,
        "private": False,
        "visibility": "everyone",
        "kudos_count": 4,
        "start_latlng": [52.5, 13.4],
        "end_latlng": [52.6, 13.4],
        "upload_id": None,
        "external_id": None,
        "laps": [],
    }


def run_streams() -> dict[str, Any]:
    data = {
        "time": [0, 1, 2, 3],
        "distance": [0.0, 3.0, 6.0, 9.0],
        "heartrate": [100, 110, None, 130],
        "moving": [False, True, True, True],
    }
    return {
        kind: {"data": samples, "series_type": "distance", "original_size": 4, "resolution": "high"}
        for kind, samples in data.items()
    }


@pytest.fixture(scope="session")
def app() -> Iterator[Flask]:
    """The application with its routes, which take longest to set up; `make_world` puts a new simulation into it."""
    state = State(":memory:")
    yield create_app(state)
    state.close()


@pytest.fixture
def make_world(app: Flask) -> Iterator[Callable[..., World]]:
    """Build a world; `rules`, `application` and `path` of the state file may be given. The newest one is served."""
    opened: list[State] = []

    def make(*, rules: Rules | None = None, application: Application | None = None, path: str = ":memory:") -> World:
        state, receiver, clock, slept = State(path), Receiver(), ManualClock(NOON), []
        opened.append(state)
        session = requests.Session()
        session.mount("http://", receiver)
        rules, application = rules or Rules(), application or Application()
        with state.transaction() as db:
            applications.register(db, application)
        app.extensions[EXTENSION] = Simulation(state, clock, rules, SeededChances(rules.seed), session, slept.append)
        return World(app, app.test_client(), application, receiver, clock, slept)

    yield make
    for state in opened:
        state.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
