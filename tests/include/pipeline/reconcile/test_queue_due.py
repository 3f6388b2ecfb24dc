"""What is left to do is in the ledger: whatever becomes of a run, reconcile finds and queues it."""

from __future__ import annotations

from datetime import date
from unittest.mock import create_autospec

import pytest

from include.errors import RetryLater
from include.pipeline.backfill import history as backfill
from include.pipeline.backfill.loading import load
from include.pipeline.backfill.request import BackfillRequest, ask
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Queued, queue_due
from include.pipeline.replay import plan as replay_plan
from include.pipeline.replay import replay
from include.queue.content import LookAgain, StravaEvent, to_body
from include.queue.content import parse as parse_content
from include.state.copies.ledger import CopyState
from include.state.links import Link
from include.store.backend import open_store
from include.trigger.trigger import Started, Trigger
from webhook_api.dispatcher import dispatch

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72
HOUR_S = 3600


@pytest.fixture
def rex(world):
    """The parent has a child named Rex."""
    world.connect(CHILD_ID)
    link = Link(PARENT_ID, CHILD_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    return world.services.state.links.save(link)


def queued(world):
    """Take what is in the queue."""
    messages = world.services.queue.receive(100, visibility_s=30)
    for message in messages:
        world.services.queue.delete(message)
    return [parse_content(message.body).event for message in messages]


def work(world, events):
    """Do what an ingest run does with the events."""
    for item in plan(world.services, events):
        sync(world.services, item, source="webhook")
        copy_to_children(world.services, item.athlete_id, item.activity_id)


def an_hour_of_reconcile(world):
    for _ in range(4):
        world.clock.advance(900)
        queue_due(world.services)
        work(world, queued(world))


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def reads(world):
    return sum(count for route, count in world.calls().items() if route.startswith("GET /activities"))


def load_history(world):
    request = BackfillRequest(PARENT_ID, date(2026, 6, 16), date(2026, 6, 17), int(world.clock.now_epoch_s))
    load(world.services, backfill.keys(backfill.list_on(world.services, ask(world.services, request))))


def test_activity_of_a_run_that_never_began_is_in_the_lake_within_the_hour(world):
    activity_id = world.finish()
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s))

    an_hour_of_reconcile(world)

    assert entry(world, activity_id).state == "synced"


def test_copy_is_made_within_the_hour_when_the_run_ends_between_sync_and_copy(world, rex):
    activity_id = world.finish(name="Morning run with Rex")
    sync(world.services, world.item(activity_id), source="webhook")
    before = reads(world)

    an_hour_of_reconcile(world)

    assert world.services.state.copies.get(activity_id, CHILD_ID).state is CopyState.DONE
    assert len(world.control.activity_ids(CHILD_ID)) == 1
    assert reads(world) == before  # the activity itself was known
    assert entry(world, activity_id).due_at_epoch_s is None


def test_copies_stay_due_while_they_cannot_be_planned(world, rex, monkeypatch):
    activity_id = world.finish(name="Morning run with Rex")
    sync(world.services, world.item(activity_id), source="webhook")

    def throttled(*_):
        raise RetryLater("DynamoDB throttles")

    with monkeypatch.context() as patched:
        patched.setattr(type(world.services.state.copies), "plan", throttled)
        with pytest.raises(RetryLater):
            copy_to_children(world.services, PARENT_ID, activity_id)
    assert entry(world, activity_id).copies_due is not None

    an_hour_of_reconcile(world)
    assert len(world.control.activity_ids(CHILD_ID)) == 1


@pytest.mark.parametrize(
    ("title", "is_due"),
    [pytest.param("Morning run with Rex", True, id="names a child"), pytest.param("Morning run", False, id="nobody")],
)
def test_copies_are_due_where_the_title_names_a_child(world, rex, title, is_due):
    activity_id = world.finish(name=title)
    sync(world.services, world.item(activity_id), source="webhook")
    assert (entry(world, activity_id).copies_due is not None) is is_due


@pytest.mark.parametrize("change", ["rename", "delete"])
def test_copies_are_due_where_there_is_one_already(world, rex, change):
    activity_id = world.finish(name="Morning run with Rex")
    work(world, [world.event(activity_id)])
    assert entry(world, activity_id).copies_due is None

    world.clock.advance(60)
    world.control.rename(activity_id, "Alone") if change == "rename" else world.control.delete_activity(activity_id)
    sync(world.services, world.item(activity_id), source="webhook")

    assert entry(world, activity_id).copies_due is not None
    an_hour_of_reconcile(world)
    assert world.services.state.copies.get(activity_id, CHILD_ID).original == (
        "renamed" if change == "rename" else "deleted"
    )


def test_create_event_that_comes_after_a_backfill_makes_the_copy(world, rex):
    activity_id = world.finish(name="Morning run with Rex")
    event = world.event(activity_id)
    world.clock.advance(200)
    load_history(world)

    work(world, [event])

    assert len(world.control.activity_ids(CHILD_ID)) == 1
    assert plan(world.services, [event]) == []


@pytest.mark.parametrize(("since_h", "copies"), [pytest.param(-2, 1, id="before"), pytest.param(0, 0, id="after")])
def test_backfill_has_copies_made_of_what_began_under_the_link(world, since_h, copies):
    world.connect(CHILD_ID)
    starts_at = int(world.clock.now_epoch_s) + since_h * HOUR_S
    world.services.state.links.save(
        Link(
            PARENT_ID,
            CHILD_ID,
            ("Rex",),
            parent_consent_epoch_s=1,
            child_consent_epoch_s=1,
            starts_at_epoch_s=starts_at,
        )
    )
    world.finish(name="Morning run with Rex")
    load_history(world)

    an_hour_of_reconcile(world)

    assert len(world.control.activity_ids(CHILD_ID)) == copies


def test_replay_has_only_copies_made_about_which_nothing_is_decided(world, rex):
    decided = world.finish(name="Morning run with Rex")
    work(world, [world.event(decided)])
    undecided = world.finish(name="Evening run with Rex", hours_ago=5)
    sync(world.services, world.item(undecided), source="webhook")
    world.services.state.activities.clear_copies_due(PARENT_ID, undecided, entry(world, undecided).copies_due.of)

    for chunk in replay_plan(world.services, PARENT_ID):
        replay(world.services, chunk)

    assert queue_due(world.services) == Queued(activities=0, copies=1)
    assert [event.object_id for event in queued(world)] == [undecided]


def test_event_that_a_later_fetch_answered_costs_no_call_though_it_made_its_activity_due(world):
    activity_id = world.finish()
    event = world.event(activity_id)
    world.clock.advance(200)
    sync(world.services, world.item(activity_id), source="webhook")
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=event.event_time_epoch_s)

    assert plan(world.services, [event]) == []
    assert entry(world, activity_id).due_at_epoch_s is None


def test_event_is_looked_at_while_a_newer_one_is_still_to_be_answered(world):
    activity_id = world.finish()
    event = world.event(activity_id)
    world.clock.advance(200)
    sync(world.services, world.item(activity_id), source="webhook")
    for late_s in (0, 190):
        at = event.event_time_epoch_s + late_s
        world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=at)

    assert [item.activity_id for item in plan(world.services, [event])] == [activity_id]


def test_event_of_nobody_leaves_no_row(world):
    world.services.state.activities.make_due(999, 5, asked_at_epoch_s=int(world.clock.now_epoch_s))
    assert plan(world.services, [world.event(5, owner_id=999)]) == []
    assert world.services.state.activities.get(999, 5) is None


def test_what_an_activity_and_its_copies_are_due_for_is_one_look(world, rex):
    activity_id = world.finish(name="With Rex")
    look = LookAgain(PARENT_ID, activity_id, world.clock.now_epoch_s)
    copies = LookAgain(PARENT_ID, activity_id, world.clock.now_epoch_s, copies_only=True)

    for events in ([look.event, copies.event], [copies.event, look.event]):
        assert [item.copies_only for item in plan(world.services, events)] == [False]
    assert [item.copies_only for item in plan(world.services, [copies.event])] == [True]


def test_work_that_stands_still_for_a_day_is_queued_a_few_times_only(world, rex):
    activity_id = world.finish(name="Morning run with Rex")
    sync(world.services, world.item(activity_id), source="webhook")
    world.services.state.activities.make_due(PARENT_ID, 5, asked_at_epoch_s=int(world.clock.now_epoch_s))

    events = []
    for _ in range(96):
        world.clock.advance(900)
        queue_due(world.services)
        events += queued(world)

    times = sorted([event.object_id for event in events].count(number) for number in (5, activity_id))
    assert len(events) == sum(times)
    assert 4 <= times[0] <= times[1] <= 8


def test_dispatcher_hurries_no_work_that_stands_still(world):
    trigger = create_autospec(Trigger, instance=True)
    trigger.start.return_value = Started.NOW
    store = open_store(world.settings.state_url, world.services.clock)
    world.services.queue.send(to_body(StravaEvent(world.event(5), world.clock.now_epoch_s)))

    for _ in range(96):
        dispatch(world.services.queue, trigger, store, world.services.clock)
        world.clock.advance(900)
        queue_due(world.services)
    store.close()

    assert 4 <= trigger.start.call_count <= 9


def test_no_more_is_queued_than_the_budget_can_serve(world):
    now = int(world.clock.now_epoch_s)
    world.services.state.quota.observe({"x-ratelimit-limit": "40,2000", "x-readratelimit-limit": "20,1000"})
    for activity_id in range(1, 31):
        world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=now)
    world.clock.advance(1800)

    counts = []
    for _ in range(4):
        counts.append(queue_due(world.services).activities)
        world.clock.advance(400)

    assert counts == [10, 10, 10, 0]
