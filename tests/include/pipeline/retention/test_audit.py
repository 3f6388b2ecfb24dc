"""The lake against the ledger: what differs is found, and put right by fetching it again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from include.lake.objects.objects import Condition
from include.lake.table_object import activity_ids
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import queue_due
from include.pipeline.retention.audit import Audited, athlete_ids, audit
from include.pipeline.retention.expiry import expire
from include.queue.content import parse as parse_content
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.store.store import Key

pytestmark = pytest.mark.network

PARENT_ID = 71


def synced(world, **values):
    activity_id = world.finish(announce=False, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def audited(world, *, dry_run=False):
    return audit(world.services, PARENT_ID, dry_run=dry_run)


def settled(world):
    """Do what reconcile and ingest do with what is due."""
    queue_due(world.services)
    messages = world.services.queue.receive(100, visibility_s=30)
    for message in messages:
        world.services.queue.delete(message)
    for item in plan(world.services, [parse_content(message.body).event for message in messages]):
        sync(world.services, item, source="webhook")


def forget(world, activity_id):
    """Lose the ledger's row of an activity."""
    store = world.services.state.activities._store
    key = Key("activities", str(PARENT_ID), str(activity_id))
    store.delete(key, expected_version=store.get(key).version)


def lake(world):
    return {key: world.services.lake.objects.get(key).body for key in world.services.lake.objects.list("")}


def in_tables(world):
    keys = [key for key in lake(world) if key.endswith(".parquet")]
    return {activity_id for key in keys for activity_id in activity_ids(key, lake(world)[key])}


def test_lake_that_agrees_with_the_ledger_is_left_alone(world):
    synced(world), synced(world, hours_ago=24 * 40)
    before = lake(world)
    assert audited(world) == Audited(objects=4, activities=2)
    assert (lake(world), queue_due(world.services).activities) == (before, 0)


def test_empty_lake_and_ledger_agree(world):
    assert audited(world) == Audited()


def test_rows_that_nobody_knows_are_fetched_again(world):
    activity_id = synced(world)
    forget(world, activity_id)
    result = audited(world)
    assert (result.unknown, result.lost, result.repaired) == (1, 0, 1)
    settled(world)
    assert world.services.state.activities.get(PARENT_ID, activity_id).state is ActivityState.SYNCED
    assert audited(world) == Audited(objects=3, activities=1)


def test_rows_that_nobody_knows_go_when_strava_does_not_know_them_either(world):
    activity_id = synced(world)
    world.control.delete_activity(activity_id)
    forget(world, activity_id)
    audited(world)
    settled(world)
    assert in_tables(world) == set()
    assert audited(world) == Audited()


@pytest.mark.parametrize("table", ["streams", "activities", "laps"])
def test_lost_object_is_made_again_without_fetching_the_streams(world, table):
    synced(world), synced(world, hours_ago=2)
    before = lake(world)
    [key] = [key for key in before if key.startswith(f"{table}/")]
    world.services.lake.objects.delete(key, expected=Condition.ANYTHING)
    result = audited(world)
    assert (result.unknown, result.lost, result.repaired) == (0, 2, 2)
    settled(world)
    assert lake(world).keys() == before.keys()
    assert audited(world) == Audited(objects=3, activities=2)


def test_rows_in_an_object_that_the_ledger_does_not_name_go(world):
    activity_id = synced(world)
    root = Path(urlsplit(world.settings.lake_url).path)
    month = root / "streams" / f"athlete_id={PARENT_ID}" / "year=2026" / "2026-06.parquet"
    shutil.copy(month, month.with_name("2026-01.parquet"))
    assert audited(world).unknown == 1
    settled(world)
    assert not month.with_name("2026-01.parquet").exists()
    assert in_tables(world) == {activity_id}
    assert audited(world) == Audited(objects=3, activities=1)


def test_rows_of_an_expired_activity_go_without_a_call(world):
    activity_id = synced(world)
    copies = {key: body for key, body in lake(world).items() if key.endswith(".parquet")}
    world.clock.advance(7 * 86_400)
    expire(world.services, PARENT_ID, 7, dry_run=False)
    for key, body in copies.items():
        world.services.lake.objects.put(key, body, expected=Condition.ABSENT)  # as an old backup would bring them back
    calls = world.calls()
    assert audited(world).repaired == 1
    expire(world.services, PARENT_ID, 7, dry_run=False)
    assert (in_tables(world), world.calls()) == (set(), calls)
    assert world.services.state.activities.get(PARENT_ID, activity_id).state is ActivityState.EXPIRED


def test_dry_run_counts_and_changes_nothing(world):
    activity_id = synced(world)
    forget(world, activity_id)
    result = audited(world, dry_run=True)
    assert (result.unknown, result.repaired) == (1, 0)
    assert world.services.state.activities.get(PARENT_ID, activity_id) is None


def test_work_under_way_is_no_difference(world):
    activity_id = synced(world)
    forget(world, activity_id)
    world.services.state.activities.acquire(PARENT_ID, activity_id)
    assert audited(world) == Audited(objects=3, activities=1)


def test_athlete_who_is_not_connected_is_only_reported(world):
    forget(world, synced(world))
    world.services.state.athletes.mark(PARENT_ID, AthleteStatus.NEEDS_REAUTH)
    result = audited(world)
    assert (result.unknown, result.repaired) == (1, 0)


def test_unreadable_object_is_named_and_the_rest_is_checked(world):
    activity_id = synced(world)
    [key] = [key for key in lake(world) if key.startswith("laps/")]
    world.services.lake.objects.put(key, b"no parquet", expected=Condition.ANYTHING)
    result = audited(world)
    assert (result.activities, result.unknown, result.lost) == (1, 0, 0)
    assert key in result.unreadable[0]
    assert "make replay" in result.unreadable[0]
    assert result.to_json()["unreadable"] == 1
    assert world.services.state.activities.get(PARENT_ID, activity_id).next_try_epoch_s is None


def test_difference_is_repaired_beside_an_unreadable_object(world):
    activity_id = synced(world)
    [laps] = [key for key in lake(world) if key.startswith("laps/")]
    [streams] = [key for key in lake(world) if key.startswith("streams/")]
    world.services.lake.objects.put(laps, b"no parquet", expected=Condition.ANYTHING)
    world.services.lake.objects.delete(streams, expected=Condition.ANYTHING)
    result = audited(world)
    assert (result.lost, result.repaired, len(result.unreadable)) == (1, 1, 1)
    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert laps in entry.object_keys
    assert entry.next_try_epoch_s is not None


def test_athletes_whom_only_the_lake_knows_are_found(world):
    synced(world)
    world.services.lake.objects.put("streams/athlete_id=5/year=2026/2026-06.parquet", b"", expected=Condition.ABSENT)
    assert athlete_ids(world.services) == [5, PARENT_ID]
    assert len(audit(world.services, 5, dry_run=False).unreadable) == 1


def test_ledger_row_that_names_too_much_is_put_right(world):
    activity_id = synced(world)
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    extra = f"streams/athlete_id={PARENT_ID}/year=2026/2026-02.parquet"
    noted = replace(lease.entry, object_keys=(*lease.entry.object_keys, extra))
    world.services.state.activities.settle(lease, noted)
    assert audited(world).lost == 1
    settled(world)
    assert audited(world) == Audited(objects=3, activities=1)
