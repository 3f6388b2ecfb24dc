from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.stack import readiness
from local.stack.airflow.home import Login
from local.stack.processes import Processes, StackFailed
from local.stack.progress import Progress
from local.stack.readiness import AirflowReadiness, PageReadiness, wait_until_ready

SINCE = 1_800_000_000.0
BEFORE = datetime.fromtimestamp(SINCE - 60, UTC).isoformat()
AFTER = datetime.fromtimestamp(SINCE + 1, UTC).isoformat()


class StandIn:
    """Answers that a test may change; what is not there is 503, as from a server that is starting."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""


@pytest.fixture
def server() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            stand_in.asked.append((path, self.headers.get("Authorization")))
            answer = stand_in.answers.get(path)
            body = json.dumps(answer).encode()
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(503 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815 - names that the standard library looks for

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    stand_in.url = f"http://127.0.0.1:{http.server_port}"
    yield stand_in
    http.shutdown()
    thread.join()
    http.server_close()


def airflow(server: StandIn, *dags: str) -> AirflowReadiness:
    return AirflowReadiness(server.url, Login("admin", "secret"), dags, since_epoch_s=SINCE)


def warm(part: AirflowReadiness) -> AirflowReadiness:
    """The part after its announcement that the task API is being prepared."""
    assert part.lacks() == "preparing its task API"
    return part


def healthy(
    scheduler: str | None = AFTER, dag_processor: str | None = AFTER, triggerer: str | None = AFTER
) -> dict[str, Any]:
    return {
        "scheduler": {"latest_scheduler_heartbeat": scheduler},
        "dag_processor": {"latest_dag_processor_heartbeat": dag_processor},
        "triggerer": {"latest_triggerer_heartbeat": triggerer},
    }


def serve(
    server: StandIn, health: dict[str, Any], dags: dict[str, str], errors: tuple[dict[str, str], ...] = ()
) -> None:
    server.answers = {
        "/api/v2/monitor/health": health,
        "/execution/health": {"status": "healthy"},
        "/auth/token": {"access_token": "t"},
        "/api/v2/dags": {"dags": [{"dag_id": dag, "last_parsed_time": at} for dag, at in dags.items()]},
        "/api/v2/importErrors": {"import_errors": list(errors)},
    }


@pytest.mark.network
def test_airflow_is_ready_when_all_parts_are_fresh_and_all_dags_are_read(server: StandIn) -> None:
    serve(server, healthy(), {"one": AFTER, "two": AFTER})
    part = airflow(server, "one", "two")
    assert part.lacks() == "preparing its task API"
    assert part.lacks() == ""
    assert ("/api/v2/dags", "Bearer t") in server.asked
    part.lacks()
    assert [path for path, _ in server.asked].count("/execution/health") == 1


@pytest.mark.network
@pytest.mark.parametrize(
    ("health", "dags", "lacking"),
    [
        pytest.param(healthy(scheduler=None), {"one": AFTER}, "starting its scheduler", id="no scheduler"),
        pytest.param(healthy(scheduler=BEFORE), {"one": AFTER}, "starting its scheduler", id="scheduler of earlier"),
        pytest.param(healthy(dag_processor=BEFORE), {"one": AFTER}, "starting its dag processor", id="processor"),
        pytest.param(healthy(triggerer=None), {"one": AFTER}, "starting its triggerer", id="no triggerer"),
        pytest.param(healthy(), {}, "reading one", id="no DAG"),
        pytest.param(healthy(), {"one": BEFORE}, "reading one", id="DAG of an earlier run"),
        pytest.param(healthy(), {"other": AFTER}, "reading one", id="another DAG"),
    ],
)
def test_airflow_says_what_it_lacks(
    server: StandIn, health: dict[str, Any], dags: dict[str, str], lacking: str
) -> None:
    serve(server, health, dags)
    assert warm(airflow(server, "one")).lacks() == lacking


@pytest.mark.network
def test_airflow_is_starting_while_its_api_server_fails(server: StandIn) -> None:
    assert airflow(server, "one").lacks() == "starting its API server"


@pytest.mark.network
def test_airflow_is_refused_at_once_when_an_expected_dag_cannot_be_imported(server: StandIn) -> None:
    error = {"filename": "one.py", "timestamp": AFTER, "stack_trace": "ImportError: no module named nothing"}
    serve(server, healthy(), {}, (error,))
    with pytest.raises(StackFailed, match=r"cannot import one\.py(.|\n)*no module named nothing"):
        warm(airflow(server, "one")).lacks()


@pytest.mark.network
@pytest.mark.parametrize(
    "error",
    [
        pytest.param({"filename": "one.py", "timestamp": BEFORE, "stack_trace": "x"}, id="of an earlier run"),
        pytest.param({"filename": "other.py", "timestamp": AFTER, "stack_trace": "x"}, id="of a file not asked for"),
    ],
)
def test_airflow_goes_on_reading_when_an_import_error_does_not_concern_it(
    server: StandIn, error: dict[str, str]
) -> None:
    serve(server, healthy(), {}, (error,))
    assert warm(airflow(server, "one")).lacks() == "reading one"


@pytest.mark.network
def test_page_is_ready_when_it_answers(server: StandIn) -> None:
    page = PageReadiness(f"{server.url}/health")
    assert page.lacks() == "answering 503"
    server.answers["/health"] = {}
    assert page.lacks() == ""


@pytest.mark.network
def test_page_is_starting_while_nobody_listens() -> None:
    assert PageReadiness("http://127.0.0.1:9/").lacks() == "starting"


class Countdown:
    """Ready after so many questions."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def lacks(self) -> str:
        self.left -= 1
        return "counting" if self.left >= 0 else ""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "POLL_S", 0.0)


def test_wait_announces_each_part_once_it_is_ready(tmp_path: Path, quick: None) -> None:
    out = StringIO()
    processes = Processes(tmp_path, "run")
    wait_until_ready(processes, {"slow_part": Countdown(2), "quick": Countdown(0)}, Progress(Console(file=out)))
    first, second = out.getvalue().splitlines()
    assert first.startswith("✓ quick is ready after")
    assert second.startswith("✓ slow part is ready after")


def test_wait_names_the_log_when_a_part_is_not_ready_in_time(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "DEADLINE_S", -1.0)
    (tmp_path / "web.log").write_text("I am stuck\n")
    with pytest.raises(
        StackFailed, match=rf"web is still counting after 0 s; {tmp_path}/web\.log ends with:\n  I am stuck"
    ):
        wait_until_ready(Processes(tmp_path, "run"), {"web": Countdown(9)}, Progress(Console(file=StringIO())))


def test_wait_shows_on_a_terminal_what_is_lacking(tmp_path: Path, quick: None) -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    wait_until_ready(Processes(tmp_path, "run"), {"airflow": Countdown(1)}, Progress(console))
    assert "airflow is counting" in out.getvalue()
    assert "airflow is ready" in out.getvalue()
