"""Calls reach Airflow as its own user; where Airflow does not answer, MWAA says so as it would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from waitress.server import create_server
from werkzeug.wrappers import Request, Response

from local.aws.mwaa import LocalAirflow

pytestmark = pytest.mark.network


@pytest.fixture
def seen() -> list[str]:
    """The requests that Airflow saw."""
    return []


@pytest.fixture
def address(seen: list[str]) -> Iterator[str]:
    """An Airflow that lets nobody in without its token."""

    @Request.application
    def airflow(request: Request) -> Response:
        seen.append(f"{request.method} {request.path}")
        if request.path == "/auth/token":
            return Response('{"access_token": "t0ken"}', status=201)
        if request.headers["Authorization"] != "Bearer t0ken":
            return Response('{"detail": "Unauthorized"}', status=401)
        return Response(request.get_data() or b'{"is_paused": false}', status=200)

    listener = socket.create_server(("127.0.0.1", 0))
    server = create_server(airflow, sockets=[listener], threads=1)
    thread = threading.Thread(target=server.run, name="airflow", daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.close()


def test_call_logs_in_once_and_reaches_the_rest_api_with_its_body(address: str, seen: list[str]) -> None:
    airflow = LocalAirflow(address, "webhook", "pass")

    assert airflow("POST", "/dags/a/dagRuns", {"logical_date": None}) == (200, {"logical_date": None})
    assert airflow("GET", "/dags/a", None) == (200, {"is_paused": False})

    assert seen == [
        "POST /api/v2/dags/a/dagRuns",
        "POST /auth/token",
        "POST /api/v2/dags/a/dagRuns",
        "GET /api/v2/dags/a",
    ]
    assert "pass" not in repr(airflow)
    assert "t0ken" not in repr(airflow)


def test_airflow_that_cannot_be_reached_is_a_server_error() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        airflow = LocalAirflow(f"http://127.0.0.1:{closed.getsockname()[1]}", "webhook", "pass")
        status, document = airflow("GET", "/dags/a", None)

    assert status == 502
    assert "cannot be reached" in document["detail"]
