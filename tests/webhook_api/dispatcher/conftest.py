"""An Airflow whose faults a test decides."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from include.errors import IngestError, TriggerRefused
from include.trigger.trigger import Started

POISON = 666


@dataclass
class Airflow:
    """A trigger that records its runs, and raises what `fault` returns for a DAG."""

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


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()
