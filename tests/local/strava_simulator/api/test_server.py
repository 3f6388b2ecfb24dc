"""The simulator as a server on the loopback interface: its worker, its state file, its command."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from local.strava_simulator.api.faults import Faults
from local.strava_simulator.control_client import ControlRefused, SimulatorControl
from local.strava_simulator.server import RunningSimulator, running_simulator
from local.strava_simulator.world.simulation import Rules

REPOSITORY = Path(__file__).resolve().parents[4]
START = datetime(2026, 5, 1, 8, tzinfo=UTC)
QUICK = Rules(processing_s=0.0, retry_gap_s=0.01)

pytestmark = pytest.mark.network


@dataclass
class Webhook:
    """An application's callback on this machine: verifies itself, then hands over what it receives."""

    url: str
    events: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    statuses: queue.Queue[int] = field(default_factory=queue.Queue)

    def next_event(self) -> dict[str, Any]:
        return self.events.get(timeout=10)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, {"hub.challenge": parse_qs(urlsplit(self.path).query)["hub.challenge"][0]})

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(200 if receiver.statuses.empty() else receiver.statuses.get(), {})
            receiver.events.put(event)

        def answer(self, status: int, body: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Webhook(f"http://127.0.0.1:{server.server_port}/webhook?secret=1")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def connect(running: RunningSimulator, athlete_id: int) -> dict[str, str]:
    application = running.application
    url = (
        f"{running.base_url}/oauth/authorize?client_id={application.client_id}&response_type=code"
        "&redirect_uri=http://localhost/x&scope=activity:read,activity:write&state=s"
    )
    where = running.control.authorize(url, athlete_id)
    form = {
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(where).query)["code"][0],
    }
    pair = requests.post(f"{running.base_url}/oauth/token", data=form, timeout=10).json()
    return {"Authorization": f"Bearer {pair['access_token']}"}


def subscribe(running: RunningSimulator, url: str) -> requests.Response:
    application = running.application
    form = {
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "callback_url": url,
        "verify_token": "v",
    }
    return requests.post(f"{running.base_url}/api/v3/push_subscriptions", data=form, timeout=10)


def test_worker_delivers_retries_and_processes_uploads_by_itself(webhook: Webhook) -> None:
    with running_simulator(rules=QUICK) as running:
        athlete_id = running.control.create_athlete(firstname="Ann")
        headers = connect(running, athlete_id)
        assert subscribe(running, webhook.url).status_code == 201
        webhook.statuses.put(500)
        made = running.control.generate_activity(athlete_id, "run", seed=1, start_at=START, points=30)
        first, second = webhook.next_event(), webhook.next_event()
        assert first == second
        assert first["object_id"] == made
        gpx = (
            '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="t"><trk><trkseg>'
            '<trkpt lat="1" lon="1"><time>2026-05-02T08:00:00Z</time></trkpt>'
            '<trkpt lat="1.0001" lon="1"><time>2026-05-02T08:00:09Z</time></trkpt></trkseg></trk></gpx>'
        )
        uploads = f"{running.base_url}/api/v3/uploads"
        requests.post(uploads, headers=headers, data={"data_type": "gpx"}, files={"file": gpx}, timeout=10)
        uploaded = webhook.next_event()["object_id"]
        assert running.control.activity_ids(athlete_id) == [uploaded, made]
        assert running.control.activity(uploaded)["upload"]["status"] == "Your activity is ready."


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:9/webhook", id="nobody listens"),
        pytest.param("http://127.0.0.1:99999/", id="no such port"),
        pytest.param("http://a..b/", id="no host name"),
        pytest.param("http://[::1", id="broken address"),
    ],
)
def test_subscription_is_refused_when_callback_cannot_be_reached(url: str) -> None:
    with running_simulator() as running:
        response = subscribe(running, url)
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == "not verifiable"


def test_everything_survives_a_restart(tmp_path: Path, webhook: Webhook) -> None:
    path = str(tmp_path / "simulator.sqlite")
    with running_simulator(state_path=path, rules=QUICK) as running:
        athlete_id = running.control.create_athlete(firstname="Ann")
        headers = connect(running, athlete_id)
        subscribe(running, webhook.url)
        kept = running.control.generate_activity(athlete_id, "ride", seed=2, start_at=START, points=10, announce=False)
        running.control.switch_faults(running.application.client_id, Faults(fresh_404s=1))
        requests.get(f"{running.base_url}/api/v3/athlete", headers=headers, timeout=10)
    with running_simulator(state_path=path, rules=QUICK) as running:
        response = requests.get(f"{running.base_url}/api/v3/activities/{kept}", headers=headers, timeout=10)
        assert response.json()["id"] == kept
        assert response.headers["X-RateLimit-Usage"].endswith(",2")
        assert running.control.faults(running.application.client_id) == Faults(fresh_404s=1)
        running.control.rename(kept, "After the restart")
        assert webhook.next_event()["updates"] == {"title": "After the restart"}


def test_control_client_does_what_athletes_do() -> None:
    with running_simulator() as running:
        control = running.control
        athlete_id = control.create_athlete(athlete_id=5, firstname="Ann")
        made = control.generate_activity(athlete_id, "run", start_at=START, seed=1, points=30, name="Run")
        control.change_sport(made, "TrailRun")
        control.change_visibility(made, "only_me")
        control.crop(made, first=5, last=5)
        detail = control.activity(made)["detail"]
        assert (detail["sport_type"], detail["visibility"]) == ("TrailRun", "only_me")
        assert len(control.activity(made)["streams"]["time"]["data"]) == 20
        connect(running, athlete_id)
        assert len(control.tokens()) == 2
        control.disconnect(athlete_id, running.application.client_id)
        control.delete_activity(made)
        assert control.activity_ids(athlete_id) == []
        assert (control.deliveries(), control.pending_events()) == ([], 0)
        assert control.health()["status"] == "ok"
        assert [athlete["id"] for athlete in control.athletes()] == [5]
        assert {"route": "POST /oauth/token", "status": 200, "count": 1} in control.calls()


def test_control_client_raises_what_the_simulator_says() -> None:
    with running_simulator() as running:
        with pytest.raises(ControlRefused, match="there is no activity 7"):
            running.control.rename(7, "New")
        with pytest.raises(ControlRefused, match="answered 400"):
            running.control.authorize(f"{running.base_url}/oauth/authorize?client_id=1", 7)


def test_slow_callers_do_not_hold_up_others() -> None:
    with running_simulator() as running:
        athlete_id = running.control.create_athlete()
        headers = connect(running, athlete_id)
        statuses: list[int] = []

        def call() -> None:
            response = requests.get(f"{running.base_url}/api/v3/athlete", headers=headers, timeout=10)
            statuses.append(response.status_code)

        threads = [threading.Thread(target=call) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 16
        response = requests.get(f"{running.base_url}/api/v3/athlete", headers=headers, timeout=10)
        assert response.headers["X-RateLimit-Usage"] == "17,17", "no call is lost from the count"


def test_command_serves_recordings_until_it_is_ended(tmp_path: Path) -> None:
    recording = tmp_path / "data" / "morning"
    recording.mkdir(parents=True)
    detail = {"id": 9, "name": "Recorded", "start_date": "2026-05-01T08:00:00Z", "sport_type": "Swim", "type": "Swim"}
    detail |= {"start_date_local": "2026-05-01T10:00:00Z", "distance": 1.0, "elapsed_time": 1, "moving_time": 1}
    (recording / "activity.json").write_text(json.dumps({**detail, "athlete": {"id": 1}}))
    (recording / "streams.json").write_text("null")
    command = [sys.executable, "-m", "local.strava_simulator", "--port", "0", "--limits", "upgraded"]
    command += ["--state", str(tmp_path / "state.sqlite"), "--data", str(tmp_path / "data")]
    for _ in range(2):
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            base_url = process.stdout.readline().split()[3]
            with SimulatorControl(base_url) as control:
                assert control.activity_ids(control.athletes()[0]["id"]) == [9]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
