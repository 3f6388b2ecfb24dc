"""The protocol by which the edge starts a DAG run."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol


class Started(Enum):
    """What became of a request to start a run; both mean that the run exists."""

    NOW = "now"
    BEFORE = "before"


class Trigger(Protocol):
    """Starts DAG runs idempotently. Every implementation passes `tests/contract/test_trigger.py` unchanged."""

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Start the run, or notice that one with this id exists already (HTTP 409).

        Errors: `TriggerUnavailable` (throttled, 5xx, timeout, not allowed in, DAG not known yet: try again later),
        `TriggerRefused` (any other 4xx: trying again changes nothing).
        """
        ...
