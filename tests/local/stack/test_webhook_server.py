"""The web edge as a process: serves, logs without secrets, stops when asked."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from include.setting_values import EXAMPLES
from local.stack.webhook_server import BUSY_S, limit_pages

pytestmark = pytest.mark.network

ROOT = Path(__file__).parents[3]
SECRET = "0123456789abcdef0123456789abcdef"


@contextmanager
def started(tmp_path: Path, *command: str) -> Iterator[tuple[subprocess.Popen[str], HTTPConnection]]:
    """The server as a process of its own on a free port, and a connection to it."""
    environment = {
        **EXAMPLES,
        "WEBHOOK_PATH_SECRET": SECRET,
        "WEBHOOK_SIGNING_KEY": "",
        "STATE_URL": f"sqlite://{tmp_path}/state.sqlite",
        "QUEUE_URL": f"sqlite://{tmp_path}/state.sqlite",
        "KEY_URL": f"file://{tmp_path}/token.key",
    }
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "Listening on" in line)
        port = int(re.search(r"127\.0\.0\.1:(\d+)", line).group(1))  # type: ignore[union-attr]
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        yield process, connection
        connection.close()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("signum", [pytest.param(signal.SIGTERM, id="term"), pytest.param(signal.SIGINT, id="int")])
def test_server_answers_logs_the_route_and_stops_when_it_is_told_to(tmp_path: Path, signum: signal.Signals) -> None:
    with started(tmp_path, "-m", "local.stack.webhook_server", "--port", "0") as (process, connection):
        connection.request("POST", f"/webhook/{SECRET}?code=secret-code", body=b"{}")
        answer = connection.getresponse()
        assert (answer.status, "error" in json.load(answer)) == (400, True)
        assert answer.getheader("Server") is None

        # A chunked body does not say how long it is.
        connection.request("POST", f"/webhook/{SECRET}", body=(b"x" * 1024 for _ in range(9)), encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, "error" in json.load(answer)) == (413, True)

        process.send_signal(signum)
        _, log = process.communicate(timeout=10)

    assert process.returncode == 0
    assert "POST /webhook/<secret> 400" in log
    assert "POST /webhook/<secret> 413" in log
    assert SECRET not in log
    assert "secret-code" not in log


def test_request_under_way_is_answered_when_the_server_is_told_to_stop(tmp_path: Path) -> None:
    code = """
import os, signal, time
from flask import Flask
from local.stack.webhook_server import serve
import logging

logging.basicConfig(level=logging.INFO)
app = Flask("slow")

@app.get("/")
def slow() -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.3)
    return "done"

serve(app, 0)
"""
    with started(tmp_path, "-c", code) as (process, connection):
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"done")
        process.communicate(timeout=10)

    assert process.returncode == 0


def test_server_names_what_is_missing_when_settings_are_incomplete() -> None:
    command = [sys.executable, "-m", "local.stack.webhook_server", "--port", "0"]
    ended = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "WEBHOOK_PATH_SECRET" in ended.stderr


def test_webhook_answers_when_more_connections_are_half_open_than_a_server_takes_by_default(tmp_path: Path) -> None:
    with started(tmp_path, "-m", "local.stack.webhook_server", "--port", "0") as (_, connection), ExitStack() as open_:
        for _ in range(150):
            half = open_.enter_context(socket.create_connection((connection.host, connection.port)))
            half.sendall(f"POST /webhook/{SECRET} HTTP/1.1\r\nContent-Length: 100\r\nX-".encode())

        connection.request("POST", f"/webhook/{SECRET}", body=b"{}")
        answer = connection.getresponse()

        assert (answer.status, "error" in json.load(answer)) == (400, True)


def test_body_of_megabytes_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with (
        started(tmp_path, "-m", "local.stack.webhook_server", "--port", "0") as (_, connection),
        socket.create_connection((connection.host, connection.port), timeout=10) as sender,
    ):
        sender.sendall(f"POST /webhook/{SECRET} HTTP/1.1\r\nHost: a\r\nContent-Length: 300000000\r\n\r\n".encode())

        assert sender.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.fixture
def crowded() -> Flask:
    """An app with room for one page, whose page asks for another one while it is under way, or breaks."""
    app = Flask("crowded")
    health, webhook = Blueprint("health", __name__), Blueprint("webhook", __name__)
    health.add_url_rule("/health", view_func=lambda: "well")
    webhook.add_url_rule("/webhook", view_func=lambda: "queued")

    @app.get("/outer/<inner>")
    def outer(inner: str) -> str:
        answer = app.test_client().get(f"/{inner}")
        return f"{answer.status_code} {answer.headers.get('Retry-After')}"

    @app.get("/broken")
    def broken() -> str:
        raise ValueError

    app.add_url_rule("/page", view_func=lambda: "page")
    for blueprint in (health, webhook):
        app.register_blueprint(blueprint)
    limit_pages(app, 1)
    return app


@pytest.mark.parametrize(
    ("inner", "answer"),
    [
        pytest.param("page", f"503 {BUSY_S}", id="page"),
        pytest.param("webhook", "200 None", id="webhook"),
        pytest.param("health", "200 None", id="health"),
    ],
)
def test_only_a_page_is_asked_to_come_again_when_all_pages_are_under_way(
    crowded: Flask, inner: str, answer: str
) -> None:
    assert crowded.test_client().get(f"/outer/{inner}").text == answer


def test_room_is_free_again_when_a_page_has_been_answered_or_refused_or_is_broken(crowded: Flask) -> None:
    client = crowded.test_client()
    for path, status in (("/outer/page", 200), ("/broken", 500), ("/nowhere", 404), ("/page", 200), ("/page", 200)):
        assert client.get(path).status_code == status
