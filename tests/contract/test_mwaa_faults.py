"""What the trigger does when MWAA throttles, fails, refuses, is slow, or its answer is lost; and how often it calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from include.errors import TriggerRefused, TriggerUnavailable
from include.trigger.mwaa import CALL_EVERY_S, MwaaApi
from include.trigger.trigger import LOOK_EVERY_S, AirflowTrigger, Started
from local.aws import mwaa_stub
from local.testbed.manual_clock import ManualClock

pytestmark = pytest.mark.network

RUN = ("POST", "/dags/strava_ingest/dagRuns")
LOOK = ("GET", "/dags/strava_ingest")
LOST = "the run is started and the connection closed"


@dataclass
class Mwaa:
    """An environment `ingest`; `faults` answer the next requests instead of it."""

    runs: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    faults: list[mwaa_stub.Answer | str | None] = field(default_factory=list)
    is_paused: bool = False

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> mwaa_stub.Answer | None:
        self.bodies.append(json.loads(body))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, tuple):
            return fault
        answered = mwaa_stub.invoke(self._airflow, "ingest", path, headers, body)
        return None if fault == LOST else answered

    def _airflow(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.calls.append((method, path))
        if method == "GET":
            return 200, {"is_paused": self.is_paused}
        if body["dag_run_id"] in self.runs:
            return 409, {"detail": {"reason": "Unique constraint violation"}}
        self.runs.add(body["dag_run_id"])
        return 200, {"dag_run_id": body["dag_run_id"]}


@pytest.fixture
def mwaa(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mwaa]:
    mwaa = Mwaa()
    with mwaa_stub.serving(mwaa.answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MWAA", url)
        monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        yield mwaa


@pytest.fixture
def trigger(mwaa: Mwaa, clock: ManualClock, pass_time: Callable[[float], None]) -> AirflowTrigger:
    """One that knows already that its DAG is not paused."""
    trigger = AirflowTrigger(MwaaApi("ingest", clock=clock, wait=pass_time), clock)
    trigger.start("strava_ingest", "0.create.1", {})
    for seen in (mwaa.runs, mwaa.calls, mwaa.bodies):
        seen.clear()
    return trigger


def test_request_has_the_shape_that_mwaa_wants(trigger: AirflowTrigger, mwaa: Mwaa) -> None:
    trigger.start("strava_ingest", "7.create.1", {"events": []})

    assert mwaa.bodies[0] == {
        "Path": "/dags/strava_ingest/dagRuns",
        "Method": "POST",
        "Body": {"dag_run_id": "7.create.1", "logical_date": None, "conf": {"events": []}},
    }


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((429, {"message": "Rate exceeded"}, "ThrottlingException"), id="throttled"),
        pytest.param((400, {"message": "Rate exceeded"}, "ThrottlingException"), id="throttled-400"),
        pytest.param((500, {"message": "x"}, "InternalServerException"), id="internal"),
        pytest.param((503, {}, ""), id="unavailable"),
        pytest.param((403, {"message": "may not"}, "AccessDeniedException"), id="role"),
        pytest.param((404, {"message": "no env"}, "ResourceNotFoundException"), id="environment-gone"),
        pytest.param((400, {"message": "updating"}, "ValidationException"), id="environment-updating"),
        pytest.param((400, {"RestApiStatusCode": 502, "RestApiResponse": {}}, "RestApiServerException"), id="airflow"),
        pytest.param((400, {"RestApiStatusCode": 403, "RestApiResponse": {}}, "RestApiClientException"), id="denied"),
        pytest.param((400, {"RestApiStatusCode": 404, "RestApiResponse": "x"}, "RestApiClientException"), id="no-dag"),
    ],
)
def test_events_wait_and_nothing_is_sent_again_when_mwaa_cannot_start_the_run_now(
    trigger: AirflowTrigger, mwaa: Mwaa, fault: mwaa_stub.Answer
) -> None:
    mwaa.faults = [fault]

    with pytest.raises(TriggerUnavailable):
        trigger.start("strava_ingest", "7.create.1", {})

    assert len(mwaa.bodies) == 1
    assert trigger.start("strava_ingest", "7.create.1", {}) is Started.NOW


def test_run_is_refused_with_airflows_words_when_the_conf_does_not_fit(trigger: AirflowTrigger, mwaa: Mwaa) -> None:
    said = {"detail": "Invalid input for param events: [] should be non-empty"}
    mwaa.faults = [(400, {"RestApiStatusCode": 400, "RestApiResponse": said}, "RestApiClientException")]

    with pytest.raises(TriggerRefused, match=r"400: Invalid input for param events: .* non-empty\. Correct"):
        trigger.start("strava_ingest", "7.create.1", {})


def test_run_exists_once_when_the_answer_to_its_start_is_lost(trigger: AirflowTrigger, mwaa: Mwaa) -> None:
    mwaa.faults = [LOST]

    with pytest.raises(TriggerUnavailable, match="whether it acted is not known"):
        trigger.start("strava_ingest", "7.create.1", {})

    assert trigger.start("strava_ingest", "7.create.1", {}) is Started.BEFORE
    assert mwaa.runs == {"7.create.1"}


def test_calls_are_paced_however_many_runs_are_started(trigger: AirflowTrigger, mwaa: Mwaa, clock: ManualClock) -> None:
    began = clock.now_epoch_s
    for number in range(20):
        trigger.start("strava_ingest", f"{number}.create.1", {})

    assert clock.now_epoch_s - began >= (len(mwaa.calls) - 1) * CALL_EVERY_S
    assert CALL_EVERY_S * 10 / 2 >= 1, "two dispatchers together stay within ten calls a second"


def test_one_start_is_one_call_but_for_a_look_at_the_dag_now_and_then(
    trigger: AirflowTrigger, mwaa: Mwaa, pass_time: Callable[[float], None]
) -> None:
    for number in range(3):
        trigger.start("strava_ingest", f"{number}.create.1", {})
    assert mwaa.calls == [RUN, RUN, RUN]

    pass_time(LOOK_EVERY_S)
    trigger.start("strava_ingest", "9.create.1", {})
    assert mwaa.calls[-2:] == [LOOK, RUN]


def test_dag_is_looked_at_again_when_the_look_failed(
    trigger: AirflowTrigger, mwaa: Mwaa, pass_time: Callable[[float], None]
) -> None:
    pass_time(LOOK_EVERY_S)
    mwaa.faults = [(400, {"RestApiStatusCode": 502, "RestApiResponse": {}}, "RestApiServerException")]

    for number in range(2):
        assert trigger.start("strava_ingest", f"{number}.create.1", {}) is Started.NOW
    assert mwaa.calls == [RUN, LOOK, RUN]
