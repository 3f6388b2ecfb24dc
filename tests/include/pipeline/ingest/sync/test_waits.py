"""What a sync waits for, and what others do to the activity meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import LeaseLost, StravaUnavailable
from include.lake.table_object import decode
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import NotThereYet, sync
from include.pipeline.ingest.sync_item import SyncItem
from include.state.activities.ledger import ActivityState
from local.strava_simulator.api.faults import Faults
from tests.include.pipeline.ingest.sync.synced import PARENT_ID, entry, reads, synced

pytestmark = pytest.mark.network


def test_404_after_a_delete_event_of_an_activity_never_seen_costs_one_read(world):
    activity_id = world.finish()
    world.control.delete_activity(activity_id)
    (item,) = plan(world.services, [world.event(activity_id, aspect_type="delete")])
    assert sync(world.services, item, source="webhook").state == "removed"
    assert reads(world) == 1


def test_404_right_after_the_event_is_tried_again(world):
    world.control.switch_faults(world.client_id, Faults(fresh_404s=1))
    activity_id = world.finish()
    with pytest.raises(NotThereYet):
        synced(world, activity_id)
    assert entry(world, activity_id).state is ActivityState.PENDING
    world.clock.advance(10)
    world.control.switch_faults(world.client_id, Faults())
    assert synced(world, activity_id).state == "synced"


def test_404_long_after_the_event_counts_as_gone(world):
    activity_id = world.finish()
    world.control.delete_activity(activity_id)
    item = replace(world.item(activity_id), event_at_epoch_s=int(world.clock.now_epoch_s) - 301)
    assert sync(world.services, item, source="webhook").state == "removed"


def test_spent_quota_sets_the_activity_aside_until_the_window_opens(world):
    activity_id = world.finish()
    other_id = world.finish(hours_ago=5)
    for _ in range(99):
        world.services.strava.client.activity(PARENT_ID, other_id)
    result = synced(world, activity_id)
    waiting = entry(world, activity_id)
    assert (result.state, waiting.state) == ("pending", ActivityState.PENDING)
    assert waiting.next_try_epoch_s == int(world.clock.now_epoch_s) // 900 * 900 + 901
    assert waiting.reason == "Strava's limit of calls for this service is used up."
    world.clock.now_epoch_s = waiting.next_try_epoch_s
    assert synced(world, activity_id).state == "synced"


def test_failing_call_leaves_the_activity_pending_and_free_for_the_next_try(world, monkeypatch):
    activity_id = world.finish()

    def broken(*_):
        raise StravaUnavailable("500")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activity", broken)
        with pytest.raises(StravaUnavailable):
            synced(world, activity_id)
    assert entry(world, activity_id).state is ActivityState.PENDING
    assert synced(world, activity_id).state == "synced"
    assert entry(world, activity_id).rounds == 0


def test_activity_that_another_run_holds_is_left_to_it(world):
    activity_id = world.finish()
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    assert "another run" in synced(world, activity_id).reason
    assert reads(world) == 0
    assert world.services.state.activities.settle(lease, entry(world, activity_id)) is True


def test_holder_fetches_again_when_the_activity_changed_meanwhile(world, monkeypatch):
    activity_id = world.finish(name="before")
    write, names = world.services.lake.tables.write, []

    def renamed_while_writing(rows, **options):
        if not names:
            world.control.rename(activity_id, "after")
            names.append(world.services.state.activities.acquire(PARENT_ID, activity_id))
        return write(rows, **options)

    monkeypatch.setattr(world.services.lake.tables, "write", renamed_while_writing)
    synced(world, activity_id)
    assert names == [None]
    assert world.sql("SELECT name FROM activities").to_pylist() == [{"name": "after"}]


def test_rows_of_a_write_that_broke_off_are_found_by_a_later_removal(world, monkeypatch):
    activity_id = world.finish()
    write = world.services.lake.tables.write

    def break_off(rows, **options):
        write(rows, **options)
        raise StravaUnavailable("the machine went down")

    with monkeypatch.context() as patched:
        patched.setattr(world.services.lake.tables, "write", break_off)
        with pytest.raises(StravaUnavailable):
            synced(world, activity_id)
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 1}]
    world.control.delete_activity(activity_id)
    world.clock.advance(301)
    item = replace(world.item(activity_id), event_at_epoch_s=0)
    assert sync(world.services, item, source="webhook").state == "removed"
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 0}]


def test_activity_of_somebody_else_is_not_stored_and_said_in_words_that_an_alarm_waits_for(world, monkeypatch, caplog):
    world.connect(72)
    activity_id = world.finish(announce=False)
    shown = world.services.strava.client.activity(71, activity_id)
    monkeypatch.setattr(world.services.strava.client, "activity", lambda *_: shown)
    synced = sync(world.services, SyncItem(72, activity_id, int(world.clock.now_epoch_s)), source="webhook")
    assert (synced.state, list(world.services.lake.objects.list(""))) == ("quarantined", [])
    assert f"Activity {activity_id} of athlete 72 is quarantined: " in caplog.text
    assert world.services.state.activities.get(71, activity_id) is None
    entry = world.services.state.activities.get(72, activity_id)
    assert (entry.due_at_epoch_s, entry.fetched_at_epoch_s) == (None, world.clock.now_epoch_s)


def test_stored_activity_that_is_once_shown_as_somebody_elses_is_looked_at_again(world, monkeypatch):
    activity_id = world.finish()
    synced(world, activity_id)
    anothers = replace(world.services.strava.client.activity(71, activity_id), athlete_id=72)
    world.clock.advance(1000)
    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activity", lambda *_: anothers)
        assert synced(world, activity_id).state == "quarantined"

    world.clock.advance(86_400)
    [due] = world.services.state.activities.due(world.clock.now_epoch_s)
    assert synced(world, due.activity_id).state == "synced"


def test_lost_lease_writes_nothing_to_the_lake(world, monkeypatch):
    activity_id = world.finish()
    fetch = world.services.strava.client.streams

    def slow(athlete_id, wanted_id):
        world.clock.advance(301)
        world.services.state.activities.acquire(PARENT_ID, activity_id)
        return fetch(athlete_id, wanted_id)

    monkeypatch.setattr(world.services.strava.client, "streams", slow)
    with pytest.raises(LeaseLost):
        synced(world, activity_id)
    assert list(world.services.lake.objects.list("streams/")) == []


@pytest.mark.parametrize("call", ["detail", "streams", "write"])
def test_run_that_has_lost_its_lease_writes_nothing_more(world, monkeypatch, call):
    activity_id, stored = world.finish(), []
    target, name = {
        "detail": (world.services.strava.client, "activity"),
        "streams": (world.services.strava.client, "streams"),
        "write": (world.services.state.activities, "note"),
    }[call]
    work = getattr(target, name)

    def slow(*arguments, **named):
        done = work(*arguments, **named)
        stored.extend(world.services.lake.objects.list(""))
        world.clock.advance(301)
        return done

    monkeypatch.setattr(target, name, slow)
    with pytest.raises(LeaseLost):
        synced(world, activity_id)
    assert list(world.services.lake.objects.list("")) == stored


def test_run_that_has_lost_its_lease_removes_nothing(world, monkeypatch):
    activity_id = world.finish()
    synced(world, activity_id)
    world.control.delete_activity(activity_id)
    before, witness = list(world.services.lake.objects.list("")), world.services.strava.client.activities

    def slow(*arguments, **named):
        page = list(witness(*arguments, **named))
        world.clock.advance(301)
        return iter(page)

    monkeypatch.setattr(world.services.strava.client, "activities", slow)
    with pytest.raises(LeaseLost):
        synced(world, activity_id)
    assert list(world.services.lake.objects.list("")) == before


@pytest.mark.parametrize("table", ["raw", "streams", "activities"])
def test_late_write_of_a_stalled_holder_is_found_and_undone(world, monkeypatch, table):
    activity_id = world.finish()
    put = world.services.lake.objects.put
    stalled = []

    def stall(key, body, *, expected):
        if key.startswith(table) and not stalled:
            stalled.append(key)
            world.clock.advance(301)
            world.control.delete_activity(activity_id)
            taken_over = sync(world.services, replace(world.item(activity_id), event_at_epoch_s=0), source="webhook")
            assert taken_over.state == "removed"
        return put(key, body, expected=expected)

    monkeypatch.setattr(
        type(world.services.lake.objects),
        "put",
        lambda self, key, body, *, expected: stall(key, body, expected=expected),
    )
    with pytest.raises(LeaseLost):
        synced(world, activity_id)
    assert held_keys(world, activity_id), "the stalled write came through, which nothing can prevent"

    world.clock.advance(301)
    due = [entry.activity_id for entry in world.services.state.activities.due(world.clock.now_epoch_s)]
    assert due == [activity_id]
    synced(world, activity_id)

    assert held_keys(world, activity_id) == []
    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert (entry.state, entry.object_keys, entry.next_try_epoch_s) == ("removed", (), None)


def held_keys(world, activity_id: int) -> list[str]:
    """The raw and table objects that hold anything of the activity."""
    objects = world.services.lake.objects
    raw = list(objects.list(f"raw/athlete_id={PARENT_ID}/{activity_id}."))
    tables = [key for name in ("streams", "activities", "laps") for key in objects.list(f"{name}/")]
    return raw + [key for key in tables if activity_id in decode(key, objects.get(key).body)["activity_id"].to_pylist()]
