"""A replay beside live work, and what it leaves as it is."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from include.errors import LeaseLost
from include.lake.objects.objects import Condition
from include.pipeline.backfill.history import list_on
from include.pipeline.ingest.events import plan as plan_events
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Queued, queue_due
from include.pipeline.replay import Replayed, plan, replay
from include.pipeline.retention.expiry import expire
from include.state.activities.ledger import ActivityState
from tests.include.pipeline.replay.replayed import PARENT_ID, entry, replayed, root, synced, tables

pytestmark = pytest.mark.network

DAY_S = 86_400


def test_activity_that_another_worker_holds_is_left_to_it_without_a_mark(world, history):
    lease = world.services.state.activities.acquire(PARENT_ID, history[0])
    done = replayed(world)
    assert (done.activities, done.busy) == (len(history) - 1, 1)
    assert world.services.state.activities.settle(lease, lease.entry) is False


def test_event_that_arrives_meanwhile_is_answered_by_a_fetch(world, history, monkeypatch):
    write = world.services.lake.tables.write

    def interrupted(rows, **named):
        if history[0] in {one.activity_id for one in rows}:
            assert world.services.state.activities.acquire(PARENT_ID, history[0]) is None
        return write(rows, **named)

    monkeypatch.setattr(world.services.lake.tables, "write", interrupted)
    replayed(world)
    assert queue_due(world.services) == Queued(1, 0)


def test_nothing_is_written_under_a_lost_lease(world, history, writes, monkeypatch):
    shutil.rmtree(root(world) / "laps")

    def stalled(*arguments, **named):
        raise LeaseLost("it ran out")

    monkeypatch.setattr(world.services.state.activities, "check", stalled)
    done = replayed(world)
    assert (done.activities, done.busy, writes) == (0, len(history), [])
    world.clock.advance(301)
    assert queue_due(world.services).activities == 0  # the leases were let go


def test_what_was_due_stays_due(world):
    activity_id = synced(world, "swim")
    before = entry(world, activity_id)
    waiting = replace(before, state=ActivityState.PENDING, next_try_epoch_s=int(world.clock.now_epoch_s) + 600)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    world.services.state.activities.postpone(lease, waiting)
    assert replayed(world).activities == 1
    assert entry(world, activity_id) == waiting


@pytest.mark.parametrize("gone", ["removed", "expired", "planned"])
def test_what_is_not_in_the_lake_does_not_come_back(world, gone):
    if gone == "planned":
        world.finish(announce=False)
        days = {"athlete": PARENT_ID, "from": "2026-01-01", "to": "2026-12-31", "dry_run": False}
        list_on(world.services, world.ask(days))
    else:
        activity_id = synced(world)
        raw = {key: world.services.lake.objects.get(key).body for key in world.services.lake.objects.list("raw/")}
        world.clock.advance(7 * DAY_S)
        if gone == "expired":
            expire(world.services, PARENT_ID, 7, dry_run=False)
        else:
            world.control.delete_activity(activity_id)
            [item] = plan_events(world.services, [world.event(activity_id, aspect_type="delete")])
            sync(world.services, item, source="webhook")
        for key, body in raw.items():
            world.services.lake.objects.put(key, body, expected=Condition.ANYTHING)
    assert replayed(world) == Replayed()
    assert tables(world) == {}


def test_answer_that_was_not_understood_is_tried_with_todays_transform(world, monkeypatch):
    activity_id = world.finish(announce=False)
    with monkeypatch.context() as patched:
        patched.setattr("include.lake.rows.synced._identifier", _refuse)
        sync(world.services, world.item(activity_id), source="webhook")
    assert entry(world, activity_id).state is ActivityState.QUARANTINED
    calls = world.calls()
    assert replayed(world).activities == 1
    stored = entry(world, activity_id)
    assert (stored.state, stored.reason, world.calls()) == (ActivityState.SYNCED, "", calls)
    assert world.sql("SELECT activity_id FROM activities").num_rows == 1


def test_stored_answers_are_as_old_as_before_when_a_later_one_is_understood(world, monkeypatch):
    activity_id = synced(world)
    first_epoch_s = entry(world, activity_id).kept_since_epoch_s
    world.clock.advance(DAY_S)
    world.control.rename(activity_id, "Renamed")
    with monkeypatch.context() as patched:
        patched.setattr("include.lake.rows.synced._identifier", _refuse)
        sync(world.services, world.item(activity_id), source="webhook")
    assert entry(world, activity_id).state is ActivityState.QUARANTINED
    assert replayed(world).activities == 1
    assert entry(world, activity_id).kept_since_epoch_s == first_epoch_s


def _refuse(*_):
    from include.errors import UnexpectedShape

    raise UnexpectedShape("not understood")


def test_two_replays_at_once_do_the_same(world, history):
    before = tables(world)
    shutil.rmtree(root(world) / "streams")
    for chunk in plan(world.services, PARENT_ID):
        leases = [
            world.services.state.activities.acquire(PARENT_ID, number, fresh=False) for number in chunk.activity_ids
        ]
        assert replay(world.services, chunk).busy == len(chunk.activity_ids)
        for lease in leases:
            world.services.state.activities.settle(lease, lease.entry)
        replay(world.services, chunk)
    assert tables(world) == before
