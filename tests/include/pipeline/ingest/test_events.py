"""From events to work items: hints, each activity once."""

from __future__ import annotations

import pytest

from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.queue.content import LookAgain
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import LedgerEntry
from include.state.events import AuditedEvent
from include.strava.models import Subscription

pytestmark = pytest.mark.network

PARENT_ID, NOBODY = 71, 999


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


def test_plan_notes_of_every_event_whom_it_was_about_and_what_became_of_it(world):
    now = world.clock.now_epoch_s
    planned, dropped = world.event(5), world.event(6, owner_id=NOBODY)

    for _ in range(2):
        plan(world.services, [planned, dropped])

    assert world.services.state.events.get(planned.event_id) == AuditedEvent(PARENT_ID, 5, "planned", now, 2)
    assert world.services.state.events.get(dropped.event_id) == AuditedEvent(NOBODY, 6, "athlete not connected", now, 2)


def test_events_of_a_second_are_one_look_in_the_order_in_which_they_came(world):
    now = int(world.clock.now_epoch_s)
    assert plan(world.services, [world.event(6), world.event(5), world.event(6, aspect_type="update")]) == [
        SyncItem(PARENT_ID, 6, now),
        SyncItem(PARENT_ID, 5, now),
    ]


@pytest.mark.parametrize("aspects", [["delete"], ["delete", "update"], ["update", "delete"], ["update"]], ids="-".join)
def test_item_is_announced_as_gone_when_any_of_its_events_says_so(world, aspects):
    now = int(world.clock.now_epoch_s)
    events = [world.event(5, aspect_type=each, event_time_epoch_s=now + at) for at, each in enumerate(aspects)]

    assert plan(world.services, events) == [
        SyncItem(PARENT_ID, 5, now + len(aspects) - 1, is_announced="delete" in aspects)
    ]


# --- athletes who are not connected -----------------------------------------------------------------


@pytest.mark.parametrize("status", [AthleteStatus.NEEDS_REAUTH, AthleteStatus.REVOKED])
def test_activity_of_an_athlete_who_has_to_connect_again_stays_due_and_only_its_copies_go_on(world, status):
    activities, now = world.services.state.activities, int(world.clock.now_epoch_s)
    activities.make_due(PARENT_ID, 5, asked_at_epoch_s=now)
    before = activities.get(PARENT_ID, 5)
    world.services.state.athletes.mark(PARENT_ID, status)

    assert plan(world.services, [world.event(5)]) == []
    assert activities.get(PARENT_ID, 5) == before
    copies = LookAgain(PARENT_ID, 5, now, copies_only=True).event
    assert plan(world.services, [copies]) == [SyncItem(PARENT_ID, 5, now, copies_only=True)]


def test_event_of_nobody_takes_only_a_row_of_which_nothing_is_known(world):
    activities, now = world.services.state.activities, int(world.clock.now_epoch_s)
    for activity_id in (5, 6):
        activities.make_due(NOBODY, activity_id, asked_at_epoch_s=now)
    lease = activities.acquire(NOBODY, 6)
    known = LedgerEntry.unknown(NOBODY, 6).removed(now, "gone")
    activities.settle(lease, known)
    copies = LookAgain(NOBODY, 6, now, copies_only=True).event

    assert plan(world.services, [world.event(5, owner_id=NOBODY), world.event(6, owner_id=NOBODY), copies]) == []
    assert (activities.get(NOBODY, 5), activities.get(NOBODY, 6)) == (None, known)


# --- answered events --------------------------------------------------------------------------------


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


# --- whether events arrive --------------------------------------------------------------------------


def test_arrival_of_stravas_newest_event_is_noted(world):
    subscriptions, now = world.services.state.subscriptions, int(world.clock.now_epoch_s)
    subscriptions.save(Subscription(9, "http://localhost/webhook"))

    plan(world.services, [world.event(5, subscription_id=8)])
    assert subscriptions.event_at_epoch_s() == 0.0
    plan(world.services, [world.event(5, event_time_epoch_s=now + late_s) for late_s in (1, 3, 2)])
    assert subscriptions.event_at_epoch_s() == now + 3
    plan(world.services, [])
    assert subscriptions.event_at_epoch_s() == now + 3
