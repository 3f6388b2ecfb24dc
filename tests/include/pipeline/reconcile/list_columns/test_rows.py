"""What Strava's lists show reaches the lake at no call, and nothing else comes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.lake.objects.objects import Condition
from include.pipeline.ingest.fingerprint import in_old_format
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes
from include.pipeline.reconcile.list_columns import ListedRows, update_from_list
from include.pipeline.replay import plan as plan_replay
from include.pipeline.replay import replay
from include.queue.content import parse as parse_content
from include.state.activities.ledger import ActivityState
from include.strava.models import Activity
from tests.include.pipeline.reconcile.list_columns.lists import FREE, row, synced, worked

pytestmark = pytest.mark.network

PARENT_ID = 71
HOUR_S, DAY_S = 3600, 86_400


def listed(world, hours=1):
    """Pass some hours, each with a listing; the activities that were looked at because of it."""
    looked_at = []
    for _ in range(hours):
        world.clock.advance(HOUR_S)
        list_athletes(world.services, world.settings)
        looked_at += worked(world)
    return looked_at


def page(world, *activity_ids, after_s=0.0, **changes):
    """The list as it shows these activities so long after now, each with these fields besides."""
    details = [world.control.activity(activity_id)["detail"] for activity_id in activity_ids]
    rows = [Activity.parse({**detail, "resource_state": 2, **changes}) for detail in details]
    return ListedRows(PARENT_ID, world.clock.now_epoch_s + after_s, rows)


def ledger(world):
    return {entry.activity_id: entry for entry in world.services.state.activities.of_athlete(PARENT_ID)}


@pytest.mark.parametrize("field", FREE)
def test_field_of_the_list_reaches_the_lake_without_a_call(world, field):
    column, value = FREE[field]
    activity_id = synced(world)
    before, entry = row(world, activity_id), world.services.state.activities.get(PARENT_ID, activity_id)
    world.control.change_silently(activity_id, **{field: value})
    calls = world.calls()
    assert listed(world) == []
    assert {route for route, count in world.calls().items() if count > calls.get(route, 0)} == {
        "GET /api/v3/athlete/activities"
    }
    after = row(world, activity_id)
    assert {name for name in after if after[name] != before[name]} == {column, "source", "updated_at"}
    assert (after[column], after["source"]) == (value, "reconcile")
    assert world.services.state.activities.get(PARENT_ID, activity_id) == entry


def test_value_that_was_taken_away_is_taken_out_of_the_lake(world):
    activity_id = synced(world)
    world.control.change_silently(activity_id, gear_id="b77")
    listed(world)
    world.control.change_silently(activity_id, gear_id=None)
    listed(world)
    assert row(world, activity_id)["gear_id"] is None


@pytest.mark.parametrize("stream", ["altitude", "distance"])
def test_corrected_recording_is_fetched_again_for_two_calls(world, stream):
    activity_id = synced(world)
    world.control.correct(activity_id, **{stream: 3.0})
    before = world.calls()
    assert listed(world) == [activity_id]
    assert sum(world.calls().values()) - sum(before.values()) == 2 + 2  # two lists, detail and streams
    told = row(world, activity_id)
    [most] = world.sql("SELECT max(altitude_m) AS altitude_m, max(distance_m) AS distance_m FROM streams").to_pylist()
    assert told["elev_high_m"] == pytest.approx(most["altitude_m"], abs=0.01)
    assert told["distance_m"] == most["distance_m"]


def test_look_by_hand_fetches_corrected_streams(world):
    activity_id = synced(world)
    world.control.correct(activity_id, altitude=3.0)
    sync(world.services, world.item(activity_id), source="webhook")
    [most] = world.sql("SELECT max(altitude_m) AS altitude_m FROM streams").to_pylist()
    assert row(world, activity_id)["elev_high_m"] == pytest.approx(most["altitude_m"], abs=0.01)


def test_corrected_recording_is_found_where_an_older_version_stored_it(world):
    activity_id = synced(world)
    activity = world.services.lake.raw.detail(PARENT_ID, activity_id)
    with world.services.state.activities.held(PARENT_ID, activity_id) as lease:
        world.services.state.activities.settle(lease, replace(lease.entry, fingerprint=in_old_format(activity)))
    assert listed(world, hours=2) == []
    world.control.correct(activity_id, altitude=3.0)
    assert listed(world, hours=3) == [activity_id]


def test_nothing_is_written_where_the_list_says_what_is_stored(world, monkeypatch):
    synced(world)
    put, keys = world.services.lake.objects.put, []
    monkeypatch.setattr(world.services.lake.objects, "put", lambda key, *a, **k: (keys.append(key), put(key, *a, **k)))
    assert listed(world, hours=3) == []
    assert {key.partition("/")[0] for key in keys} == {"freshness"}


def test_rows_of_one_object_are_written_once(world, monkeypatch):
    ids = [synced(world, hours_ago=hours) for hours in (1, 30, 60)]
    for number, activity_id in enumerate(ids):
        world.control.change_silently(activity_id, kudos_count=100 + number)
    put, keys = world.services.lake.objects.put, []
    monkeypatch.setattr(world.services.lake.objects, "put", lambda key, *a, **k: (keys.append(key), put(key, *a, **k)))
    listed(world)
    assert len(keys) == 1
    assert [row(world, activity_id)["kudos_count"] for activity_id in ids] == [100, 101, 102]


def test_row_that_was_fetched_after_the_list_stays(world):
    activity_id = synced(world)
    for after_s in (-HOUR_S, 0, 60):  # a minute: two clocks may differ by that
        update_from_list(
            world.services, page(world, activity_id, after_s=after_s, kudos_count=99), ledger(world), looked_at=()
        )
    assert row(world, activity_id)["kudos_count"] != 99


def test_row_that_somebody_works_on_stays(world):
    activity_id = synced(world)
    before = ledger(world)
    world.services.state.activities.acquire(PARENT_ID, activity_id)
    update_from_list(world.services, page(world, activity_id, after_s=200, kudos_count=99), before, looked_at=())
    assert row(world, activity_id)["kudos_count"] != 99


def test_row_of_which_something_is_due_stays(world):
    activity_id = synced(world)
    world.services.state.activities.make_due(PARENT_ID, activity_id, asked_at_epoch_s=int(world.clock.now_epoch_s))
    update_from_list(
        world.services, page(world, activity_id, after_s=HOUR_S, kudos_count=99), ledger(world), looked_at=()
    )
    assert row(world, activity_id)["kudos_count"] != 99


@pytest.mark.parametrize("state", [ActivityState.EXPIRED, ActivityState.REMOVED, ActivityState.QUARANTINED])
def test_row_that_is_not_to_be_there_does_not_come_back(world, state):
    activity_id = synced(world)
    before = ledger(world)
    with world.services.state.activities.held(PARENT_ID, activity_id) as lease:
        [key] = [key for key in lease.entry.object_keys if key.startswith("activities")]
        world.services.lake.tables.remove(PARENT_ID, [activity_id], [key], guard=lambda: None)
        world.services.state.activities.settle(lease, replace(lease.entry, state=state))
    update_from_list(world.services, page(world, activity_id, after_s=HOUR_S, kudos_count=99), before, looked_at=())
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 0}]


def test_fetch_that_comes_between_reading_and_writing_wins(world, monkeypatch):
    activity_id = synced(world)
    shown, before = page(world, activity_id, after_s=HOUR_S, kudos_count=99), ledger(world)
    put, raced = world.services.lake.objects.put, []

    def put_after_a_sync(key, body, *, expected):
        if not raced and key.startswith("activities"):
            raced.append(key)
            world.clock.advance(2 * HOUR_S)
            world.control.change_silently(activity_id, kudos_count=123)
            sync(world.services, world.item(activity_id), source="webhook")
        return put(key, body, expected=expected)

    monkeypatch.setattr(world.services.lake.objects, "put", put_after_a_sync)
    update_from_list(world.services, shown, before, looked_at=())
    assert (raced, row(world, activity_id)["kudos_count"]) == ([raced[0]], 123)


def test_object_that_cannot_be_read_keeps_nobody_from_being_listed(world):
    activity_id = synced(world)
    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    [key] = [key for key in entry.object_keys if key.startswith("activities")]
    world.services.lake.objects.put(key, b"no Parquet", expected=Condition.ANYTHING)
    other = world.finish(announce=False)
    world.control.change_silently(activity_id, kudos_count=99)
    world.clock.advance(HOUR_S)
    assert list_athletes(world.services, world.settings).lacking == 1
    assert other in [
        parse_content(message.body).event.object_id for message in world.services.queue.receive(10, visibility_s=9)
    ]


def test_row_that_followed_a_list_stays_so_when_the_tables_are_made_again(world):
    activity_id = synced(world)
    world.control.change_silently(activity_id, kudos_count=99, gear_id="b77")
    listed(world)
    before = row(world, activity_id)
    for chunk in plan_replay(world.services, PARENT_ID):
        replay(world.services, chunk)
    assert row(world, activity_id) == before
