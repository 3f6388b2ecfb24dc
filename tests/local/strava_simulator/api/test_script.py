from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.strava_simulator.api.script import Line
from local.strava_simulator.control_client import ControlRefused
from local.strava_simulator.in_process import InProcessTransport
from local.strava_simulator.server import RunningSimulator, running_simulator


def write(world: Any, *lines: dict[str, Any]) -> None:
    response = world.client.put("/simulator/script", json=list(lines))
    assert response.status_code == 204, response.text


@pytest.mark.parametrize(
    ("line", "answered"),
    [
        pytest.param({}, [418, 418, 418, 418, 418], id="every call"),
        pytest.param({"first": 2}, [200, 418, 418, 418, 418], id="from the second"),
        pytest.param({"first": 2, "last": 3}, [200, 418, 418, 200, 200], id="second and third"),
        pytest.param({"last": 1}, [418, 200, 200, 200, 200], id="the first alone"),
        pytest.param({"first": 2, "every": 2}, [200, 418, 200, 418, 200], id="every other"),
    ],
)
def test_line_answers_the_calls_that_it_names(world: Any, line: dict[str, Any], answered: list[int]) -> None:
    ann = world.athlete()
    headers = world.bearer(ann)
    write(world, {"route": "GET /athlete", "status": 418, **line})

    assert [world.get("athlete", headers).status_code for _ in range(5)] == answered
    assert world.client.get("/simulator/script").get_json()[0]["calls"] == 5


def test_line_gives_status_headers_type_and_body_as_written(world: Any) -> None:
    write(
        world,
        {
            "route": "GET /activities/*",
            "status": 503,
            "headers": {"Retry-After": "7"},
            "content_type": "text/html",
            "body": "<html>",
        },
    )

    answer = world.get("activities/5")

    assert (answer.status_code, answer.text, answer.content_type) == (503, "<html>", "text/html")
    assert answer.headers["Retry-After"] == "7"
    assert world.get("athlete").status_code == 401


def test_line_may_leave_out_what_the_answer_is(world: Any) -> None:
    write(world, {"route": "GET /athlete", "content_type": "", "body": "{}"})

    assert "Content-Type" not in world.get("athlete").headers


def test_line_reaches_the_token_endpoint_and_both_bases(world: Any) -> None:
    write(world, {"route": "POST /oauth/token", "status": 404}, {"route": "GET /athlete", "status": 404})

    assert world.token(grant_type="refresh_token", refresh_token="x").status_code == 404
    assert world.client.get("/athlete").status_code == 404


def test_line_lets_strava_do_the_work_first_when_it_says_so(world: Any) -> None:
    ann = world.athlete()
    bearer = world.bearer(ann)
    write(world, {"route": "POST /oauth/revoke", "status": 502, "does_the_work": True})

    answer = world.client.post(
        "/oauth/revoke",
        data={"token": bearer["Authorization"].partition(" ")[2]},
        auth=(str(world.application.client_id), world.application.client_secret),
    )

    assert answer.status_code == 502
    assert world.get("athlete", bearer).status_code == 401


@pytest.mark.parametrize(
    "lines",
    [
        {"route": "GET /athlete"},
        ["GET /athlete"],
        [{"route": "GET /athlete", "stauts": 500}],
        [{"route": 5}],
        [{"route": "GET /athlete", "status": True}],
        [{"route": "GET /athlete", "status": 99}],
        [{"route": "GET /athlete", "first": 0}],
        [{"route": "GET /athlete", "body": None}],
        [{"route": "GET /athlete", "cut_at": -1}],
    ],
)
def test_script_is_refused_when_a_line_makes_no_sense(world: Any, lines: Any) -> None:
    assert world.client.put("/simulator/script", json=lines).status_code == 400
    assert world.client.get("/simulator/script").get_json() == []


@pytest.fixture
def running() -> Iterator[RunningSimulator]:
    with running_simulator() as running:
        yield running


def asked(running: RunningSimulator, timeout_s: float = 5) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{running.base_url}/athlete", timeout=timeout_s)


@pytest.mark.network
def test_answer_over_http_ends_early_when_it_is_cut(running: RunningSimulator) -> None:
    running.control.write_script(Line(route="GET /athlete", body='{"id": 5}', cut_at=4))

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        asked(running)


@pytest.mark.network
def test_connection_ends_without_an_answer_when_it_drops(running: RunningSimulator) -> None:
    running.control.write_script(Line(route="GET /athlete", drops=True))

    with pytest.raises(requests.ConnectionError):
        asked(running)


@pytest.mark.network
@pytest.mark.parametrize("part", ["head_bytes_per_s", "body_bytes_per_s"])
def test_answer_over_http_comes_byte_by_byte_when_it_drips(running: RunningSimulator, part: str) -> None:
    running.control.write_script(Line(route="GET /athlete", body="x" * 100, **{part: 500}))
    began_s = time.monotonic()

    answer = asked(running)

    assert answer.text == "x" * 100
    assert "X-Simulator-Pace" not in answer.headers
    assert 0.15 < time.monotonic() - began_s < 4


@pytest.mark.network
def test_control_client_shows_what_was_written_and_passes_a_refusal_on(running: RunningSimulator) -> None:
    running.control.write_script(Line(route="GET /athlete", status=500))
    asked(running)

    assert [(line["route"], line["status"], line["calls"]) for line in running.control.script()] == [
        ("GET /athlete", 500, 1)
    ]
    with pytest.raises(ControlRefused, match="status"):
        running.control.write_script(Line(route="GET /athlete", status=7))


@pytest.fixture
def in_process(world: Any) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount("http://", InProcessTransport(world.app))
        yield session


def test_answer_in_process_drips_on_the_simulators_clock(world: Any, in_process: requests.Session) -> None:
    write(world, {"route": "GET /athlete", "body": "x" * 100, "body_bytes_per_s": 10})

    assert in_process.get("http://strava.test/athlete", timeout=(3, 20)).text == "x" * 100
    with pytest.raises(requests.ReadTimeout):
        in_process.get("http://strava.test/athlete", timeout=(3, 9))
    assert world.slept == [10, 9]


@pytest.mark.parametrize(
    ("line", "error"),
    [({"drops": True}, requests.ConnectionError), ({"cut_at": 1}, requests.exceptions.ChunkedEncodingError)],
)
def test_answer_in_process_breaks_as_over_http(
    world: Any, in_process: requests.Session, line: dict[str, Any], error: type[Exception]
) -> None:
    write(world, {"route": "GET /athlete", "body": "{}", **line})

    with pytest.raises(error):
        in_process.get("http://strava.test/athlete")
