"""The smoke check of a deployment: its pages, its webhook, Airflow's DAGs, and one event from queue to run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from include.clock import Clock
from include.errors import RetryLater, SettingsError
from include.queue.backend import open_queue
from include.queue.content import StravaEvent, to_body
from include.queue.queue import Queue
from include.secret import read_settings
from include.settings import Settings
from include.state.events import EventAudit
from include.store.backend import open_store
from include.strava.events import MAX_ID, WebhookEvent
from include.trigger.api import AirflowApi
from include.trigger.backend import open_airflow
from ops.repository import REPOSITORY

DEADLINE_S = 600
"""The deadline: new DAG files are parsed after up to five minutes, and an updated environment takes some more."""

_PAUSE_S = 10
_TIMEOUT_S = 30.0


def check(built: Mapping[str, Any], retrying: Retrying) -> str:
    """Check the environment with these Terraform outputs; returns the results in words.

    A failed check is repeated as `retrying` says. Errors: those of the checks below.
    """
    settings = read_settings(built["settings"])
    api = open_airflow(settings)
    queue = open_queue(settings.queue_url, time.time, keep_days=int(settings.messages_keep_days))
    with closing(queue), closing(open_store(settings.state_url, time.time)) as store:
        health = retrying(check_health, settings.public_url)
        retrying(check_webhook, settings)
        dags = retrying(check_dags, api)
        sent = send_event(queue, time.time)
        retrying(check_event, EventAudit(store, time.time), sent)
    return (
        f"{settings.public_url} answers {health}, Airflow knows {dags} DAGs and handled a test event: "
        f"{built['airflow_url']}"
    )


def until_deadline() -> Retrying:
    """Repeats a check until it succeeds or the deadline has passed; then raises the last error."""
    return Retrying(
        retry=retry_if_exception_type(RetryLater),
        stop=stop_after_delay(DEADLINE_S),
        wait=wait_fixed(_PAUSE_S),
        reraise=True,
    )


def check_health(public_url: str) -> str:
    """The status that the web pages report. Errors: `RetryLater` when they do not answer with 200."""
    answer = _get(f"{public_url}/health", f"{public_url}/health")
    if answer.status_code != 200:
        raise RetryLater(f"{public_url}/health answers {answer.status_code}: {answer.text[:500]}")
    return "ok"


def check_webhook(settings: Settings) -> None:
    """Check that the webhook answers Strava's challenge with its secrets. Errors: `RetryLater`."""
    challenge = secrets.token_hex(8)
    answer = _get(
        settings.webhook_url,
        f"{settings.public_url}/webhook/…",
        {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": settings.webhook_verify_token},
    )
    if answer.status_code != 200 or challenge not in answer.text:
        raise RetryLater(
            f"{settings.public_url}/webhook/… answers {answer.status_code} to Strava's challenge: a function "
            "keeps an older secret for up to five minutes; deploy again then"
        )


def check_dags(api: AirflowApi) -> int:
    """The number of Airflow's DAGs.

    Errors: `RetryLater` while it lacks some, cannot import one or does not answer; `SettingsError` for a paused one.
    """
    broken = _airflow(api, "/importErrors")["import_errors"]
    if broken:
        raise RetryLater(
            f"Airflow cannot import {', '.join(one['filename'] for one in broken)}: see its page of errors"
        )
    found = {dag["dag_id"]: dag.get("is_paused", False) for dag in _airflow(api, "/dags")["dags"]}
    wanted = {path.stem for path in (REPOSITORY / "dags").glob("*.py")}
    if missing := sorted(wanted - found.keys()):
        raise RetryLater(f"Airflow does not know {', '.join(missing)} yet; new files take up to five minutes")
    if paused := sorted(name for name in wanted if found[name]):
        raise SettingsError(f"{', '.join(paused)} is paused, so its events wait: unpause it in Airflow.")
    return len(wanted)


def send_event(queue: Queue, clock: Clock) -> str:
    """Queue a test event that concerns no athlete and no activity; returns its id.

    Effects: a run of `strava_ingest` that plans no work, and a line of the audit, which expires.
    """
    now_epoch_s = clock()
    event = WebhookEvent("athlete", MAX_ID, "update", MAX_ID, 1, int(now_epoch_s))
    queue.send(to_body(StravaEvent(event, now_epoch_s)))
    return event.event_id


def check_event(audit: EventAudit, event_id: str) -> None:
    """Check that a run has handled the event. Errors: `RetryLater` while none has."""
    if audit.get(event_id) is None:
        raise RetryLater(
            "The test event is queued, and no run has handled it yet: check the dispatcher's log, whether "
            "strava_ingest runs, and at `make dead-letters`"
        )


def _get(url: str, name: str, params: dict[str, str] | None = None) -> requests.Response:
    try:
        return requests.get(url, params, timeout=_TIMEOUT_S)
    except requests.RequestException as err:  # its text contains the address, and so the webhook's secret
        raise RetryLater(f"{name} does not answer ({type(err).__name__}); check the function's log") from None


def _airflow(api: AirflowApi, path: str) -> Any:
    answer = api.call("GET", path)
    if answer.status != 200:
        raise RetryLater(f"Airflow answers {answer.status} to GET {path}: {answer.message}")
    return answer.document
