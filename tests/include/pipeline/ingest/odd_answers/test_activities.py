"""What one odd answer costs an activity and its copy meanwhile, and that nothing is left of it an hour later."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from include.errors import IngestError
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.queue.content import parse as parse_content
from include.state.copies.ledger import CopyState, Original
from local.strava_simulator.api.script import Line

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
HOUR_S, DAY_S, TOKEN_S = 3600, 86_400, 6 * 3600
POINTS = 60
HTML = {"body": "<html>maintenance</html>", "content_type": "text/html"}


def refusal(message, *entry):
    errors = [dict(zip(("resource", "field", "code"), entry, strict=True))] if entry else []
    return json.dumps({"message": message, "errors": errors})


NO_ROUTE = {"status": 404, "body": refusal("Record Not Found", "resource", "path", "invalid")}
GONE = {"status": 404, "body": refusal("Record Not Found")}


def answer(world, route, **line):
    world.control.write_script(Line(route=route, **line))


def look(world, activity_id):
    """What an event about the activity brings about; answers the fault that was met."""
    try:
        sync(world.services, world.item(activity_id), source="webhook")
        copy_to_children(world.services, PARENT_ID, activity_id)
    except IngestError as fault:
        return fault
    return None


def pass_hours(world, hours=1):
    """Reconcile once an hour, and what it queues."""
    for _ in range(hours):
        world.clock.pass_s(HOUR_S)
        queue_due(world.services)
        with suppress(IngestError):
            list_athletes(world.services, world.settings)
        messages = world.services.queue.receive(100, visibility_s=30)
        for item in plan(world.services, [parse_content(message.body).event for message in messages]):
            with suppress(IngestError):
                sync(world.services, item, source="reconcile")
            with suppress(IngestError):
                copy_to_children(world.services, item.athlete_id, item.activity_id)
        for message in messages:
            world.services.queue.delete(message)


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def copy(world, activity_id):
    return world.services.state.copies.get(activity_id, CHILD_ID)


def points(world, activity_id):
    """How many points the lake has of the activity."""
    return world.sql("SELECT activity_id FROM streams").column("activity_id").to_pylist().count(activity_id)


def names(world):
    return world.sql("SELECT name FROM activities").column("name").to_pylist()


def status(world, athlete_id=PARENT_ID):
    return world.services.state.athletes.get(athlete_id).status


def times_asked(world):
    """How often the scripted call was made."""
    return world.control.script()[0]["calls"]


def is_whole(world, activity_id):
    """Whether lake and copy have the activity, and the child has it once."""
    made, stored = copy(world, activity_id), entry(world, activity_id)
    if made is None or (stored.state, made.state, made.original) != ("synced", CopyState.DONE, Original.NAMED):
        return False
    return points(world, activity_id) == POINTS and world.control.activity_ids(CHILD_ID) == [made.child_activity_id]


def is_whole_within(world, activity_id, hours):
    """Whether it is whole after so many hours of reconcile at most."""
    for _ in range(hours):
        pass_hours(world)
        if is_whole(world, activity_id):
            return True
    return False


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
    family.clock.pass_s(1000)
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
        waits_s.append(entry(family, activity_id).next_try_epoch_s - family.clock.now)
        family.clock.pass_s(2 * HOUR_S)
    assert (entry(family, activity_id).state, copy(family, activity_id)) == ("pending", None)
    assert waits_s == [900, 1800, 3600]
    assert times_asked(family) <= 9, "three rounds of three tries at most"

    family.control.write_script()
    assert is_whole_within(family, activity_id, hours=1)


def test_new_title_arrives_after_a_maintenance_page(family):
    activity_id = family.finish(name="Run with Rex")
    look(family, activity_id)
    family.clock.pass_s(1000)
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
    family.clock.pass_s(1000)
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
