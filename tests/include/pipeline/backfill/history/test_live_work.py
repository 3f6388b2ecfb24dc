"""What a backfill leaves to live syncs, and what they leave to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import (
    QuotaSpent,
)
from include.pipeline.ingest.events import plan as plan_events
from include.pipeline.ingest.sync import sync
from include.pipeline.services import open_services
from include.queue.content import parse as parse_content
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.strava.client import Priority
from tests.include.pipeline.backfill.history.shares import PARENT_ID, in_lake, loaded, planned

pytestmark = pytest.mark.network


def test_activity_edited_since_is_queued_for_a_live_sync(world, finished):
    [activity_id] = finished(world, 1)
    loaded(world, planned(world))
    world.control.rename(activity_id, "another title")
    world.clock.advance(1)
    result = planned(world)
    assert (result.changed, result.to_load) == (1, ())
    [message] = world.services.queue.receive(10, visibility_s=30)
    assert parse_content(message.body).event.object_id == activity_id
    assert "another title" not in message.body


def test_live_detail_is_not_replaced_by_a_list_row(world):
    activity_id = world.finish(name="kept")
    sync(world.services, world.item(activity_id), source="webhook")
    planned(world)
    assert world.services.lake.raw.detail(PARENT_ID, activity_id).is_detail


def test_activity_that_a_live_run_holds_is_left_to_it(world, finished):
    ids = finished(world, 2)
    listed = planned(world)
    world.services.state.activities.acquire(PARENT_ID, ids[0])
    [result] = loaded(world, listed)
    assert (result.loaded, result.skipped) == (1, 1)
    assert in_lake(world) == [ids[1]]


def test_event_from_between_listing_and_loading_is_still_looked_at(world, finished):
    [activity_id] = finished(world, 1)
    listed = planned(world)
    world.clock.advance(60)
    renamed = world.event(activity_id, aspect_type="update")
    world.clock.advance(60)
    loaded(world, listed)
    assert [item.activity_id for item in plan_events(world.services, [renamed])] == [activity_id]


def test_row_of_an_earlier_backfill_that_was_given_up_is_replaced_by_todays(world, finished):
    [activity_id] = finished(world, 1)
    planned(world, **{"from": "2026-04-30"})
    world.control.rename(activity_id, "Renamed since")
    loaded(world, planned(world))
    assert world.sql("SELECT name FROM activities").column("name").to_pylist() == ["Renamed since"]


def test_activity_that_waits_to_be_fetched_again_still_does(world):
    activity_id = world.finish(announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    again_at = int(world.clock.now_epoch_s) + 300
    waiting = replace(lease.entry, state=ActivityState.PENDING, next_try_epoch_s=again_at)
    world.services.state.activities.postpone(lease, waiting)
    loaded(world, planned(world))
    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert (entry.state, entry.next_try_epoch_s) == (ActivityState.SYNCED, again_at)
    assert entry.object_keys == waiting.object_keys


def test_event_that_comes_while_the_quota_ends_is_looked_at_at_once(world, monkeypatch, finished):
    [activity_id] = finished(world, 1)
    listed = planned(world)

    def asked_and_spent(athlete_id, activity_id):
        assert world.services.state.activities.acquire(athlete_id, activity_id) is None
        raise QuotaSpent("spent", until_epoch_s=world.clock.now_epoch_s + 60)

    monkeypatch.setattr(world.services.strava.client, "streams", asked_and_spent)
    loaded(world, listed)
    assert [entry.activity_id for entry in world.services.state.activities.due(world.clock.now_epoch_s)] == [
        activity_id
    ]


def test_backfill_leaves_live_work_its_reserve(world):
    with open_services(world.settings, priority=Priority.BACKFILL, clock=world.services.clock) as services:
        for _ in range(90):
            services.strava.client.athlete(PARENT_ID)
        with pytest.raises(QuotaSpent):
            services.strava.client.athlete(PARENT_ID)
    assert world.services.strava.client.athlete(PARENT_ID).athlete_id == PARENT_ID


def test_event_that_is_newer_than_the_list_is_still_due_after_the_load(world, finished):
    [activity_id] = finished(world, 1)
    listed = planned(world)
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s))
    loaded(world, listed)
    assert [entry.activity_id for entry in world.services.state.activities.due(float("inf"))] == [activity_id]


def test_event_that_is_older_than_the_list_is_answered_by_the_load(world, finished):
    [activity_id] = finished(world, 1)
    world.services.state.activities.make_due(
        PARENT_ID, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s) - 3600
    )
    loaded(world, planned(world))
    assert list(world.services.state.activities.due(float("inf"))) == []


def test_activity_that_another_worker_holds_is_left_to_it_by_the_list(world, finished):
    [activity_id] = finished(world, 1)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    planned(world)
    entry = LedgerEntry.unknown(PARENT_ID, activity_id)
    assert world.services.state.activities.settle(lease, entry) is False
    assert list(world.services.state.activities.due(float("inf"))) == []
