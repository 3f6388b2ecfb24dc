"""From events to work items: hints, each activity once."""

from __future__ import annotations

import pytest

from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem

pytestmark = pytest.mark.network

PARENT_ID = 71


def test_plan_is_empty_for_no_events(world):
    assert plan(world.services, []) == []


def test_plan_names_each_activity_once_with_its_newest_event(world):
    created, renamed = (
        world.event(5),
        world.event(5, aspect_type="update", event_time_epoch_s=int(world.clock.now_epoch_s) + 3),
    )
    other = world.event(6, event_time_epoch_s=int(world.clock.now_epoch_s) + 1)
    assert plan(world.services, [renamed, other, created]) == [
        SyncItem(PARENT_ID, 6, int(world.clock.now_epoch_s) + 1),
        SyncItem(PARENT_ID, 5, int(world.clock.now_epoch_s) + 3),
    ]


def test_event_that_gives_the_activity_to_somebody_else_does_not_stand_in_for_the_owners(world):
    world.connect(72)
    owners, forged = world.event(5), world.event(5, owner_id=72, event_time_epoch_s=int(world.clock.now_epoch_s) + 1)
    assert {item.athlete_id for item in plan(world.services, [owners, forged])} == {PARENT_ID, 72}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        pytest.param({"owner_id": 999}, "athlete not connected", id="unknown athlete"),
        pytest.param({"object_type": "athlete", "object_id": PARENT_ID}, "not an activity event", id="athlete event"),
    ],
)
def test_plan_drops_and_notes_what_is_not_for_it(world, changes, outcome):
    event = world.event(5, **changes)
    assert plan(world.services, [event]) == []
    assert world.services.state.events.get(event.event_id).outcome == outcome


def test_event_that_a_later_fetch_answered_costs_no_call(world):
    activity_id = world.finish()
    event = world.event(activity_id)
    world.clock.advance(121)
    sync(world.services, world.item(activity_id), source="webhook")
    assert plan(world.services, [event]) == []
    assert world.services.state.events.get(event.event_id).outcome == "answered by a later fetch"


def test_event_within_two_clocks_difference_of_the_fetch_is_looked_at(world):
    activity_id = world.finish()
    event = world.event(activity_id)
    world.clock.advance(120)
    sync(world.services, world.item(activity_id), source="webhook")
    assert [item.activity_id for item in plan(world.services, [event])] == [activity_id]


def test_old_event_of_an_activity_that_still_waits_is_looked_at(world):
    activity_id = world.finish("treadmill")
    event = world.event(activity_id)
    world.clock.advance(60)
    sync(world.services, world.item(activity_id), source="webhook")
    assert [item.activity_id for item in plan(world.services, [event])] == [activity_id]


@pytest.mark.parametrize("ahead_s", [90, -90])
def test_edit_reaches_the_lake_where_our_clock_is_wrong_by_minutes(world, ahead_s):
    activity_id = world.finish(name="Morning run")
    strava_now = world.clock.now_epoch_s
    world.clock.advance(ahead_s)
    sync(world.services, world.item(activity_id), source="webhook")
    edit = world.event(activity_id, aspect_type="update", event_time_epoch_s=int(strava_now + 20))
    assert [item.activity_id for item in plan(world.services, [edit])] == [activity_id]


def answered_late(world):
    """An activity that was fetched a while after its event."""
    activity_id = world.finish()
    event = world.event(activity_id)
    world.clock.advance(200)
    sync(world.services, world.item(activity_id), source="webhook")
    return event


@pytest.mark.parametrize(
    "due",
    [
        pytest.param("a next try", id="a next try"),
        pytest.param("another event", id="another event"),
        pytest.param("copies", id="its copies"),
    ],
)
def test_answered_event_is_looked_at_while_its_activity_has_other_work_due(world, due):
    event, activities = answered_late(world), world.services.state.activities
    if due == "a next try":
        lease = activities.acquire(PARENT_ID, event.object_id)
        activities.postpone(lease, lease.entry.failed("503", int(world.clock.now_epoch_s), 0.0))
    elif due == "another event":
        activities.make_due(PARENT_ID, event.object_id, asked_at_epoch_s=event.event_time_epoch_s + 1)
    else:
        activities.put_off(PARENT_ID, event.object_id, world.clock.now_epoch_s, copies=True)
    before = activities.get(PARENT_ID, event.object_id)

    assert [item.activity_id for item in plan(world.services, [event])] == [event.object_id]
    assert activities.get(PARENT_ID, event.object_id) == before
