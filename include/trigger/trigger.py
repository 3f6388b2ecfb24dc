"""Starts DAG runs, each once."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol
from urllib.parse import quote

from include.clock import Clock
from include.errors import TriggerRefused, TriggerUnavailable
from include.trigger.api import AirflowApi, ApiResponse

LOOK_EVERY_S = 60.0
"""How long a DAG counts as unpaused before Airflow is checked again."""

_ABOUT_THIS_RUN = re.compile(r"Invalid input for param |\brun_id\b|\bDAG run cannot use ID ")
"""The messages with which Airflow 3 refuses a run because of its conf or id. Every other message concerns the DAG,
Airflow or the caller, and is temporary: if a later Airflow words its messages differently, events wait instead of being
buried."""


class Started(Enum):
    """The result of a request to start a run; in both cases the run exists."""

    NOW = "now"
    BEFORE = "before"


class Trigger(Protocol):
    """Starts DAG runs idempotently."""

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Start the run, or find that a run with this id already exists (HTTP 409).

        Errors: `TriggerUnavailable` (throttled, failing, caller refused, DAG unknown, broken or paused: try again
        later), `TriggerRefused` (Airflow refuses this run's id or conf: trying again changes nothing).
        """
        ...


class AirflowTrigger:
    """Starts runs through any `AirflowApi`; passes `tests/contract/test_trigger.py` on each.

    A lost response may belong to a run that was started: the next attempt with the same run id then gets a 409, so
    repeating is always safe.
    """

    def __init__(self, api: AirflowApi, clock: Clock = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._next_look_s: dict[str, float] = {}

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Start the run, or find that a run with this id already exists.

        Errors: `TriggerUnavailable` for every fault that is not this run's own: an Airflow that throttles, fails, is
        slow or being updated, a DAG that is unknown, broken or paused, and a caller who may not start runs.
        `TriggerRefused`, with Airflow's message, for this id or conf.
        Effects: one DAG run; safe to repeat.
        """
        self._look_for_pause(dag_id)
        run = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        answer = self._api.call("POST", f"{_path(dag_id)}/dagRuns", run)
        if answer.status == 409:
            return Started.BEFORE
        if answer.status == 200 and answer.document.get("dag_run_id") == run_id:
            return Started.NOW
        if _is_about_this_run(answer):
            raise TriggerRefused(
                f"Airflow refused run {run_id} of {dag_id} with {answer.status}: {answer.message}. "
                "Correct the DAG or the event, and revive the event with `make dead-letters`."
            )
        raise TriggerUnavailable(
            f"Airflow did not start a run of {dag_id} ({answer.status}: {answer.message}). The events wait; "
            "if this lasts for more than a few minutes, check the DAG's import errors in Airflow, and its logs."
        )

    def _look_for_pause(self, dag_id: str) -> None:
        """Check once a minute whether the DAG is paused: Airflow accepts a paused DAG's runs, but does not run them.

        Errors: `TriggerUnavailable` for a paused DAG. Other responses are ignored: the start gets them too.
        """
        if self._clock() < self._next_look_s.get(dag_id, float("-inf")):
            return
        answer = self._api.call("GET", _path(dag_id))
        if answer.document.get("is_paused") is True:
            raise TriggerUnavailable(f"The DAG {dag_id} is paused: the events wait. Unpause it in Airflow.")
        if answer.status == 200:
            self._next_look_s[dag_id] = self._clock() + LOOK_EVERY_S


def _is_about_this_run(answer: ApiResponse) -> bool:
    return answer.status == 413 or (answer.status == 400 and bool(_ABOUT_THIS_RUN.search(answer.message)))


def _path(dag_id: str) -> str:
    return f"/dags/{quote(dag_id, safe='')}"
