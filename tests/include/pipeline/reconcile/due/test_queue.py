"""What waited goes back into the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Queued, queue_due
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import Copy, CopyState
from tests.include.pipeline.reconcile.due.lists import queued

pytestmark = pytest.mark.network

PARENT_ID = 71


def test_nothing_due_queues_nothing(world):
    assert queue_due(world.services) == Queued(activities=0, copies=0)
    assert queued(world) == []


def test_due_activity_is_queued_and_planned_again(world):
    activity_id = world.finish("treadmill")
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(900)
    assert queue_due(world.services) == Queued(activities=1, copies=0)
    assert [item.activity_id for item in plan(world.services, queued(world))] == [activity_id]


def test_activity_whose_run_died_is_queued_when_its_lease_has_ended(world):
    world.services.state.activities.acquire(PARENT_ID, 5)
    assert queue_due(world.services).activities == 0
    world.clock.advance(301)
    assert queue_due(world.services).activities == 1


def test_due_copy_queues_its_parents_activity(world):
    now = int(world.clock.now_epoch_s)
    world.services.state.copies.plan(
        Copy(5, 72, PARENT_ID, CopyState.PLANNED, external_id="sdi-5-72", planned_at_epoch_s=now, next_try_epoch_s=now)
    )
    assert queue_due(world.services) == Queued(activities=0, copies=1)
    assert [(event.owner_id, event.object_id) for event in queued(world)] == [(PARENT_ID, 5)]


def test_activity_that_retention_deletes_is_not_queued(world):
    lease = world.services.state.activities.acquire(PARENT_ID, 5)
    now = int(world.clock.now_epoch_s)
    expired = replace(
        world.services.state.activities.get(PARENT_ID, 5), state=ActivityState.EXPIRED, next_try_epoch_s=now
    )
    world.services.state.activities.postpone(lease, expired)
    assert queue_due(world.services) == Queued(activities=0, copies=0)


def test_what_waits_for_an_athlete_to_connect_again_is_queued_when_they_have(world):
    world.services.state.activities.acquire(PARENT_ID, 5)
    world.clock.advance(301)
    world.services.state.athletes.mark(PARENT_ID, AthleteStatus.NEEDS_REAUTH)
    assert queue_due(world.services) == Queued(activities=0, copies=0)
    world.services.state.athletes.mark(PARENT_ID, AthleteStatus.ACTIVE)
    assert queue_due(world.services) == Queued(activities=1, copies=0)
