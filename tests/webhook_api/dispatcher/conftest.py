"""A queue, an Airflow that can be told to fail, and the clock of both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from include.errors import IngestError, TriggerRefused
from include.queue.sqlite import SqliteQueue
from include.store.sqlite import SqliteStore
from include.strava.events import WebhookEvent
from include.trigger.trigger import Started

POISON = 666


@dataclass
class Airflow:
    """A trigger that keeps the runs it started and fails as it is told."""

    runs: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fault: Callable[[str], IngestError | None] = lambda dag_id: None

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        self.calls.append(dag_id)
        if fault := self.fault(dag_id):
            raise fault
        if any(event["object_id"] == POISON for event in conf.get("events", [])):
            raise TriggerRefused("the form refuses 666")
        if (dag_id, run_id) in self.runs:
            return Started.BEFORE
        self.runs[dag_id, run_id] = json.loads(json.dumps(conf))
        return Started.NOW

    def ingested(self) -> list[int]:
        confs = [conf for (dag_id, _), conf in self.runs.items() if dag_id == "strava_ingest"]
        return [event["object_id"] for conf in confs for event in conf["events"]]


@dataclass
class Now:
    epoch_s: float = 1_760_000_000.0

    def __call__(self) -> float:
        return self.epoch_s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def queue(tmp_path: Path, now: Now) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(tmp_path / "queue.sqlite", now, keep_days=28)
    yield queue
    queue.close()


@pytest.fixture
def store(tmp_path: Path, now: Now) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state.sqlite", now)
    yield store
    store.close()


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


def event(object_id: int, **changes: Any) -> WebhookEvent:
    plain = WebhookEvent("activity", object_id, "create", 134815, 120475, 1_516_126_040, {})
    return replace(plain, **changes)


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
