"""How `RestApi` logs in, and reads answers that a well-behaved Airflow does not give."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import create_autospec

import pytest
import requests

from include.errors import TriggerUnavailable
from include.trigger.api import ApiResponse
from include.trigger.rest import RestApi
from include.trigger.trigger import AirflowTrigger

PASSWORD = "correct horse battery staple"
TOKEN = "eyJhbGciOi.secret.token"


@dataclass
class Script:
    """Answers to give to logins and to runs, in order; the last one repeats."""

    logins: list[tuple[int, str]] = field(default_factory=lambda: [(201, json.dumps({"access_token": TOKEN}))])
    runs: list[tuple[int, str]] = field(default_factory=lambda: [(200, "{}")])
    seen: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    port: int = 0

    def next(self, path: str) -> tuple[int, str]:
        self.seen.append(path)
        answers = self.logins if path == "/auth/token" else self.runs
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def api(self) -> RestApi:
        return RestApi(f"http://127.0.0.1:{self.port}/", "webhook", PASSWORD)

    def start(self) -> ApiResponse:
        return start(self.api())


def start(api: RestApi) -> ApiResponse:
    return api.call("POST", "/dags/strava_ingest/dagRuns", {"dag_run_id": "7.create.1"})


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.tokens.append(self.headers.get("Authorization"))
            status, content = script.next(self.path)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield script
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.network
def test_token_is_asked_for_once_when_several_calls_are_made(script: Script) -> None:
    api = script.api()
    for _ in range(3):
        assert start(api) == ApiResponse(200, {})

    assert script.seen == ["/auth/token", *["/api/v2/dags/strava_ingest/dagRuns"] * 3]
    assert script.tokens == [None, *[f"Bearer {TOKEN}"] * 3]


@pytest.mark.network
def test_call_is_unavailable_naming_the_variables_when_a_fresh_token_is_not_accepted(script: Script) -> None:
    script.runs = [(401, '{"detail": "Not authenticated"}')]
    with pytest.raises(TriggerUnavailable, match="AIRFLOW_USERNAME and AIRFLOW_PASSWORD"):
        script.start()

    assert script.seen.count("/auth/token") == 1, "a fresh token is not renewed once more"


@pytest.mark.network
@pytest.mark.parametrize("status", [pytest.param(401, id="wrong-password"), pytest.param(403, id="not-allowed")])
def test_call_is_unavailable_naming_the_variables_when_the_login_is_refused(script: Script, status: int) -> None:
    script.logins = [(status, '{"detail": "Invalid credentials"}')]
    with pytest.raises(TriggerUnavailable, match=r"Invalid credentials.*AIRFLOW_USERNAME and AIRFLOW_PASSWORD"):
        script.start()


@pytest.mark.network
def test_call_is_unavailable_naming_the_variables_when_the_user_may_not_make_it(script: Script) -> None:
    script.runs = [(403, '{"detail": "Forbidden"}')]
    with pytest.raises(TriggerUnavailable, match="AIRFLOW_USERNAME"):
        script.start()


@pytest.mark.network
@pytest.mark.parametrize("status", [pytest.param(429, id="throttled"), pytest.param(503, id="starting")])
def test_call_is_unavailable_when_the_login_is_not_possible_now(script: Script, status: int) -> None:
    script.logins = [(status, "")]
    with pytest.raises(TriggerUnavailable, match=str(status)):
        script.start()


@pytest.mark.network
@pytest.mark.parametrize(
    "login",
    [
        pytest.param("<html>Welcome</html>", id="html"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no-token"),
        pytest.param('{"access_token": ""}', id="empty-token"),
        pytest.param('{"access_token": 7}', id="number"),
    ],
)
def test_call_is_unavailable_when_the_login_brings_no_token(script: Script, login: str) -> None:
    script.logins = [(200, login)]
    with pytest.raises(TriggerUnavailable, match="no token at login"):
        script.start()


@pytest.mark.network
@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        pytest.param(400, '{"detail": "DAG has import errors"}', "DAG has import errors", id="text"),
        pytest.param(
            422,
            '{"detail": [{"loc": ["body", "conf"], "msg": "Input should be an object", "input": "title of a run"}]}',
            "['body', 'conf']: Input should be an object",
            id="validation",
        ),
        pytest.param(400, "<html>", "no reason given", id="no-json"),
        pytest.param(400, "", "no reason given", id="empty"),
        pytest.param(302, "", "no reason given", id="redirect-is-not-followed"),
        pytest.param(503, "starting", "no reason given", id="failing"),
    ],
)
def test_answer_is_airflows_own_when_it_refuses(script: Script, status: int, content: str, message: str) -> None:
    script.runs = [(status, content)]

    answer = script.start()

    assert (answer.status, answer.message) == (status, message)
    assert "/elsewhere" not in script.seen


@pytest.mark.network
def test_success_in_another_form_than_airflows_starts_no_run(script: Script) -> None:
    script.runs = [(200, "<html>the page of a proxy</html>")]

    with pytest.raises(TriggerUnavailable, match="200"):
        AirflowTrigger(script.api()).start("strava_ingest", "7.create.1", {})


@pytest.mark.network
def test_no_message_holds_password_or_token_when_anything_is_refused(script: Script) -> None:
    script.runs = [(400, '{"detail": "no"}'), (401, '{"detail": "no"}'), (503, "no"), (404, "no")]
    trigger = AirflowTrigger(script.api())
    for number in range(4):
        with pytest.raises(TriggerUnavailable) as raised:
            trigger.start("strava_ingest", f"{number}.create.1", {})
        assert PASSWORD not in str(raised.value)
        assert TOKEN not in str(raised.value)
    assert PASSWORD not in repr(script.api())


@pytest.mark.network
def test_dag_id_stays_one_part_of_the_path_when_it_is_hostile(script: Script) -> None:
    script.runs = [(200, '{"dag_run_id": "7.create.1"}')]

    AirflowTrigger(script.api()).start("../../auth", "7.create.1", {})

    assert script.seen[1:] == ["/api/v2/dags/..%2F..%2Fauth", "/api/v2/dags/..%2F..%2Fauth/dagRuns"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(requests.ConnectTimeout(), id="connect-timeout"),
        pytest.param(requests.ReadTimeout(), id="read-timeout"),
        pytest.param(requests.ConnectionError("refused"), id="refused"),
        pytest.param(requests.exceptions.ChunkedEncodingError(), id="broken-off"),
    ],
)
def test_call_is_unavailable_when_the_connection_fails(
    fault: requests.RequestException, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = create_autospec(requests.Session.request, side_effect=fault)
    monkeypatch.setattr(requests.Session, "request", request)

    with pytest.raises(TriggerUnavailable, match=type(fault).__name__):
        start(RestApi("http://127.0.0.1:9", "webhook", PASSWORD))
    assert request.call_args.kwargs["timeout"] == (2, 11)


@pytest.mark.network
def test_call_is_unavailable_when_nobody_listens() -> None:
    with pytest.raises(TriggerUnavailable, match="cannot be reached"):
        start(RestApi("http://127.0.0.1:1", "webhook", PASSWORD))
