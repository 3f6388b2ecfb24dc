"""The smoke check of a deployment: what it waits for, and what it says when that does not come."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest
import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from include.errors import RetryLater, SettingsError, TriggerUnavailable
from include.queue.content import is_about_activities
from include.queue.content import parse as parse_content
from include.queue.sqlite import SqliteQueue
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.events import EventAudit
from include.store.sqlite import SqliteStore
from include.trigger.api import ApiResponse
from ops import smoke
from ops.smoke import check_dags, check_event, check_health, check_webhook, send_event, until_deadline

NOW = 1_767_225_600.0
SECRET = "b" * 32


def clock():
    return NOW


class Airflow:
    """Airflow's two lists, both to be changed, and how often it does not answer first."""

    def __init__(self):
        self.dags = {path.stem: False for path in (smoke.REPOSITORY / "dags").glob("*.py")}
        self.broken = []
        self.refusals = []

    def call(self, method, path, body=None):
        assert (method, body) == ("GET", None)
        if self.refusals:
            raise self.refusals.pop()
        if path == "/dags":
            return ApiResponse(200, {"dags": [{"dag_id": name, "is_paused": it} for name, it in self.dags.items()]})
        assert path == "/importErrors"
        return ApiResponse(200, {"import_errors": [{"filename": name} for name in self.broken]})


@pytest.fixture
def airflow():
    return Airflow()


@pytest.fixture
def settings():
    values = {**EXAMPLES, "WEBHOOK_PATH_SECRET": SECRET, "PUBLIC_URL": "https://x"}
    return Settings.from_environ(values)


def answering(monkeypatch, status, text):
    answer = requests.Response()
    answer.status_code, answer._content = status, text.encode()
    monkeypatch.setattr(requests, "get", create_autospec(requests.get, return_value=answer))


def test_unwell_pages_are_told_with_their_answer(monkeypatch):
    answering(monkeypatch, 503, '{"store": "SettingsError"}')

    with pytest.raises(RetryLater, match=r"503.*SettingsError"):
        check_health("https://x")


def test_webhook_passes_when_it_echoes_the_challenge(monkeypatch, settings):
    monkeypatch.setattr(smoke.secrets, "token_hex", lambda _count: "c4a11e")
    answering(monkeypatch, 200, '{"hub.challenge": "c4a11e"}')

    check_webhook(settings)

    (url, given), _ = requests.get.call_args
    assert url == f"https://x/webhook/{SECRET}"
    assert given["hub.verify_token"] == settings.webhook_verify_token


@pytest.mark.parametrize(("status", "text"), [(403, ""), (404, ""), (200, "welcome")])
def test_webhook_with_an_older_secret_is_told_without_the_secret(status, text, monkeypatch, settings):
    answering(monkeypatch, status, text)

    with pytest.raises(RetryLater, match="keeps an older secret") as caught:
        check_webhook(settings)

    assert SECRET not in str(caught.value)


def test_silence_is_told_without_the_secret(monkeypatch, settings):
    refused = requests.ConnectionError(f"https://x/webhook/{SECRET}")
    monkeypatch.setattr(requests, "get", create_autospec(requests.get, side_effect=refused))

    with pytest.raises(RetryLater, match="does not answer") as caught:
        check_webhook(settings)

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_dags_are_counted_when_all_are_there(airflow):
    assert check_dags(airflow) == len(airflow.dags)


def test_missing_dag_is_named(airflow):
    del airflow.dags["strava_ingest"]

    with pytest.raises(RetryLater, match="does not know strava_ingest yet"):
        check_dags(airflow)


def test_dag_that_cannot_be_imported_is_named(airflow):
    airflow.broken.append("strava_ingest.py")

    with pytest.raises(RetryLater, match=r"cannot import strava_ingest\.py"):
        check_dags(airflow)


def test_paused_dag_is_named_and_not_waited_for(airflow):
    airflow.dags["strava_reconcile"] = True

    with pytest.raises(SettingsError, match="strava_reconcile is paused"):
        check_dags(airflow)


def test_answer_of_airflow_that_is_no_list_is_told_in_its_words(airflow, monkeypatch):
    monkeypatch.setattr(airflow, "call", lambda _method, _path: ApiResponse(404, {"detail": "Not Found"}))

    with pytest.raises(RetryLater, match="Airflow answers 404 to GET /importErrors: Not Found"):
        check_dags(airflow)


def test_dags_are_waited_for_while_the_environment_is_updated(airflow):
    airflow.refusals = [TriggerUnavailable("MWAA did not pass the call on"), RetryLater("not yet")]
    soon = Retrying(retry=retry_if_exception_type(RetryLater), stop=stop_after_attempt(3), reraise=True)

    assert soon(check_dags, airflow) == len(airflow.dags)


def test_waiting_ends_at_the_deadline_with_what_was_said_last(airflow, monkeypatch):
    del airflow.dags["strava_ingest"]
    passed = []
    waiting = until_deadline().copy(sleep=passed.append, stop=lambda state: sum(passed) >= smoke.DEADLINE_S)

    with pytest.raises(RetryLater, match="strava_ingest yet"):
        waiting(check_dags, airflow)

    assert smoke.DEADLINE_S >= 300  # what Airflow takes to see a new file
    assert sum(passed) == smoke.DEADLINE_S


def test_test_event_is_seen_when_a_run_noted_it(tmp_path):
    queue = SqliteQueue(tmp_path / "state.sqlite", clock, keep_days=14)
    store = SqliteStore(tmp_path / "state.sqlite", clock)
    audit = EventAudit(store, clock)

    sent = send_event(queue, clock)
    (message,) = queue.receive(10, visibility_s=60)
    event = parse_content(message.body)
    with pytest.raises(RetryLater, match="no run has handled it yet"):
        check_event(audit, sent)
    audit.record(event.event.event_id, athlete_id=1, object_id=1, outcome="no activity event")

    check_event(audit, sent)
    assert is_about_activities(event)
    assert event.event.object_type == "athlete"
    store.close()
