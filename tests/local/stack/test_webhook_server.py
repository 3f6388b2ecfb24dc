"""The web edge as a process: serves, logs without secrets, stops when asked."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from include.settings import EXAMPLES

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
