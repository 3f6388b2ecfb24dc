"""The application as a whole: headers, health, start without weight."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from include.errors import RetryLater
from include.queue.sqlite import SqliteQueue
from include.settings import Settings
from include.store.sqlite import SqliteStore
from webhook_api.app import create_app
from webhook_api.edge import EXTENSION, Edge
from webhook_api.headers import content_security_policy

ROOT = Path(__file__).parents[2]


def fresh_interpreter(code: str, *arguments: str) -> str:
    command: Sequence[str] = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_import_brings_nothing_heavy_in_a_fresh_interpreter() -> None:
    heavy = "{'pyarrow', 'duckdb', 'boto3', 'airflow', 'requests', 'cryptography', 'pandas', 'gpxpy'}"
    code = f"import sys, webhook_api.app; print(sorted({heavy} & sys.modules.keys()))"

    assert fresh_interpreter(code).strip() == "[]"


def test_dispatcher_import_brings_neither_flask_nor_anything_heavy_in_a_fresh_interpreter() -> None:
    heavy = "{'pyarrow', 'duckdb', 'boto3', 'airflow', 'requests', 'flask'}"
    code = f"import sys, webhook_api.dispatcher; print(sorted({heavy} & sys.modules.keys()))"

    assert fresh_interpreter(code).strip() == "[]"


def test_event_is_queued_without_an_http_client_in_a_fresh_interpreter(tmp_path: Path) -> None:
    code = """
import sys
from dataclasses import replace
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.application.subscriptions import Subscriptions
from include.strava.models import Subscription
from webhook_api.app import create_app
folder = sys.argv[1]
settings = replace(
    Settings.from_environ(EXAMPLES), state_url=f"sqlite://{folder}/s", queue_url=f"sqlite://{folder}/s",
    key_url=f"file://{folder}/k", webhook_signing_key="",
)
app = create_app(settings)
event = {"aspect_type": "create", "event_time": 1, "object_id": 1, "object_type": "activity", "owner_id": 1,
         "subscription_id": 1, "updates": {}}
Subscriptions(app.extensions["edge"].store()).save(Subscription(1, ""))
answer = app.test_client().post(f"/webhook/{settings.webhook_path_secrets[0]}", json=event)
print(answer.status_code, sorted({"requests", "boto3", "pyarrow", "duckdb"} & sys.modules.keys()))
"""
    assert fresh_interpreter(code, str(tmp_path)).strip() == "200 []"


def test_leaves_are_opened_once_and_only_when_needed(settings: Settings, tmp_path: Path) -> None:
    edge: Edge = create_app(settings).extensions[EXTENSION]
    assert not list(tmp_path.iterdir())

    assert edge.store() is edge.store()
    assert edge.queue() is edge.queue()
    assert edge.cipher() is edge.cipher()
    assert edge.oauth() is edge.oauth()
    edge.store().close()
    edge.queue().close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="start"),
        pytest.param("/connect", id="redirect"),
        pytest.param("/callback", id="error-page"),
        pytest.param("/nothing", id="not-found"),
        pytest.param("/health", id="json"),
        pytest.param("/static/style.css", id="stylesheet"),
    ],
)
def test_every_answer_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"]
    assert ("no-store" in headers["Cache-Control"]) is (path != "/static/style.css")


def test_policy_lets_the_form_reach_strava_and_nothing_else() -> None:
    policy = content_security_policy("http://127.0.0.1:9000/oauth")

    assert "form-action 'self' http://127.0.0.1:9000;" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("path", [pytest.param("/", id="start"), pytest.param("/callback", id="problem")])
def test_page_is_readable_by_everyone(client: FlaskClient, path: str) -> None:
    page = client.get(path).text

    assert '<html lang="en">' in page
    assert 'name="viewport"' in page
    assert len(re.findall(r"<h1>", page)) == 1
    assert len(re.findall(r"<title>.+</title>", page)) == 1
    assert re.findall(r"<script| style=| on\w+=", page) == []
    assert page.count("<input") == page.count("<label>")


def test_stylesheet_knows_dark_and_light(client: FlaskClient) -> None:
    with client.get("/static/style.css") as answer:
        assert answer.content_type.startswith("text/css")
        assert "prefers-color-scheme: dark" in answer.text


@pytest.mark.usefixtures("connected")
def test_health_is_ok_and_tells_strangers_nothing_else(client: FlaskClient, queue: SqliteQueue) -> None:
    queue.send("{}")

    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ok"}


def test_health_is_failing_and_only_the_log_names_the_part_that_is_out_of_reach(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def locked() -> SqliteStore:
        raise RetryLater("/secret/path stayed locked")

    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], store=locked)

    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.get_json() == {"status": "failing"}
    assert "the store cannot be reached (RetryLater)" in caplog.text


def test_pins_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    group = re.search(r"^webhook = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert group is not None
    pins = [
        line for line in (ROOT / "webhook_api/requirements.txt").read_text().splitlines() if not line.startswith("#")
    ]

    assert pins == re.findall(r'"(.+?)"', group.group(1))
