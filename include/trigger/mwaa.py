"""Starting runs on Amazon MWAA, through the one call that AWS offers for Airflow's REST API."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from include.aws import aws_faults, open_client
from include.clock import Clock
from include.errors import RetryLater, SettingsError, TriggerRefused, TriggerUnavailable
from include.trigger.detail import detail
from include.trigger.trigger import Started

log = logging.getLogger(__name__)

CALL_EVERY_S = 0.25
"""MWAA takes ten calls a second from all callers together: two dispatchers at this pace make eight."""

PAUSED_LOOK_EVERY_S = 300.0

_SETTING = "AIRFLOW_URL"
_READ_TIMEOUT_S = 11
"""A second more than MWAA's own ten, so that its answer is seen rather than guessed."""


class MwaaTrigger:
    """An MWAA environment's Airflow 3, reached by `InvokeRestApi` with the role of this process.

    Calls of one process are paced, whatever threads make them. None is sent again by itself: the queue does that.
    An answer that never arrived may stand for a run that was started: the next attempt with
    the same run id then answers 409, so repeating is always safe.

    The role needs `airflow:InvokeRestApi` on the environment's Airflow role `User`.
    Source: docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html
    """

    def __init__(
        self, environment: str, *, clock: Clock = time.monotonic, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = open_client("mwaa", _SETTING, read_timeout_s=_READ_TIMEOUT_S, attempts=1)
        self._environment = environment
        self._clock = clock
        self._wait = wait
        self._turn = threading.Lock()
        self._next_call_s = 0.0
        self._next_look_s: dict[str, float] = {}

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Started:
        """Start the run, or notice that one with this id exists already.

        Errors: `TriggerUnavailable` when MWAA or its Airflow is throttled, failing, slow or being updated, for a DAG
        that it does not know, and for a role that may not start runs: the operator repairs that, and the events wait.
        `TriggerRefused` for every other refusal of Airflow, with its own words.
        Effects: one DAG run, safe to repeat; waits for its turn at most `CALL_EVERY_S` for each call under way.
        A warning is logged, at most every five minutes, for a DAG that is paused: its runs wait until that ends.
        """
        run = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        status, answer = self._call("POST", f"/dags/{dag_id}/dagRuns", Body=run)
        if status == 200:
            self._look_for_pause(dag_id)
            return Started.NOW
        if status == 409:
            return Started.BEFORE
        if status == 404:
            raise TriggerUnavailable(
                f"Airflow on MWAA does not know the DAG {dag_id} (yet): {detail(answer)}. "
                "If this lasts longer than ten minutes, look for its import errors in Airflow."
            )
        if status in {401, 403}:
            raise TriggerUnavailable(
                f"Airflow on MWAA did not let us start {dag_id} ({status}: {detail(answer)}). "
                "Check that this role may call airflow:InvokeRestApi as the Airflow role User."
            )
        if status == 429 or status >= 500:
            raise TriggerUnavailable(f"Airflow on MWAA answered {status} ({detail(answer)}): try again later.")
        raise TriggerRefused(
            f"Airflow on MWAA refused run {run_id} of {dag_id} with {status}: {detail(answer)}. "
            "Correct the DAG or the event and start the run by hand."
        )

    def _look_for_pause(self, dag_id: str) -> None:
        """Airflow answers 200 for a paused DAG too, and its run waits unseen; one look every few minutes tells."""
        if self._clock() < self._next_look_s.get(dag_id, 0.0):
            return
        self._next_look_s[dag_id] = self._clock() + PAUSED_LOOK_EVERY_S
        try:
            status, answer = self._call("GET", f"/dags/{dag_id}")
        except TriggerUnavailable as err:
            log.info("Whether %s is paused could not be seen: %s", dag_id, err)
            return
        if status == 200 and answer.get("is_paused"):
            log.warning(
                "The DAG %s is paused: runs are accepted and wait. Unpause it in Airflow, nothing is lost.",
                dag_id,
                extra={"metrics": {"PausedDags": 1}},
            )

    def _call(self, method: str, path: str, **given: Any) -> tuple[int, Mapping[str, Any]]:
        """Airflow's status and answer. Errors: `TriggerUnavailable` when MWAA did not bring the call to Airflow."""
        self._take_turn()
        try:
            with aws_faults(_SETTING):
                answer = self._client.invoke_rest_api(Name=self._environment, Path=path, Method=method, **given)
        except self._client.exceptions.ClientError as err:
            if "RestApiStatusCode" in err.response:
                return int(err.response["RestApiStatusCode"]), _fields(err.response.get("RestApiResponse"))
            code, message = (err.response["Error"].get(name, "") for name in ("Code", "Message"))
            raise TriggerUnavailable(
                f"MWAA did not pass the call on ({code}: {message}): "
                "try again later, and look at the environment's state if it lasts."
            ) from err
        except (RetryLater, SettingsError) as err:
            raise TriggerUnavailable(str(err)) from err
        return int(answer["RestApiStatusCode"]), _fields(answer.get("RestApiResponse"))

    def _take_turn(self) -> None:
        with self._turn:
            delay_s = self._next_call_s - self._clock()
            if delay_s > 0:
                self._wait(delay_s)
            self._next_call_s = self._clock() + CALL_EVERY_S


def _fields(answer: Any) -> Mapping[str, Any]:
    return answer if isinstance(answer, dict) else {}
