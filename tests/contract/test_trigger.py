"""What every `Trigger` does, proved against a strict stand-in for Airflow's API on the loopback interface."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from include.errors import TriggerRefused, TriggerUnavailable
from include.trigger.mwaa import MwaaTrigger
from include.trigger.rest import RestTrigger
from include.trigger.trigger import Started, Trigger
from local import mwaa_stub

pytestmark = pytest.mark.network

USERNAME, PASSWORD = "webhook", "a password for tests"
RUN_PATH = re.compile(r"/api/v2/dags/([^/]+)/dagRuns")
GOOD_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]+")


@dataclass
class Airflow:
    """An Airflow with one DAG, `strava_ingest`, whose form accepts `events` and nothing else."""

    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    failing_with: int | None = None
    is_paused: bool = False
    tokens: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, authorization: str, body: dict[str, Any]) -> tuple[int, Any]:
        if self.failing_with:
            return self.failing_with, {"detail": "not now"}
        if path == "/auth/token":
            return self._log_in(body)
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"detail": "Not authenticated"}
        match = RUN_PATH.fullmatch(path)
        return self._start(match.group(1), body) if match else (404, {"detail": "Not Found"})

    def trusted(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """The answer to a caller whom MWAA has let in; the path has no prefix."""
        if self.failing_with:
            return self.failing_with, {"detail": "not now"}
        if method == "GET" and path == "/dags/strava_ingest":
            return 200, {"is_paused": self.is_paused}
        match = RUN_PATH.fullmatch(f"/api/v2{path}")
        return self._start(match.group(1), body) if match else (404, {"detail": "Not Found"})

    def _log_in(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body != {"username": USERNAME, "password": PASSWORD}:
            return 401, {"detail": "Invalid credentials"}
        token = f"token-{len(self.tokens)}"
        self.tokens.add(token)
        return 201, {"access_token": token}

    def _start(self, dag_id: str, body: dict[str, Any]) -> tuple[int, Any]:
        for name in ("dag_run_id", "logical_date", "conf"):
            if name not in body:
                return 422, {"detail": [{"type": "missing", "loc": ["body", name], "msg": "Field required"}]}
        if extra := body.keys() - {"dag_run_id", "logical_date", "conf"}:
            return 422, {"detail": [{"type": "extra_forbidden", "loc": ["body", *extra], "msg": "Not permitted"}]}
        if dag_id != "strava_ingest":
            return 404, {"detail": f"DAG with dag_id: '{dag_id}' not found"}
        if not GOOD_RUN_ID.fullmatch(body["dag_run_id"]):
            return 400, {"detail": "The run_id is not a valid run id"}
        if body["conf"].keys() - {"events"}:
            return 400, {"detail": "Additional properties are not allowed"}
        return self._create(dag_id, body)

    def _create(self, dag_id: str, body: dict[str, Any]) -> tuple[int, Any]:
        with self.lock:
            if (dag_id, body["dag_run_id"]) in self.runs:
                return 409, {"detail": {"reason": "Unique constraint violation"}}
            self.runs[dag_id, body["dag_run_id"]] = body["conf"]
        return 200, {"dag_run_id": body["dag_run_id"], "state": "queued"}


def serve(airflow: Airflow) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = airflow.answer(self.path, self.headers.get("Authorization", ""), body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture(params=[pytest.param("rest", id="rest"), pytest.param("mwaa", id="mwaa")])
def open_trigger(request: pytest.FixtureRequest) -> Callable[[], Trigger]:
    opening: Callable[[], Trigger] = request.getfixturevalue(f"open_{request.param}")
    return opening


@pytest.fixture
def open_rest(airflow: Airflow) -> Iterator[Callable[[], Trigger]]:
    server = serve(airflow)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield lambda: RestTrigger(f"http://127.0.0.1:{server.server_port}", USERNAME, PASSWORD)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mwaa_calls(airflow: Airflow, aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """An environment `ingest` of MWAA in front of the Airflow; the calls that it passed on."""
    calls: list[tuple[str, str]] = []

    def pass_on(method: str, path: str, body: Any) -> tuple[int, Any]:
        calls.append((method, path))
        return airflow.trusted(method, path, body)

    with mwaa_stub.serving(lambda *request: mwaa_stub.invoke(pass_on, "ingest", *request)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MWAA", url)
        monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        yield calls


@pytest.fixture
def open_mwaa(mwaa_calls: list[tuple[str, str]]) -> Callable[[], Trigger]:
    return lambda: MwaaTrigger("ingest", wait=lambda _: None)


@pytest.fixture
def trigger(open_trigger: Callable[[], Trigger]) -> Trigger:
    return open_trigger()


def test_start_creates_the_run_with_its_conf_when_it_is_new(trigger: Trigger, airflow: Airflow) -> None:
    conf = {"events": [{"object_id": 1360128428, "updates": {"title": "Zürich 🏃 “Rex”"}}]}

    assert trigger.start("strava_ingest", "1360128428.update.1516126040", conf) is Started.NOW
    assert airflow.runs == {("strava_ingest", "1360128428.update.1516126040"): conf}


def test_start_leaves_the_first_run_alone_when_its_id_is_used_again(trigger: Trigger, airflow: Airflow) -> None:
    trigger.start("strava_ingest", "7.create.1", {"events": [1]})

    assert trigger.start("strava_ingest", "7.create.1", {"events": [2]}) is Started.BEFORE
    assert airflow.runs == {("strava_ingest", "7.create.1"): {"events": [1]}}


def test_start_creates_two_runs_when_their_ids_differ(trigger: Trigger, airflow: Airflow) -> None:
    assert trigger.start("strava_ingest", "7.create.1", {"events": []}) is Started.NOW
    assert trigger.start("strava_ingest", "batch.0a1b", {"events": []}) is Started.NOW
    assert len(airflow.runs) == 2


def test_start_delivers_a_hundred_events_when_the_batch_is_full(trigger: Trigger, airflow: Airflow) -> None:
    conf = {"events": [{"object_id": 10**12 + number, "updates": {"title": "x" * 200}} for number in range(100)]}

    trigger.start("strava_ingest", "batch.full", conf)

    assert airflow.runs["strava_ingest", "batch.full"] == conf


def test_one_start_wins_when_eight_ask_for_the_same_run(open_trigger: Callable[[], Trigger], airflow: Airflow) -> None:
    triggers = [open_trigger() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda trigger: trigger.start("strava_ingest", "7.create.1", {}), triggers))

    assert sorted(outcome.name for outcome in outcomes) == ["BEFORE"] * 7 + ["NOW"]
    assert len(airflow.runs) == 1


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(429, id="throttled"),
        pytest.param(500, id="broken"),
        pytest.param(502, id="bad-gateway"),
        pytest.param(503, id="starting"),
        pytest.param(504, id="timeout"),
    ],
)
def test_start_is_unavailable_and_works_later_when_airflow_fails(
    trigger: Trigger, airflow: Airflow, status: int
) -> None:
    airflow.failing_with = status
    with pytest.raises(TriggerUnavailable, match=str(status)):
        trigger.start("strava_ingest", "7.create.1", {})
    assert airflow.runs == {}

    airflow.failing_with = None
    assert trigger.start("strava_ingest", "7.create.1", {}) is Started.NOW


def test_start_is_unavailable_when_airflow_does_not_know_the_dag_yet(trigger: Trigger) -> None:
    with pytest.raises(TriggerUnavailable, match="strava_erase"):
        trigger.start("strava_erase", "7.create.1", {})


def test_start_is_refused_with_airflows_words_when_the_conf_does_not_fit_the_form(trigger: Trigger) -> None:
    with pytest.raises(TriggerRefused, match="Additional properties are not allowed"):
        trigger.start("strava_ingest", "7.create.1", {"event": []})


@pytest.mark.parametrize(
    "run_id", [pytest.param("a/b", id="slash"), pytest.param("a b", id="space"), pytest.param("", id="empty")]
)
def test_start_is_refused_when_airflow_does_not_accept_the_run_id(
    trigger: Trigger, airflow: Airflow, run_id: str
) -> None:
    with pytest.raises(TriggerRefused, match="run_id"):
        trigger.start("strava_ingest", run_id, {})
    assert airflow.runs == {}


def test_start_logs_in_again_when_airflow_forgot_the_token(open_rest: Callable[[], Trigger], airflow: Airflow) -> None:
    trigger = open_rest()
    trigger.start("strava_ingest", "7.create.1", {})
    airflow.tokens = {"a token of somebody else"}

    assert trigger.start("strava_ingest", "8.create.1", {}) is Started.NOW
