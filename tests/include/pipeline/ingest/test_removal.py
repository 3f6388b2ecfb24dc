from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import IngestError, RemovalsStopped, RetryLater
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.removal import confirm_removals
from include.pipeline.ingest.sync import sync
from include.queue.content import parse as parse_content
from include.state.activities.ledger import ActivityState
from local.strava_simulator.api.script import Line

pytestmark = pytest.mark.network

PARENT_ID = 71
SEEN = ("read", "activity:read")
GONE = '{"message":"Record Not Found","errors":[]}'


def stored(world, count=1):
    ids = [world.finish("run", hours_ago=1 + 3 * at, points=10) for at in range(count)]
    for activity_id in ids:
        sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(1000)
    return ids


def look(world, activity_id, *, is_announced=False):
    try:
        return sync(world.services, replace(world.item(activity_id), is_announced=is_announced), source="webhook").state
    except IngestError as error:
        return error


def rows(world):
    return world.sql("SELECT count(*) AS n FROM activities").to_pylist()[0]["n"]


def test_activity_is_removed_when_the_list_does_not_show_it_either(world):
    [activity_id] = stored(world)
    world.control.delete_activity(activity_id)
    before = world.calls().get("GET /api/v3/athlete/activities", 0)

    assert look(world, activity_id) == ActivityState.REMOVED
    assert rows(world) == 0
    assert world.calls()["GET /api/v3/athlete/activities"] == before + 1


def test_activity_stays_when_the_list_still_shows_it(world):
    [activity_id] = stored(world)
    world.control.write_script(Line(route=f"GET /activities/{activity_id}", status=404, body=GONE))

    error = look(world, activity_id)

    assert isinstance(error, RetryLater)
    assert "but lists it" in str(error)
    assert rows(world) == 1
    world.control.write_script()
    assert look(world, activity_id) == ActivityState.SYNCED


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status": 404, "body": GONE}, id="404"),
        pytest.param({"body": "<html>", "content_type": "text/html"}, id="page"),
        pytest.param({"body": "[", "cut_at": 0}, id="cut"),
        pytest.param({"body": "{}"}, id="another shape"),
        pytest.param({"status": 500}, id="500"),
    ],
)
def test_activity_stays_when_the_second_witness_does_not_answer_rightly(world, answer):
    [activity_id] = stored(world)
    world.control.delete_activity(activity_id)
    world.control.write_script(Line(route="GET /athlete/activities", **answer))

    assert isinstance(look(world, activity_id), IngestError)
    assert rows(world) == 1
    world.control.write_script()
    assert look(world, activity_id) == ActivityState.REMOVED


def test_hidden_activity_stays_when_the_grant_does_not_cover_it(world):
    activity_id = world.finish("run")
    world.control.change_visibility(activity_id, "only_me")
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(1000)
    world.connect(PARENT_ID, scopes=SEEN)

    assert look(world, activity_id) == ActivityState.SYNCED
    assert rows(world) == 1


def test_activity_is_removed_when_it_is_hidden_from_a_grant_that_covered_it(world):
    world.connect(PARENT_ID, scopes=SEEN)
    [activity_id] = stored(world)
    world.control.change_visibility(activity_id, "only_me")

    assert look(world, activity_id) == ActivityState.REMOVED
    assert rows(world) == 0


@pytest.fixture
def many(world):
    """Seven activities in the lake, all gone at Strava."""
    ids = stored(world, 7)
    for activity_id in ids:
        world.control.delete_activity(activity_id)
    return ids


def test_removals_stop_when_much_disappears_without_an_event(world, many):
    ends = [look(world, activity_id) for activity_id in many]

    assert ends[:5] == [ActivityState.REMOVED] * 5
    assert [type(end) for end in ends[5:]] == [RemovalsStopped] * 2
    assert f"make removals ARGS={PARENT_ID}" in str(ends[-1])
    assert len(str(ends[-1])) <= 300
    assert rows(world) == 2


def test_removals_go_on_when_events_announced_them(world, many):
    assert {look(world, activity_id, is_announced=True) for activity_id in many} == {ActivityState.REMOVED}
    assert rows(world) == 0


def test_removals_go_on_when_the_operator_confirms_them(world, many):
    for activity_id in many:
        look(world, activity_id)

    assert confirm_removals(world.services, PARENT_ID) == 2
    events = [parse_content(message.body).event for message in world.services.queue.receive(10, visibility_s=30)]
    items = plan(world.services, events)
    assert sorted(item.activity_id for item in items) == sorted(many[5:])
    for item in items:
        sync(world.services, item, source="webhook")

    assert rows(world) == 0
    assert confirm_removals(world.services, PARENT_ID) == 0


def test_confirmed_activity_stays_when_strava_shows_it_after_all(world, many):
    for activity_id in many[:-1]:
        look(world, activity_id)
    kept = world.finish("run", hours_ago=50)
    sync(world.services, world.item(kept), source="webhook")

    assert look(world, kept, is_announced=True) == ActivityState.SYNCED


def test_removals_of_the_day_before_count_no_more(world, many):
    for activity_id in many[:5]:
        look(world, activity_id)
    world.clock.advance(86_400)

    assert look(world, many[-1]) == ActivityState.REMOVED


@pytest.mark.parametrize("fault", ["nothing", "a failing call", "a spent budget", "an outage"])
def test_stopped_removals_wait_for_the_operator_whatever_comes_between(world, fault):
    ids = stored(world, 11)
    for activity_id in ids:
        world.control.delete_activity(activity_id)
        look(world, activity_id)
    left = ids[5:]

    lines = {
        "a failing call": [Line(route="GET /activities", status=500)],
        "an outage": [Line(route="GET /activities", status=500), Line(route="GET /push_subscriptions", status=500)],
    }
    for day in range(12):
        world.clock.advance(86_400)
        is_faulty = day != 11
        world.control.write_script(*(lines.get(fault, ()) if is_faulty else ()))
        if fault == "a spent budget" and is_faulty:
            world.services.state.quota.observe({"x-ratelimit-limit": "200,2000", "x-ratelimit-usage": "200,2000"})
        world.services.state.outages.end()
        for activity_id in left:
            look(world, activity_id)

    assert rows(world) == len(left)
    assert confirm_removals(world.services, PARENT_ID) == len(left)


def test_item_says_whether_an_event_announced_the_removal(world):
    update, delete = (
        world.event(5, aspect_type=aspect, event_time_epoch_s=at) for aspect, at in (("update", 9), ("delete", 8))
    )

    [item] = plan(world.services, [update, delete])

    assert item.is_announced
    assert type(item).from_json(item.to_json()) == item
    assert not plan(world.services, [world.event(6)])[0].is_announced
