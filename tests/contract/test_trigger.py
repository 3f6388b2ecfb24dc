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

from include.clock import Clock
from include.errors import TriggerRefused, TriggerUnavailable
from include.trigger.mwaa import MwaaApi
from include.trigger.rest import RestApi
from include.trigger.trigger import LOOK_EVERY_S, AirflowTrigger, Started, Trigger
from local.aws import mwaa_stub

pytestmark = pytest.mark.network

USERNAME, PASSWORD = "webhook", "a password for tests"
RUN_PATH = re.compile(r"/dags/([^/]+)/dagRuns")
GOOD_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]+")


@dataclass
class Airflow:
    """An Airflow with one DAG, `strava_ingest`, whose form accepts `events` and nothing else."""

    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    failing_with: int | None = None
    failing_words: str = "not now"
    is_paused: bool = False
    tokens: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, authorization: str, body: Any) -> tuple[int, Any]:
        if path == "/auth/token":
            return self._log_in(body)
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"detail": "Not authenticated"}
        return self.trusted(method, path.removeprefix("/api/v2"), body)

    def trusted(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """The answer to a caller whom MWAA has let in; the path has no prefix."""
        if method == "GET" and path == "/dags/strava_ingest":
            return 200, {"dag_id": "strava_ingest", "is_paused": self.is_paused}
        if self.failing_with:
            return self.failing_with, {"detail": self.failing_words}
        match = RUN_PATH.fullmatch(path)
        return self._start(match.group(1), body) if match and method == "POST" else (404, {"detail": "Not Found"})

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
            return 400, {"detail": f"The run_id provided '{body['dag_run_id']}' does not match regex pattern"}
        if "events" not in body["conf"]:
            return 400, {"detail": "Invalid input for param events: No value passed and Param has no default value"}
        return self._create(dag_id, body)

    def _create(self, dag_id: str, body: dict[str, Any]) -> tuple[int, Any]:
        with self.lock:
            if (dag_id, body["dag_run_id"]) in self.runs:
                return 409, {"detail": {"reason": "Unique constraint violation"}}
            self.runs[dag_id, body["dag_run_id"]] = body["conf"]
        return 200, {"dag_run_id": body["dag_run_id"], "state": "queued"}


def serve(airflow: Airflow) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
            status, answer = airflow.answer(method, self.path, self.headers.get("Authorization", ""), body)
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
def open_rest(airflow: Airflow, clock: Clock) -> Iterator[Callable[[], Trigger]]:
    server = serve(airflow)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield lambda: AirflowTrigger(RestApi(f"http://127.0.0.1:{server.server_port}", USERNAME, PASSWORD), clock)
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
def open_mwaa(mwaa_calls: list[tuple[str, str]], clock: Clock) -> Callable[[], Trigger]:
    return lambda: AirflowTrigger(MwaaApi("ingest", wait=lambda _: None), clock)


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
        outcomes = list(
            pool.map(lambda trigger: trigger.start("strava_ingest", "7.create.1", {"events": []}), triggers)
        )

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
        pytest.param(302, id="elsewhere"),
        pytest.param(405, id="another-version"),
        pytest.param(422, id="another-form"),
    ],
)
def test_start_is_unavailable_and_works_later_when_airflow_fails(
    trigger: Trigger, airflow: Airflow, status: int
) -> None:
    airflow.failing_with = status
    with pytest.raises(TriggerUnavailable, match=str(status)):
        trigger.start("strava_ingest", "7.create.1", {"events": []})
    assert airflow.runs == {}

    airflow.failing_with = None
    assert trigger.start("strava_ingest", "7.create.1", {"events": []}) is Started.NOW


def test_start_is_unavailable_when_airflow_does_not_know_the_dag_yet(trigger: Trigger) -> None:
    with pytest.raises(TriggerUnavailable, match="strava_erase"):
        trigger.start("strava_erase", "7.create.1", {"events": []})


def test_start_is_refused_with_airflows_words_when_the_conf_does_not_fit_the_form(trigger: Trigger) -> None:
    with pytest.raises(TriggerRefused, match="Invalid input for param events: No value passed"):
        trigger.start("strava_ingest", "7.create.1", {"event": []})


@pytest.mark.parametrize(
    "run_id", [pytest.param("a/b", id="slash"), pytest.param("a b", id="space"), pytest.param("", id="empty")]
)
def test_start_is_refused_when_airflow_does_not_accept_the_run_id(
    trigger: Trigger, airflow: Airflow, run_id: str
) -> None:
    with pytest.raises(TriggerRefused, match="run_id"):
        trigger.start("strava_ingest", run_id, {"events": []})
    assert airflow.runs == {}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("Dag with dag_id: 'strava_ingest' has import errors and cannot be triggered", id="import-errors"),
        pytest.param("Dag with dag_id: 'strava_ingest' does not allow manual runs", id="no-manual-runs"),
        pytest.param("something that no version has said yet", id="unheard-of"),
        pytest.param("", id="nothing"),
    ],
)
def test_start_is_unavailable_and_works_later_when_airflow_refuses_the_dag_and_not_this_run(
    trigger: Trigger, airflow: Airflow, words: str
) -> None:
    airflow.failing_with, airflow.failing_words = 400, words
    with pytest.raises(TriggerUnavailable, match=words or "no reason given"):
        trigger.start("strava_ingest", "7.create.1", {"events": []})

    airflow.failing_with = None
    assert trigger.start("strava_ingest", "7.create.1", {"events": []}) is Started.NOW


def test_start_is_refused_when_the_run_is_too_large(trigger: Trigger, airflow: Airflow) -> None:
    airflow.failing_with = 413

    with pytest.raises(TriggerRefused, match="413"):
        trigger.start("strava_ingest", "batch.full", {"events": []})


def test_no_run_is_started_while_its_dag_is_paused(
    trigger: Trigger, airflow: Airflow, pass_time: Callable[[float], None]
) -> None:
    airflow.is_paused = True
    with pytest.raises(TriggerUnavailable, match=r"strava_ingest is paused.*Unpause it"):
        trigger.start("strava_ingest", "7.create.1", {"events": []})
    assert airflow.runs == {}

    airflow.is_paused = False
    assert trigger.start("strava_ingest", "7.create.1", {"events": []}) is Started.NOW

    airflow.is_paused = True
    pass_time(LOOK_EVERY_S)
    with pytest.raises(TriggerUnavailable, match="paused"):
        trigger.start("strava_ingest", "8.create.1", {"events": []})


def test_start_logs_in_again_when_airflow_forgot_the_token(open_rest: Callable[[], Trigger], airflow: Airflow) -> None:
    trigger = open_rest()
    trigger.start("strava_ingest", "7.create.1", {"events": []})
    airflow.tokens = {"a token of somebody else"}

    assert trigger.start("strava_ingest", "8.create.1", {"events": []}) is Started.NOW
