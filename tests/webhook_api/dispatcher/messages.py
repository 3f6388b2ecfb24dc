"""Events in the queue, and what the dispatcher makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from include.errors import IngestError, TriggerUnavailable
from include.queue.content import StravaEvent, to_body
from include.queue.sqlite import SqliteQueue
from include.strava.events import WebhookEvent
from local.testbed.manual_clock import ManualClock


def event(object_id: int, **changes: Any) -> WebhookEvent:
    plain = WebhookEvent("activity", object_id, "create", 134815, 120475, 1_516_126_040, {})
    return replace(plain, **changes)


def deauthorisation(athlete: int) -> WebhookEvent:
    return event(
        athlete, object_type="athlete", aspect_type="update", owner_id=athlete, updates={"authorized": "false"}
    )


def send(queue: SqliteQueue, clock: ManualClock, *events: WebhookEvent) -> None:
    for each in events:
        queue.send(to_body(StravaEvent(each, clock())))


def unavailable(dag_id: str) -> IngestError:
    return TriggerUnavailable("Airflow is starting")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


events = st.builds(
    WebhookEvent,
    object_type=st.sampled_from(["activity", "athlete"]),
    object_id=st.integers(1, 2**63 - 1),
    aspect_type=st.sampled_from(["create", "update", "delete"]),
    owner_id=st.integers(1, 2**63 - 1),
    subscription_id=st.integers(1, 2**63 - 1),
    event_time_epoch_s=st.integers(1, 2_000_000_000),
    updates=st.dictionaries(texts, texts, max_size=3),
)
