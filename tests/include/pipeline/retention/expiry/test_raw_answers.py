"""Raw answers expire by their own age."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.errors import QuotaSpent
from include.pipeline.backfill.history import keys, list_on
from include.pipeline.backfill.loading import load
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Queued, queue_due
from include.pipeline.retention.expiry import Expired
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from tests.include.pipeline.retention.expiry.stored import PARENT_ID, entry, expired, objects, synced

pytestmark = pytest.mark.network

DAY_S = 86_400


def test_raw_object_that_nobody_knows_expires_from_the_night_it_is_found(world):
    activity_id = world.finish(announce=False)
    start = datetime.fromtimestamp(world.clock.now_epoch_s, UTC).date().isoformat()
    days = {"athlete": PARENT_ID, "from": "2026-01-01", "to": start, "dry_run": False}
    listed = list_on(world.services, world.ask(days))  # and never loaded
    assert expired(world) == Expired(0)
    assert entry(world, activity_id).state is ActivityState.PENDING
    world.clock.advance(6 * DAY_S)
    assert expired(world) == Expired(0)
    assert load(world.services, keys(listed)).loaded == 1  # a late backfill still finds it
    assert expired(world) == Expired(0)
    world.clock.advance(DAY_S)  # as old as the list is what was loaded from it
    assert expired(world).activities == 1
    assert objects(world) == []


def test_raw_answer_of_an_activity_that_never_got_its_streams_expires_though_nobody_can_fetch_it(world, monkeypatch):
    activity_id = world.finish(name="My secret title")

    def spent(*_):
        raise QuotaSpent("spent", until_epoch_s=world.clock.now_epoch_s + 900)

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "streams", spent)
        sync(world.services, world.item(activity_id), source="webhook")
    world.services.state.athletes.mark(PARENT_ID, AthleteStatus.NEEDS_REAUTH)
    assert objects(world) != []

    for _ in range(9):
        world.clock.advance(DAY_S)
        expired(world)

    assert objects(world) == []
    assert entry(world, activity_id).state is ActivityState.EXPIRED


def test_streams_are_as_old_as_their_own_fetch_however_often_the_activity_is_looked_at(world):
    activity_id = synced(world)
    for day in range(1, 7):
        world.clock.advance(DAY_S)
        world.control.rename(activity_id, f"Run {day}")
        sync(world.services, world.item(activity_id), source="webhook")
        assert expired(world) == Expired(0)
    world.clock.advance(DAY_S)

    assert expired(world).activities == 1
    assert objects(world) == []


def test_streams_that_are_fetched_again_are_young_again(world):
    activity_id = synced(world)
    world.clock.advance(6 * DAY_S)
    world.control.rename(activity_id, "Another name")
    sync(world.services, world.item(activity_id), source="webhook")
    amend(world, activity_id, fingerprint="")  # as an operator who asks for all again
    sync(world.services, world.item(activity_id), source="webhook")

    world.clock.advance(6 * DAY_S)
    assert expired(world) == Expired(0)
    world.clock.advance(DAY_S)
    assert expired(world).activities == 1


def amend(world, activity_id, **changes):
    """Let the ledger say this of the activity."""
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id, fresh=False)
    world.services.state.activities.settle(lease, replace(lease.entry, **changes))


def test_raw_answer_of_what_was_not_understood_expires_from_the_night_it_is_found(world):
    activity_id = synced(world)
    amend(world, activity_id, state=ActivityState.QUARANTINED, fetched_at_epoch_s=None)

    expired(world)
    world.clock.advance(7 * DAY_S - 1)
    assert expired(world) == Expired(0)
    world.clock.advance(1)

    assert expired(world).activities == 1
    assert objects(world) == []


@pytest.mark.parametrize("state", [ActivityState.REMOVED, ActivityState.EXPIRED])
def test_raw_answer_that_a_stalled_worker_wrote_after_the_end_goes_in_the_next_night(world, state):
    activity_id = synced(world)
    amend(world, activity_id, state=state, object_keys=())
    late = [key for key in objects(world) if key.startswith("raw/")]
    assert late

    assert expired(world) == Expired(0)

    assert [key for key in objects(world) if key.startswith("raw/")] == []
    assert entry(world, activity_id).state is state
    assert queue_due(world.services) == Queued(0, 0)


def test_raw_answer_that_another_worker_holds_keeps_no_other_one_from_its_time(world):
    held_id, other_id = synced(world), synced(world)
    assert held_id < other_id
    for activity_id in (held_id, other_id):
        world.services.state.activities.forget(PARENT_ID, activity_id)

    with world.services.state.activities.held(PARENT_ID, held_id):
        expired(world)

    assert entry(world, held_id).fetched_at_epoch_s is None
    assert entry(world, other_id).fetched_at_epoch_s == world.clock.now_epoch_s


def test_raw_answer_of_what_was_removed_is_left_to_the_event_that_asks_for_it_again(world):
    activity_id = synced(world)
    amend(world, activity_id, state=ActivityState.REMOVED, object_keys=())
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s))

    expired(world)

    assert [key for key in objects(world) if key.startswith("raw/")] != []
