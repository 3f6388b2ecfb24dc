"""The web edge on real SQLite files, a real key file and a scripted Strava."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from include.crypto.key_file import KeyFileCipher
from include.queue.sqlite import SqliteQueue
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.application.subscriptions import Subscriptions
from include.store.sqlite import SqliteStore
from include.strava.grant import TokenGrant
from include.strava.http.response import Response
from include.strava.http.session import Call, StravaSession
from include.strava.models import Athlete, AthleteId, Subscription
from include.strava.oauth import OAuthClient
from local.testbed.manual_clock import ManualClock
from webhook_api.app import create_app
from webhook_api.edge import EXTENSION, Edge

SUBSCRIPTION_ID = 120475
ATHLETE_ID = 134815
ACCESS_TOKEN = "access-token-that-nobody-may-see"
REFRESH_TOKEN = "refresh-token-that-nobody-may-see"


@dataclass
class Strava:
    """What Strava's token endpoint answers next, and which forms were sent to it."""

    status: int = 200
    document: Any = field(
        default_factory=lambda: {
            "token_type": "Bearer",
            "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "expires_at": 1_760_021_600,
            "athlete": {"id": ATHLETE_ID, "firstname": "Ada <b>", "lastname": "Byron"},
        }
    )
    fault: Exception | None = None
    forms: list[Mapping[str, str]] = field(default_factory=list)


class ScriptedSession(StravaSession):
    """A session that asks the script instead of the network."""

    def __init__(self, strava: Strava, clock: ManualClock) -> None:
        super().__init__(clock)
        self._strava = strava
        self._clock = clock

    def send(self, base_url: str, call: Call, **_observers: Any) -> Response:
        self._strava.forms.append(call.form)
        if self._strava.fault:
            raise self._strava.fault
        body = json.dumps(self._strava.document).encode()
        return Response(
            self._strava.status, {}, body, call.path, call.whom, is_applications=True, received_at_epoch_s=self._clock()
        )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_760_000_000.0)


@pytest.fixture
def strava() -> Strava:
    return Strava()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(
        Settings.from_environ(EXAMPLES),
        strava_client_secret="client-secret-that-nobody-may-see",
        webhook_path_secret="0123456789abcdef0123456789abcdef",
        webhook_signing_key="",
        webhook_verify_token="fedcba9876543210fedcba9876543210",
        cookie_key="cookie-key-that-nobody-may-see",
        state_url=f"sqlite://{tmp_path}/state.sqlite",
        queue_url=f"sqlite://{tmp_path}/state.sqlite",
        key_url=f"file://{tmp_path}/token.key",
    )


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state.sqlite", clock)
    yield store
    store.close()


@pytest.fixture
def queue(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(tmp_path / "state.sqlite", clock, keep_days=28)
    yield queue
    queue.close()


@pytest.fixture
def athletes(store: SqliteStore, tmp_path: Path, clock: ManualClock) -> Athletes:
    return Athletes(store, KeyFileCipher(tmp_path / "token.key"), clock)


@pytest.fixture
def app(
    settings: Settings, clock: ManualClock, strava: Strava, store: SqliteStore, queue: SqliteQueue, tmp_path: Path
) -> Iterator[Flask]:
    app = create_app(settings, clock)
    edge: Edge = app.extensions[EXTENSION]
    session = ScriptedSession(strava, clock)
    oauth = OAuthClient(session, settings.strava_oauth_url, settings.strava_client_id, settings.strava_client_secret)
    app.extensions[EXTENSION] = replace(edge, store=lambda: store, queue=lambda: queue, oauth=lambda: oauth)
    yield app
    session.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that speaks https, so that it keeps Secure cookies."""
    client = app.test_client()
    client.environ_base["wsgi.url_scheme"] = "https"
    return client


@dataclass
class Browser:
    """One person's browser: walks through Strava's consent page and sends the forms of our pages."""

    client: FlaskClient
    strava: Strava

    def walk(self, start: TestResponse, athlete_id: int, name: str, scope: str) -> TestResponse:
        """From our redirect to Strava, where the athlete allows `scope`, to the page where that ends."""
        assert start.status_code == 303, start.text
        state = parse_qs(urlsplit(start.location).query)["state"][0]
        self.strava.document["athlete"] = {"id": athlete_id, "firstname": name, "lastname": "Byron"}
        query = {"state": state, "code": "code-of-strava", "scope": scope}
        return self.client.get("/callback", query_string=query, follow_redirects=True)

    def connect(self, athlete_id: int, name: str, scope: str = "read,activity:read") -> TestResponse:
        """Tick the boxes that `scope` takes and allow it at Strava."""
        boxes = {"private": "activity:read_all" in scope, "receive": "activity:write" in scope}
        choices = {name: "1" for name, is_ticked in boxes.items() if is_ticked}
        return self.walk(self.client.get("/connect", query_string=choices), athlete_id, name, scope)

    def post(self, address: str, *, page: str = "/me", **fields: str) -> TestResponse:
        """Send a form with the token of `page`; redirects are followed, but not out to Strava."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.client.get(page).text)
        assert token is not None
        answer = self.client.post(address, data={"csrf": token[1], **fields})
        return self.client.get(answer.location) if (answer.location or "").startswith("/") else answer


@pytest.fixture
def new_browser(app: Flask, strava: Strava) -> Callable[[], Browser]:
    def new_browser() -> Browser:
        client = app.test_client()
        client.environ_base["wsgi.url_scheme"] = "https"
        return Browser(client, strava)

    return new_browser


@pytest.fixture
def connected(store: SqliteStore, athletes: Athletes) -> None:
    """The subscription is stored and one athlete has connected."""
    Subscriptions(store).save(Subscription(SUBSCRIPTION_ID, ""))
    athlete = Athlete(AthleteId(ATHLETE_ID), "Ada", "Byron")
    athletes.connect(TokenGrant("a", "r", 1_760_021_600, athlete), frozenset({"activity:read"}))


@pytest.fixture
def event() -> dict[str, Any]:
    """The example of Strava's webhook documentation."""
    return {
        "aspect_type": "update",
        "event_time": 1516126040,
        "object_id": 1360128428,
        "object_type": "activity",
        "owner_id": ATHLETE_ID,
        "subscription_id": SUBSCRIPTION_ID,
        "updates": {"title": "Messy"},
    }


@pytest.fixture
def sign(clock: ManualClock) -> Callable[..., dict[str, str]]:
    """The header with which Strava would sign a body, so many seconds ago."""

    def sign(body: bytes, key: str, late_s: int = 0) -> dict[str, str]:
        signed_at = str(int(clock()) - late_s)
        digest = hmac.new(key.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Strava-Signature": f"t={signed_at},v1={digest}"}

    return sign
