"""The page for a person: every form of it, pressed as a browser without scripts does."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from itertools import pairwise
from typing import Any

import pytest

from local.strava_simulator.api.outages import Outage


def press(world: Any, button: str, **form: Any) -> Any:
    return world.client.post(f"/simulator/press/{button}", data=form)


def family(world: Any) -> tuple[int, int]:
    return world.athlete(firstname="Paula", lastname="Parent"), world.athlete(firstname="Rex", lastname="Child")


def newest(world: Any, athlete_id: int) -> Any:
    [activity_id, *_] = world.control("GET", f"athletes/{athlete_id}/activities").get_json()["activity_ids"]
    return world.control("GET", f"activities/{activity_id}").get_json()


def finished(world: Any, athlete_id: int) -> int:
    assert press(world, "finish", athlete_id=athlete_id, kind="run", name="Run").status_code == 303
    return int(newest(world, athlete_id)["detail"]["id"])


def test_page_says_in_numbered_steps_what_to_press_and_prefills_the_form_so_that_one_press_does(world: Any) -> None:
    paula, _ = family(world)

    page = unescape(world.client.get("/").text)

    assert re.search(r"<ol>\s*<li>Press <strong>Finish activity", page)
    first_form = page[page.index("<form") : page.index("</form>")]
    assert 'action="/simulator/press/finish" method="post"' in first_form
    assert first_form.index(f'value="{paula}"') < first_form.index('value="run"')
    assert 'value="Morning run with Rex"' in first_form
    assert "<script" not in page


@pytest.mark.parametrize("count", [0, 1])
def test_page_shows_whom_there_is_when_there_is_no_family(world: Any, count: int) -> None:
    for _ in range(count):
        world.athlete(firstname="Ann", lastname="Other")

    page = world.client.get("/").text

    assert ("There are no athletes yet" in page, "Ann Other" in page, "<ol>" in page) == (not count, bool(count), False)


@pytest.mark.parametrize("kind", ["run", "treadmill", "swim"])
def test_finished_activity_has_the_chosen_kind_and_title_and_strava_tells_of_it(world: Any, kind: str) -> None:
    paula, _ = family(world)
    world.bearer(paula)
    world.subscribe()

    answer = press(world, "finish", athlete_id=paula, kind=kind, name=" Out <b>with</b> Rex ")

    assert (answer.status_code, answer.location) == (303, "/simulator/pressed?did=finish")
    assert newest(world, paula)["detail"]["name"] == "Out <b>with</b> Rex"
    assert world.received() == [("activity", "create", {})]
    assert "Out &lt;b&gt;with&lt;/b&gt; Rex" in world.client.get(answer.location).text


def test_who_presses_again_and_again_was_out_again_and_again(world: Any) -> None:
    paula, _ = family(world)

    for kind in ("run", "trail_run", "ride", "swim"):
        press(world, "finish", athlete_id=paula, kind=kind, name="Out")
        world.pass_time(1)

    ids = world.control("GET", f"athletes/{paula}/activities").get_json()["activity_ids"]
    details = [world.control("GET", f"activities/{each}").get_json()["detail"] for each in ids]
    spans = [(datetime.fromisoformat(detail["start_date"]).timestamp(), detail["elapsed_time"]) for detail in details]
    assert spans[0][0] + spans[0][1] <= world.clock()
    assert all(begun + lasted < later for (later, _), (begun, lasted) in pairwise(spans))


@pytest.mark.parametrize(
    ("do", "name", "key", "value"),
    [
        pytest.param("rename", "Evening run", "name", "Evening run", id="rename"),
        pytest.param("hide", "", "visibility", "only_me", id="hide"),
        pytest.param("show", "", "visibility", "everyone", id="show"),
    ],
)
def test_activity_is_changed_as_pressed(world: Any, do: str, name: str, key: str, value: str) -> None:
    run = finished(world, family(world)[0])

    assert press(world, "change", activity_id=run, do=do, name=name).location == f"/simulator/pressed?did={do}"

    assert world.control("GET", f"activities/{run}").get_json()["detail"][key] == value


def test_activity_is_gone_when_delete_was_pressed_and_pressing_again_says_so(world: Any) -> None:
    run = finished(world, family(world)[0])

    assert press(world, "change", activity_id=run, do="delete", name="ignored").status_code == 303
    again = press(world, "change", activity_id=run, do="delete")

    assert world.control("GET", f"activities/{run}").get_json()["deleted"]
    assert (again.status_code, f"activity {run} was deleted" in again.text) == (400, True)


@pytest.mark.parametrize(
    ("button", "form"),
    [
        pytest.param("finish", {"athlete_id": 1, "kind": "run", "name": "Run"}, id="nobody"),
        pytest.param("finish", {"athlete_id": 7, "kind": "hop", "name": "Run"}, id="no such kind"),
        pytest.param("finish", {"athlete_id": 7, "kind": "run", "name": " "}, id="no title"),
        pytest.param("finish", {"athlete_id": 7, "kind": "run", "name": "x" * 256}, id="endless title"),
        pytest.param("finish", {}, id="nothing"),
        pytest.param("change", {"activity_id": "²", "do": "hide"}, id="no number"),
        pytest.param("change", {"activity_id": 2**63, "do": "hide"}, id="past 64 bits"),
        pytest.param("change", {"activity_id": 5, "do": "hide"}, id="no such activity"),
        pytest.param("change", {"activity_id": 5, "do": "steal"}, id="no such change"),
        pytest.param("fail", {"way": "loudly", "minutes": 1}, id="no such way"),
        pytest.param("fail", {"way": "down", "minutes": 0}, id="no time"),
        pytest.param("fail", {"way": "down", "minutes": 1441}, id="over a day"),
    ],
)
def test_nothing_is_done_and_a_page_says_why_when_the_form_is_wrong(
    world: Any, button: str, form: dict[str, Any]
) -> None:
    world.athlete(athlete_id=7)

    answer = press(world, button, **form)

    assert (answer.status_code, "Nothing was done" in answer.text) == (400, True)
    assert world.control("GET", "athletes/7/activities").get_json()["activity_ids"] == []


@pytest.mark.parametrize(
    ("way", "status", "is_json"),
    [("quota", 429, True), ("down", 503, False), ("page", 200, False), ("tokens", 401, True)],
)
def test_calls_fail_as_chosen_until_the_time_is_over(world: Any, way: str, status: int, is_json: bool) -> None:
    ann = world.athlete()
    headers = world.bearer(ann)

    page = world.client.get(press(world, "fail", way=way, minutes=2).location).text
    failed = world.get("athlete", headers)
    world.pass_time(119)
    still = world.get("athlete", headers)
    world.pass_time(1)

    assert "Strava is failing now" in page
    assert (failed.status_code, failed.is_json, still.status_code) == (status, is_json, status)
    assert world.get("athlete", headers).status_code == 200
    assert "Strava is failing now" not in world.client.get("/").text


def test_spent_quota_is_told_in_the_headers_as_strava_does(world: Any) -> None:
    headers = world.bearer(world.athlete())
    press(world, "fail", way="quota", minutes=1)

    answer = world.get("athlete", headers)

    limit, usage = (int(answer.headers[f"X-RateLimit-{name}"].split(",")[0]) for name in ("Limit", "Usage"))
    assert usage > limit


def test_silent_strava_sends_no_whole_line_while_a_caller_waits(world: Any) -> None:
    headers = world.bearer(world.athlete())
    press(world, "fail", way="silent", minutes=1)

    assert world.get("athlete", headers).headers["X-Simulator-Pace"] == "0 0.25 0"


@pytest.mark.parametrize("way", list(Outage))
def test_buttons_and_the_page_that_lets_an_application_in_work_while_strava_fails(world: Any, way: str) -> None:
    press(world, "fail", way=way, minutes=1)

    assert world.client.get("/").status_code == 200
    assert world.client.get("/oauth/authorize").status_code == 400  # its own refusal of an address without a query


def test_strava_answers_again_at_once_when_told_to(world: Any) -> None:
    headers = world.bearer(world.athlete())
    press(world, "fail", way="down", minutes=60)

    assert "Answer again now" in world.client.get("/").text
    press(world, "recover")

    assert world.get("athlete", headers).status_code == 200
    assert "Answer again now" not in world.client.get("/").text


def test_second_outage_takes_the_place_of_the_first(world: Any) -> None:
    headers = world.bearer(world.athlete())
    press(world, "fail", way="down", minutes=60)
    press(world, "fail", way="tokens", minutes=1)

    assert world.get("athlete", headers).status_code == 401
    world.pass_time(60)
    assert world.get("athlete", headers).status_code == 200
