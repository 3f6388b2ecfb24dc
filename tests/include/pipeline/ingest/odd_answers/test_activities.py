"""What one odd answer costs an activity and its copy meanwhile, and that nothing is left of it an hour later."""

from __future__ import annotations

import json

import pytest

from include.errors import IngestError
from include.pipeline.ingest.sync import sync
from include.state.copies.ledger import CopyState, Original
from local.strava_simulator.api.script import Line
from tests.include.pipeline.ingest.odd_answers.aftermath import (
    HOUR_S,
    POINTS,
    answer,
    copy,
    entry,
    is_whole,
    is_whole_within,
    look,
    pass_hours,
    points,
    refusal,
    times_asked,
)

pytestmark = pytest.mark.network

HTML = {"body": "<html>maintenance</html>", "content_type": "text/html"}


NO_ROUTE = {"status": 404, "body": refusal("Record Not Found", "resource", "path", "invalid")}
GONE = {"status": 404, "body": refusal("Record Not Found")}


def names(world):
    return world.sql("SELECT name FROM activities").column("name").to_pylist()


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(NO_ROUTE, id="no such route"),
        pytest.param({"status": 404, **HTML}, id="a page"),
        pytest.param({"status": 404, "content_type": ""}, id="nothing at all"),
        pytest.param(GONE, id="as if it were gone"),
    ],
)
def test_stored_activity_and_its_copy_stay_when_its_detail_answers_404(family, odd):
    activity_id = family.finish(name="Run with Rex")
    look(family, activity_id)
    family.clock.advance(1000)
    answer(family, "GET /activities/*[0-9]", **odd)

    assert isinstance(look(family, activity_id), IngestError)

    kept = list(family.services.lake.objects.list(""))
    assert points(family, activity_id) == POINTS
    assert copy(family, activity_id).original is Original.NAMED
    assert {key.partition("/")[0] for key in kept} == {"activities", "copies", "gpx", "laps", "raw", "streams"}
    family.control.write_script()
    assert is_whole_within(family, activity_id, hours=1)


@pytest.mark.parametrize("route", ["GET /activities/*[0-9]", "GET /activities/*/streams"])
@pytest.mark.parametrize(
    "odd", [pytest.param(HTML, id="a page"), pytest.param({"body": '{"id": 1', "cut_at": 8}, id="cut off")]
)
def test_new_activity_waits_ever_longer_for_an_answer_and_comes_with_it(family, route, odd):
    activity_id = family.finish(name="Run with Rex")
    answer(family, route, **odd)

    waits_s = []
    for _ in range(3):
        look(family, activity_id)
        waits_s.append(entry(family, activity_id).next_try_epoch_s - family.clock.now_epoch_s)
        family.clock.advance(2 * HOUR_S)
    assert (entry(family, activity_id).state, copy(family, activity_id)) == ("pending", None)
    assert waits_s == [900, 1800, 3600]
    assert times_asked(family) <= 9, "three rounds of three tries at most"

    family.control.write_script()
    assert is_whole_within(family, activity_id, hours=1)


def test_new_title_arrives_after_a_maintenance_page(family):
    activity_id = family.finish(name="Run with Rex")
    look(family, activity_id)
    family.clock.advance(1000)
    family.control.rename(activity_id, "Long run with Rex")
    answer(family, "GET /activities/*[0-9]", **HTML)
    look(family, activity_id)
    assert names(family) == ["Run with Rex"]

    family.control.write_script()
    pass_hours(family)

    assert "Long run with Rex" in names(family)
    assert is_whole(family, activity_id)


def test_nothing_is_lost_or_final_while_every_route_is_answered_as_unknown(family):
    stored, indoors = family.finish(name="Run with Rex"), family.finish("treadmill", hours_ago=5, name="Indoors")
    for activity_id in (stored, indoors):
        sync(family.services, family.item(activity_id), source="webhook")
    family.clock.advance(1000)
    family.control.write_script(Line(route="GET *", **NO_ROUTE), Line(route="POST /uploads", **NO_ROUTE))

    look(family, stored)
    pass_hours(family, 2)
    assert (points(family, stored), names(family).count("Indoors")) == (POINTS, 1)
    assert copy(family, stored).state not in (CopyState.FAILED, CopyState.UNFINISHED)

    family.control.write_script()
    assert is_whole_within(family, stored, hours=4)


def test_empty_list_takes_nothing_away(family):
    activity_id = family.finish(name="Run with Rex")
    look(family, activity_id)
    answer(family, "GET /athlete/activities", body="[]")

    pass_hours(family, 3)

    assert is_whole(family, activity_id)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param("\ud83d with Rex", CopyState.DONE, id="half a character"),
        pytest.param("a\x00b Rex", CopyState.DONE, id="a zero byte"),
        pytest.param("Rex" * 2000, None, id="long, and no word of it the name"),
    ],
)
def test_any_title_is_stored_and_read(family, name, state):
    activity_id = family.finish(name="x")
    detail = family.control.activity(activity_id)["detail"]
    answer(family, "GET /activities/*[0-9]", body=json.dumps(detail | {"name": name}))

    assert look(family, activity_id) is None

    assert points(family, activity_id) == POINTS
    made = copy(family, activity_id)
    assert (made and made.state) == state


@pytest.mark.parametrize(
    "odd",
    [
        {"distance": "5000.0"},
        {"elapsed_time": None},
        {"laps": None, "map": None},
        {"laps": [None, {}]},
        {"upload_id": 10**21},
        {"average_temp": "12"},
        {"device_watts": "true"},
        {"start_latlng": "x"},
        {"gear_id": 5},
        {"utc_offset": "x"},
        {"timezone": None},
        {"start_date_local": None},
    ],
    ids=str,
)
def test_odd_field_costs_neither_activity_nor_copy(family, odd):
    activity_id = family.finish(name="Run with Rex")
    detail = family.control.activity(activity_id)["detail"]
    answer(family, "GET /activities/*[0-9]", body=json.dumps(detail | odd))

    assert look(family, activity_id) is None

    assert is_whole(family, activity_id)


@pytest.mark.parametrize("odd", [{"athlete": {"id": "71"}}, {"id": 2**63 + 1}, {"start_date": "today"}], ids=str)
def test_activity_without_a_sure_identity_or_start_waits_and_comes_when_it_has_them(family, odd):
    activity_id = family.finish(name="Run with Rex")
    detail = family.control.activity(activity_id)["detail"]
    answer(family, "GET /activities/*[0-9]", body=json.dumps(detail | odd))

    look(family, activity_id)
    assert (names(family), copy(family, activity_id)) == ([], None)

    family.control.write_script()
    assert is_whole_within(family, activity_id, hours=24)
