"""What a replay plans, what it counts, and what it leaves in the ledger, whole."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.errors import LeaseLost, RetryLater
from include.lake.keys import raw_detail_key, raw_streams_key
from include.lake.objects.objects import Condition
from include.pipeline import replay as replay_module
from include.pipeline.replay import Chunk, Replayed, plan, replay
from include.state.activities.ledger import ActivityState, LedgerEntry
from tests.include.pipeline.replay.replayed import PARENT_ID, entry, replayed, synced, tables

pytestmark = pytest.mark.network

KEYS = ("activities/athlete_id=71/year=2026/2026.parquet",)
JUNE_S = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
POINTS = 60
ROWS = POINTS + 1 + 1
"""Of an invented run: its points, itself and its lap."""


def known(world, activity_id, start_at_epoch_s=JUNE_S, **changes):
    """An activity as the ledger alone knows it."""
    activities = world.services.state.activities
    lease = activities.acquire(PARENT_ID, activity_id)
    synced_one = replace(
        LedgerEntry.unknown(PARENT_ID, activity_id),
        state=ActivityState.SYNCED,
        object_keys=KEYS,
        start_at_epoch_s=start_at_epoch_s,
    )
    activities.settle(lease, replace(synced_one, **changes))


def amend(world, activity_id, **changes):
    activities = world.services.state.activities
    lease = activities.acquire(PARENT_ID, activity_id)
    activities.settle(lease, replace(lease.entry, **changes))


def put(world, key, body=b"no gzip"):
    world.services.lake.objects.put(key, body, expected=Condition.ANYTHING)


def lose_laps(world):
    """Lose the rows of a table, so that there is something to write."""
    for key in list(world.services.lake.objects.list("laps/")):
        world.services.lake.objects.delete(key, expected=Condition.ANYTHING)


def test_results_of_chunks_are_summed_up():
    first, second = Replayed(1, 2, 3, ("a",)), Replayed(10, 20, 30, ("b", "c"))
    assert first + second == Replayed(11, 22, 33, ("a", "b", "c"))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_chunks_are_as_large_as_they_may_be_and_in_the_order_of_the_ids(alone, monkeypatch, count):
    monkeypatch.setattr(replay_module, "CHUNK", 2)
    for activity_id in range(count, 0, -1):
        known(alone, activity_id)
    ids = [*range(1, count + 1)]

    assert plan(alone.services, PARENT_ID) == [
        Chunk(PARENT_ID, tuple(ids[start : start + 2])) for start in range(0, count, 2)
    ]


def test_activities_without_a_start_come_first_and_whatever_the_first_start_is(alone):
    known(alone, 1), known(alone, 2, None), known(alone, 3, JUNE_S - 1)
    everything = [Chunk(PARENT_ID, (number,)) for number in (2, 3, 1)]

    assert plan(alone.services, PARENT_ID) == everything
    since_june = datetime.fromtimestamp(JUNE_S, UTC)
    assert plan(alone.services, PARENT_ID, since_june) == [everything[0], everything[2]]


@pytest.mark.parametrize(
    ("changes", "is_planned"),
    [
        pytest.param({"object_keys": ()}, False, id="no rows"),
        pytest.param({"state": ActivityState.PENDING}, True, id="to be fetched again"),
        pytest.param({"state": ActivityState.REMOVED}, False, id="removed, perhaps with rows"),
        pytest.param({"state": ActivityState.EXPIRED}, False, id="expired, perhaps with rows"),
        pytest.param({"state": ActivityState.QUARANTINED, "object_keys": ()}, True, id="not understood before"),
    ],
)
def test_activities_are_rebuilt_that_have_rows_or_were_not_understood(alone, changes, is_planned):
    known(alone, 1, **changes)
    assert plan(alone.services, PARENT_ID) == [Chunk(PARENT_ID, (1,))] * is_planned


def test_counts_tell_the_rebuilt_from_the_held_and_the_unreadable(world):
    fine, held, broken = (synced(world, hours_ago=hours) for hours in (1, 5, 9))
    put(world, raw_detail_key(PARENT_ID, broken))
    world.services.state.activities.acquire(PARENT_ID, held)
    lose_laps(world)
    chunk = Chunk(PARENT_ID, (fine, held, broken))

    dry = replay(world.services, chunk, dry_run=True)
    assert dry == Replayed(2, 2 * ROWS, 0, dry.unreadable)
    done = replay(world.services, chunk)
    assert done == Replayed(1, ROWS, busy=1, unreadable=dry.unreadable)
    [message] = done.unreadable
    assert message.count(raw_detail_key(PARENT_ID, broken)) == 1


def test_activities_of_a_lost_lease_count_as_held(world, monkeypatch):
    lost, held, broken = (synced(world, hours_ago=hours) for hours in (1, 5, 9))
    put(world, raw_streams_key(PARENT_ID, broken))
    world.services.state.activities.acquire(PARENT_ID, held)
    lose_laps(world)

    def stalled(*_, **__):
        raise LeaseLost("it ran out")

    monkeypatch.setattr(world.services.state.activities, "check", stalled)
    done = replay(world.services, Chunk(PARENT_ID, (lost, held, broken)))

    assert (done.activities, done.rows, done.busy, len(done.unreadable)) == (0, 0, 2, 1)
    assert raw_streams_key(PARENT_ID, broken) in done.unreadable[0]


def test_unreadable_table_object_is_named_beside_the_held_and_the_unreadable(world):
    fine, held, broken = (synced(world, hours_ago=hours) for hours in (1, 5, 9))
    put(world, raw_detail_key(PARENT_ID, broken))
    [key] = world.services.lake.objects.list("streams/")
    put(world, key, b"no parquet")
    world.services.state.activities.acquire(PARENT_ID, held)

    done = replay(world.services, Chunk(PARENT_ID, (fine, held, broken)))

    assert (done.activities, done.rows, done.busy, len(done.unreadable)) == (0, 0, 1, 2)
    assert raw_detail_key(PARENT_ID, broken) in done.unreadable[0]
    assert key in done.unreadable[1]


def test_activity_that_went_meanwhile_is_not_rebuilt(world):
    gone, forgotten = synced(world), synced(world, hours_ago=5)
    chunks = plan(world.services, PARENT_ID)
    lease = world.services.state.activities.acquire(PARENT_ID, gone)
    world.services.state.activities.settle(lease, lease.entry.removed(world.clock.now_epoch_s, "gone"))
    world.services.state.activities.forget(PARENT_ID, forgotten)
    lose_laps(world)
    before = tables(world)

    assert [replay(world.services, chunk) for chunk in chunks] == [Replayed()]
    assert tables(world) == before


def test_lost_rows_are_as_old_as_the_answer_that_they_come_from(world):
    fetched_at = world.clock.now_epoch_s
    activity_id = synced(world)
    world.clock.advance(3600)
    for key in tables(world):
        world.services.lake.objects.delete(key, expected=Condition.ANYTHING)
    replayed(world)

    [row] = world.sql("SELECT activity_id, source, updated_at FROM activities").to_pylist()
    assert (row["activity_id"], row["source"]) == (activity_id, "webhook")
    assert row["updated_at"].replace(tzinfo=UTC).timestamp() == fetched_at


def test_rows_of_an_answer_without_a_time_are_of_now(world):
    activity_id = synced(world)
    amend(world, activity_id, fetched_at_epoch_s=None)
    world.clock.advance(3600)
    for key in tables(world):
        world.services.lake.objects.delete(key, expected=Condition.ANYTHING)
    replayed(world)

    [row] = world.sql("SELECT updated_at FROM activities").to_pylist()
    assert row["updated_at"].replace(tzinfo=UTC).timestamp() == world.clock.now_epoch_s
    assert entry(world, activity_id).fetched_at_epoch_s is None


def test_rebuilt_quarantined_activity_keeps_its_times_its_objects_and_what_is_due(world):
    activity_id = synced(world)
    synced_before, first_epoch_s = entry(world, activity_id), world.clock.now_epoch_s
    tomorrow = int(first_epoch_s) + 86_400
    amend(
        world,
        activity_id,
        **{"state": ActivityState.QUARANTINED, "reason": "odd", "points": 0, "fingerprint": ""},
        **{"oldest_answer_epoch_s": first_epoch_s - 60, "next_try_epoch_s": tomorrow},
    )
    replayed(world)

    assert entry(world, activity_id) == replace(
        synced_before, oldest_answer_epoch_s=first_epoch_s - 60, next_try_epoch_s=tomorrow
    )


def test_quarantined_activity_without_an_answer_stays_so_and_counts_as_nothing(alone):
    known(alone, 5, state=ActivityState.QUARANTINED, object_keys=(), reason="odd")
    before = entry(alone, 5)

    assert [replayed(alone), replayed(alone, dry_run=True)] == [Replayed()] * 2
    assert entry(alone, 5) == before


def test_rows_of_a_write_that_broke_off_are_known_to_the_ledger(world, monkeypatch):
    activity_id = synced(world)
    keys = entry(world, activity_id).object_keys
    for key in keys:
        world.services.lake.objects.delete(key, expected=Condition.ANYTHING)
    amend(world, activity_id, state=ActivityState.QUARANTINED, object_keys=())
    write = world.services.lake.tables.write

    def break_off(rows, **options):
        write(rows, **options)
        raise RetryLater("the machine went down")

    monkeypatch.setattr(world.services.lake.tables, "write", break_off)
    with pytest.raises(RetryLater):
        replayed(world)

    assert (tuple(tables(world)), entry(world, activity_id).object_keys) == (keys, keys)


def test_rows_in_an_object_that_they_no_longer_belong_to_go(world):
    activity_id = synced(world)
    keys = entry(world, activity_id).object_keys
    [month] = [key for key in keys if key.startswith("streams/")]
    wrong = month.replace("2026-06", "2026-01")
    put(world, wrong, world.services.lake.objects.get(month).body)
    amend(world, activity_id, object_keys=(*keys, wrong))

    replayed(world)

    assert (tuple(tables(world)), entry(world, activity_id).object_keys) == (keys, keys)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        pytest.param({"athlete": {"id": 72}}, "activity {0} of 72", id="another athlete's"),
        pytest.param({"id": 5}, "activity 5 of 71", id="another one"),
    ],
)
def test_answer_about_another_activity_is_named_and_not_used(world, odd, said):
    activity_id = synced(world)
    key, lake = raw_detail_key(PARENT_ID, activity_id), world.services.lake
    answer = {**lake.raw.detail(PARENT_ID, activity_id).fields, **odd}
    put(world, key, gzip.compress(json.dumps(answer).encode()))

    done = replay(world.services, Chunk(PARENT_ID, (activity_id,)))

    assert done == Replayed(unreadable=(f"{key}: the object is about {said.format(activity_id)}",))


def test_answer_that_is_lost_is_named_and_the_rows_stay(world):
    activity_id = synced(world)
    key, before = raw_detail_key(PARENT_ID, activity_id), tables(world)
    world.services.lake.objects.delete(key, expected=Condition.ANYTHING)

    done = replay(world.services, Chunk(PARENT_ID, (activity_id,)))

    said = f"{key}: there is no such object, although the lake has rows of the activity"
    assert (done, tables(world)) == (Replayed(unreadable=(said,)), before)


def test_month_of_more_than_sixty_activities_is_written_in_several_chunks(alone):
    for activity_id in range(1, 62):
        known(alone, activity_id)

    assert [len(chunk.activity_ids) for chunk in plan(alone.services, PARENT_ID)] == [60, 1]
