"""What an audit finds beside other work, and what its repair leaves in the ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.lake.objects.objects import Condition
from include.pipeline.ingest.sync import sync
from include.pipeline.retention.audit import Audited, athlete_ids, audit
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.copies.ledger import Copy, CopyState

pytestmark = pytest.mark.network

PARENT_ID = 71


def stored(world, count=1, **values):
    """Activities in the lake, each in a month of its own."""
    ids = [world.finish(announce=False, hours_ago=1 + 24 * 31 * at, points=5, **values) for at in range(count)]
    for activity_id in ids:
        sync(world.services, world.item(activity_id), source="webhook")
    return ids


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def forget(world, *activity_ids):
    for activity_id in activity_ids:
        assert world.services.state.activities.forget(PARENT_ID, activity_id)


def audited(world, *, dry_run=False):
    return audit(world.services, PARENT_ID, dry_run=dry_run)


@pytest.fixture
def meanwhile(world, monkeypatch):
    """Has this happen once, after the audit has compared and before it repairs."""
    get = world.services.state.athletes.get

    def happen(work):
        works = [work]

        def get_after(athlete_id):
            if works:
                works.pop()()
            return get(athlete_id)

        monkeypatch.setattr(world.services.state.athletes, "get", get_after)

    return happen


def test_repaired_unknown_rows_are_noted_and_due_now(world):
    [activity_id] = stored(world)
    keys = entry(world, activity_id).object_keys
    forget(world, activity_id)

    assert audited(world) == Audited(objects=3, activities=1, unknown=1, repaired=1)

    known = LedgerEntry.unknown(PARENT_ID, activity_id).removed(None, "")
    now = int(world.clock.now_epoch_s)
    assert entry(world, activity_id) == replace(known, object_keys=keys, next_try_epoch_s=now)


def test_repaired_lost_rows_stay_noted_and_are_due_now(world):
    [activity_id] = stored(world)
    before = entry(world, activity_id)
    world.services.lake.objects.delete(before.object_keys[0], expected=Condition.ANYTHING)

    assert audited(world) == Audited(objects=2, activities=1, lost=1, repaired=1)
    assert entry(world, activity_id) == replace(before, next_try_epoch_s=int(world.clock.now_epoch_s))


def test_activity_that_is_fetched_anyway_is_no_difference_and_hides_no_other(world):
    ids = stored(world, 5)
    forget(world, *ids)
    for activity_id in (ids[0], ids[1], ids[3], ids[4]):
        world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s))

    found = audited(world, dry_run=True)

    assert (found.activities, found.unknown, found.repaired) == (5, 1, 0)


def test_difference_that_a_worker_begins_with_meanwhile_is_left_to_it(world, meanwhile):
    [activity_id] = stored(world)
    forget(world, activity_id)
    leases = []
    meanwhile(lambda: leases.append(world.services.state.activities.acquire(PARENT_ID, activity_id)))

    assert audited(world) == Audited(objects=3, activities=1, unknown=1, repaired=0)
    assert not world.services.state.activities.settle(leases[0], entry(world, activity_id)), "it is not asked again"


def test_difference_that_a_sync_settles_meanwhile_is_not_repaired(world, meanwhile):
    [activity_id] = stored(world)
    forget(world, activity_id)
    meanwhile(lambda: sync(world.services, world.item(activity_id), source="webhook"))

    assert audited(world) == Audited(objects=3, activities=1, unknown=1, repaired=0)
    after = entry(world, activity_id)
    assert (after.state, after.due_at_epoch_s) == (ActivityState.SYNCED, None)


def test_difference_that_another_audit_repairs_meanwhile_is_repaired_once(world, meanwhile):
    ids = stored(world, 2)
    forget(world, *ids)
    done = []

    def other_audit():
        done.append(audited(world).repaired)
        world.clock.advance(60)

    meanwhile(other_audit)

    assert (audited(world).repaired, done) == (0, [2])
    assert [entry(world, activity_id).due_at_epoch_s for activity_id in ids] == [int(world.clock.now_epoch_s) - 60] * 2


def test_unknown_rows_that_go_meanwhile_leave_nothing_due(world, meanwhile):
    [activity_id] = stored(world)
    forget(world, activity_id)
    objects = world.services.lake.objects
    meanwhile(lambda: [objects.delete(key, expected=Condition.ANYTHING) for key in list(objects.list(""))])

    assert audited(world) == Audited(objects=3, activities=1, unknown=1, repaired=0)
    assert entry(world, activity_id).due_at_epoch_s is None
    assert audited(world) == Audited()


def test_copies_that_an_older_version_gave_up_are_due_again_but_not_after_a_dry_run(world):
    now = int(world.clock.now_epoch_s)
    failed = Copy(5, 72, PARENT_ID, CopyState.FAILED, "Strava gave no reason.", planned_at_epoch_s=now)
    world.services.state.copies.plan(failed)

    audited(world, dry_run=True)
    assert world.services.state.copies.get(5, 72).next_try_epoch_s is None
    audited(world)
    assert world.services.state.copies.get(5, 72).next_try_epoch_s is not None


def test_rows_of_an_athlete_whom_nobody_knows_are_counted_and_left(world):
    [activity_id] = stored(world)
    for key in list(world.services.lake.objects.list("")):
        if "athlete_id=71/year" in key:
            body = world.services.lake.objects.get(key).body
            other = key.replace("athlete_id=71", "athlete_id=5")
            world.services.lake.objects.put(other, body, expected=Condition.ABSENT)

    assert audit(world.services, 5, dry_run=False) == Audited(objects=3, activities=1, unknown=1)
    assert world.services.state.activities.get(5, activity_id) is None


@pytest.mark.parametrize("table", ["streams", "activities", "laps"])
def test_athletes_of_every_table_are_found_and_what_is_nobodys_is_not(world, table):
    for name in (f"{table}/athlete_id=5/year=2026/2026-06.parquet", f"{table}/athlete_id=x/1", f"{table}/readme"):
        world.services.lake.objects.put(name, b"", expected=Condition.ABSENT)

    assert athlete_ids(world.services) == [5, PARENT_ID]
