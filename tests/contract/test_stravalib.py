"""A client that others wrote for Strava works with the simulator as it works with Strava.

stravalib has Strava's host in its addresses; the session given to it sends those calls to the simulator instead,
and changes nothing else about them: since 2.6 it sends the token in the header by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from stravalib import exc
from stravalib.client import Client
from stravalib.util.limiter import DefaultRateLimiter, RequestRate, get_rates_from_response_headers

from local.strava_simulator.server import RunningSimulator, running_simulator
from local.strava_simulator.world.simulation import Rules
from local.testbed.manual_clock import ManualClock

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
SCOPES: Any = ["read", "profile:read_all", "activity:read", "activity:read_all", "activity:write"]
GPX = (
    '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="test"><trk><trkseg>'
    '<trkpt lat="52.5" lon="13.4"><time>2026-05-02T08:00:00Z</time></trkpt>'
    '<trkpt lat="52.6" lon="13.4"><time>2026-05-02T09:00:00Z</time></trkpt>'
    "</trkseg></trk></gpx>"
)

pytestmark = pytest.mark.network


class StravaAtLoopback(HTTPAdapter):
    """Sends what is meant for www.strava.com to the simulator."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert "access_token" not in (request.url or "")
        request.url = (request.url or "").replace("https://www.strava.com", self.base_url)
        return super().send(request, *args, **kwargs)


@pytest.fixture
def clock() -> ManualClock:
    """The simulator's clock."""
    return ManualClock(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def running(clock: ManualClock) -> Iterator[RunningSimulator]:
    with running_simulator(rules=Rules(processing_s=10.0), clock=clock) as simulator:
        yield simulator


@pytest.fixture
def athlete_id(running: RunningSimulator) -> int:
    return running.control.create_athlete(firstname="Ann", lastname="Bee")


@pytest.fixture
def client(running: RunningSimulator, athlete_id: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """stravalib on behalf of an athlete who has authorised the application."""
    monkeypatch.setenv("SILENCE_TOKEN_WARNINGS", "true")
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://www.strava.com", StravaAtLoopback(running.base_url))
        connected = Client(requests_session=session)
        url = connected.authorization_url(running.application.client_id, "http://localhost/connected", scope=SCOPES)
        back = running.control.authorize(url, athlete_id)
        tokens = connected.exchange_code_for_token(
            client_id=running.application.client_id,
            client_secret=running.application.client_secret,
            code=parse_qs(urlsplit(back).query)["code"][0],
        )
        connected.access_token = tokens["access_token"]
        connected.refresh_token = tokens["refresh_token"]
        yield connected


def test_exchange_makes_the_athlete_readable(client: Client, athlete_id: int) -> None:
    athlete = client.get_athlete()
    assert (athlete.id, athlete.firstname, athlete.resource_state) == (athlete_id, "Ann", 3)


def test_refresh_rotates(client: Client, running: RunningSimulator, clock: ManualClock) -> None:
    application, old = running.application, client.refresh_token
    clock.advance(20_000)
    assert old is not None
    new = client.refresh_access_token(application.client_id, application.client_secret, old)
    assert new["refresh_token"] != old
    client.access_token = new["access_token"]
    assert client.get_athlete().firstname == "Ann"
    with pytest.raises(exc.Fault, match="RefreshToken"):
        client.refresh_access_token(application.client_id, application.client_secret, old)


@pytest.mark.parametrize("count", [0, 1, 10, 11])
def test_list_pages_to_the_end(client: Client, running: RunningSimulator, athlete_id: int, count: int) -> None:
    made = [
        running.control.generate_activity(athlete_id, "run", seed=1, points=5, start_at=START + timedelta(hours=index))
        for index in range(count)
    ]
    activities = client.get_activities()
    activities.per_page = 10
    assert [activity.id for activity in activities] == made[::-1]


@pytest.mark.parametrize("kind", ["run", "ride", "trail_run", "indoor_ride", "treadmill", "swim", "virtual_ride"])
def test_every_kind_of_activity_is_understood(
    client: Client, running: RunningSimulator, athlete_id: int, kind: str
) -> None:
    made = running.control.generate_activity(athlete_id, kind, seed=1, points=60, start_at=START)
    activity = client.get_activity(made)
    truth = running.control.activity(made)
    assert activity.start_date == START
    assert activity.sport_type is not None
    assert activity.sport_type.root == truth["detail"]["sport_type"]
    if truth["streams"] is None:
        with pytest.raises(exc.ObjectNotFound):
            client.get_activity_streams(made)
    else:
        streams = client.get_activity_streams(made)
        assert {kind: stream.data for kind, stream in streams.items()} == {
            kind: stream["data"] for kind, stream in truth["streams"].items()
        }


def test_unknown_activity_is_not_found(client: Client) -> None:
    with pytest.raises(exc.ObjectNotFound, match="Record Not Found"):
        client.get_activity(1)


def test_upload_becomes_an_activity_and_then_a_duplicate(client: Client, clock: ManualClock) -> None:
    first = client.upload_activity(GPX, "gpx", name="By stravalib", external_id="s-1")
    assert first.is_processing
    first.poll()
    assert first.is_processing
    clock.advance(10)
    first.poll()
    assert first.is_complete
    assert first.external_id == "s-1.gpx"
    assert first.activity_id is not None
    assert client.get_activity(first.activity_id).name == "By stravalib"
    second = client.upload_activity(GPX, "gpx", external_id="s-2")
    clock.advance(10)
    with pytest.raises(exc.ActivityUploadFailed, match=f"duplicate of <a href='/activities/{first.activity_id}'"):
        second.poll()


def test_rejected_upload_is_understood(client: Client) -> None:
    with pytest.raises(exc.ActivityUploadFailed, match="not supported"):
        client.upload_activity(b"x", "fit")


@pytest.fixture
def callback_url() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = client_side.handle_subscription_callback(
                {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    client_side = Client()
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/callback"
        server.shutdown()
        thread.join()


def test_subscription_is_created_listed_and_deleted(
    client: Client, running: RunningSimulator, callback_url: str
) -> None:
    client_id, secret = running.application.client_id, running.application.client_secret
    created = client.create_subscription(client_id, secret, callback_url)
    assert created.id is not None
    assert [subscription.id for subscription in client.list_subscriptions(client_id, secret)] == [created.id]
    with pytest.raises(exc.Fault, match="already exists"):
        client.create_subscription(client_id, secret, callback_url)
    client.delete_subscription(created.id, client_id, secret)
    assert list(client.list_subscriptions(client_id, secret)) == []


def test_deauthorize_ends_the_access(client: Client) -> None:
    client.deauthorize()
    with pytest.raises(exc.AccessUnauthorized):
        client.get_athlete()


def test_limiter_reads_the_usage(client: Client, running: RunningSimulator) -> None:
    """stravalib's own limiter reads usage headers of every call, the upload's lone comma included."""
    limiter = DefaultRateLimiter()
    rates: list[RequestRate | None] = []
    limiter.rules.append(lambda headers, method: rates.append(get_rates_from_response_headers(headers, method)))
    client.protocol.rate_limiter = limiter
    client.get_athlete()
    client.get_athlete()
    client.upload_activity(GPX, "gpx")

    first, second, upload = rates
    assert first is not None
    assert second is not None
    assert (second.short_usage, second.long_usage) == (first.short_usage + 1, first.long_usage + 1)
    assert upload is not None
    assert (upload.short_limit, upload.long_limit) > (second.short_limit, second.long_limit)
