"""Calls Airflow on Amazon MWAA, by AWS's `InvokeRestApi`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from include.aws import WORK, Patience, aws_faults, open_client
from include.clock import Clock
from include.errors import RetryLater, SettingsError, TriggerUnavailable
from include.trigger.api import ApiResponse, Method

CALL_EVERY_S = 0.25
"""MWAA allows ten calls a second for all callers together: two dispatchers at this pace make eight."""

_SETTING = "AIRFLOW_URL"
_PATIENCE = Patience(WORK.connect_s, read_s=11, attempts=1)
"""A second more than MWAA's own ten, so that its own timeout answer is received."""


class MwaaApi:
    """The Airflow 3 of an MWAA environment, called with the role of this process.

    All calls of a process share one pace. No call is repeated automatically.
    A path has at most 64 characters. The role needs `airflow:InvokeRestApi` on the environment's Airflow role `User`.
    Source: docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html
    """

    def __init__(
        self, environment: str, *, clock: Clock = time.monotonic, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = open_client("mwaa", _SETTING, _PATIENCE)
        self._environment = environment
        self._clock = clock
        self._wait = wait
        self._turn = threading.Lock()
        self._next_call_s = 0.0

    def call(self, method: Method, path: str, body: Mapping[str, Any] | None = None) -> ApiResponse:
        """Airflow's response; the call waits until `CALL_EVERY_S` after the one before it.

        Errors: `TriggerUnavailable` when MWAA did not pass the call to Airflow, as while the environment is being
        updated, or when this role may not make the call.
        """
        self._take_turn()
        answer = self._invoke(method, path, {} if body is None else {"Body": body})
        if answer.status in {401, 403}:
            raise TriggerUnavailable(
                f"Airflow on MWAA refused {method} {path} ({answer.status}: {answer.message}). "
                "Check that this role may call airflow:InvokeRestApi as the Airflow role User."
            )
        return answer

    def _invoke(self, method: Method, path: str, given: Mapping[str, Any]) -> ApiResponse:
        try:
            with aws_faults(_SETTING):
                answer = self._client.invoke_rest_api(Name=self._environment, Path=path, Method=method, **given)
        except self._client.exceptions.ClientError as err:
            by_airflow: Mapping[str, Any] = {**err.response}  # has more fields than the stubs declare
            if "RestApiStatusCode" in by_airflow:
                return ApiResponse(int(by_airflow["RestApiStatusCode"]), _fields(by_airflow.get("RestApiResponse")))
            code, message = (err.response["Error"].get(name, "") for name in ("Code", "Message"))
            raise TriggerUnavailable(
                f"MWAA did not pass the call on ({code}: {message}): "
                "try again later, and check the environment's state if this lasts."
            ) from err
        except (RetryLater, SettingsError) as err:
            raise TriggerUnavailable(str(err)) from err
        return ApiResponse(int(answer["RestApiStatusCode"]), _fields(answer.get("RestApiResponse")))

    def _take_turn(self) -> None:
        with self._turn:
            delay_s = self._next_call_s - self._clock()
            if delay_s > 0:
                self._wait(delay_s)
            self._next_call_s = self._clock() + CALL_EVERY_S


def _fields(answer: Any) -> Mapping[str, Any]:
    return answer if isinstance(answer, dict) else {}
