"""The lake's tables made again from the raw zone: the same bytes, no call, nothing written where nothing changed."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from include.errors import LeaseLost
from include.lake.keys import raw_detail_key, raw_streams_key
from include.lake.objects.objects import Condition
from include.lake.rows import synced as lake_rows
from include.pipeline import replay as replay_module
from include.pipeline.backfill.history import keys, list_on
from include.pipeline.backfill.loading import load
from include.pipeline.ingest.events import plan as plan_events
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import Queued, queue_due
from include.pipeline.replay import Replayed, plan, replay
from include.pipeline.retention.expiry import expire
from include.state.activities.ledger import ActivityState

pytestmark = pytest.mark.network

PARENT_ID = 71
DAY_S = 86_400


def synced(world, kind="run", **values):
    activity_id = world.finish(kind, announce=False, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


@pytest.fixture
def history(world):
    """Two months of the lake: some activities from events, some from a backfill, one without streams, one by hand."""
    ids = [synced(world, hours_ago=24 * day) for day in (1, 2, 40)]
    ids.append(synced(world, "swim", hours_ago=24 * 41))
    others = [world.finish(kind, hours_ago=24 * 3, announce=False) for kind in ("ride", "indoor_ride", "treadmill")]
    days = {"athlete": PARENT_ID, "from": "2026-01-01", "to": "2026-12-31", "dry_run": False}
    load(world.services, keys(list_on(world.services, world.ask(days))))
    return [*ids, *others]


def root(world):
    return Path(urlsplit(world.settings.lake_url).path)


def tables(world):
    return {
        key: world.services.lake.objects.get(key).body
        for key in world.services.lake.objects.list("")
        if "parquet" in key
    }


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def replayed(world, first_start_at=None, **changes):
    done = Replayed()
    for chunk in plan(world.services, PARENT_ID, first_start_at):
        done += replay(world.services, chunk, **changes)
    return done


@pytest.fixture
def writes(world, monkeypatch):
    """The keys of the objects that are written or deleted from now on."""
    keys = []
    for name in ("put", "delete"):
        call = getattr(world.services.lake.objects, name)

        def recorded(key, *arguments, call=call, **named):
            keys.append(key)
            return call(key, *arguments, **named)

        monkeypatch.setattr(world.services.lake.objects, name, recorded)
    return keys


def test_nothing_is_written_and_no_call_is_made_where_nothing_changed(world, history, writes):
    before, calls = tables(world), world.calls()
    ledger = [entry(world, activity_id) for activity_id in history]
    done = replayed(world)
    assert (done.activities, done.busy, done.unreadable) == (len(history), 0, ())
    assert (writes, tables(world), world.calls()) == ([], before, calls)
    assert [entry(world, activity_id) for activity_id in history] == ledger


def test_whole_tables_come_back_byte_for_byte(world, history):
    before = tables(world)
    for table in ("streams", "activities", "laps"):
        shutil.rmtree(root(world) / table)
    assert tables(world) == {}
    done = replayed(world)
    assert tables(world) == before
    assert done.rows > 0


def test_changed_transform_reaches_every_row(world, history, monkeypatch):
    build = lake_rows.activity_table

    def renamed(activity, *arguments, **named):
        changed = replace(activity, fields={**activity.fields, "sport_type": "Changed"})
        return build(changed, *arguments, **named)

    monkeypatch.setattr(lake_rows, "activity_table", renamed)
    replayed(world)
    found = world.sql("SELECT DISTINCT sport_type FROM activities").column("sport_type").to_pylist()
    assert found == ["Changed"]


def test_each_object_is_written_once_for_a_month_and_its_year(world, history, writes):
    shutil.rmtree(root(world) / "streams")
    replayed(world)
    written = [key for key in writes if key.startswith("streams/")]
    assert sorted(written) == sorted(set(written))
    assert len(written) == 2


def test_chunks_hold_one_month_each_oldest_first(world, history, monkeypatch):
    monkeypatch.setattr(replay_module, "CHUNK", 2)
    chunks = plan(world.services, PARENT_ID)
    months = [
        {datetime.fromtimestamp(entry(world, number).start_at_epoch_s, UTC).month for number in chunk.activity_ids}
        for chunk in chunks
    ]
    assert months == [{5}, {6}, {6}, {6}]
    assert max(len(chunk.activity_ids) for chunk in chunks) == 2
    assert sorted(number for chunk in chunks for number in chunk.activity_ids) == sorted(history)


def test_month_of_a_chunk_ends_with_its_last_second(world):
    june = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
    for second in (june - 1, june):
        synced(world, hours_ago=(world.clock.now_epoch_s - second) / 3600)

    chunks = plan(world.services, PARENT_ID)
    starts = [[entry(world, number).start_at_epoch_s for number in chunk.activity_ids] for chunk in chunks]

    assert starts == [[june - 1], [june]]


def test_since_leaves_older_activities_alone(world, history):
    shutil.rmtree(root(world) / "streams")
    replayed(world, first_start_at=datetime(2026, 6, 1, tzinfo=UTC))
    assert [key for key in tables(world) if key.startswith("streams/")] == [
        f"streams/athlete_id={PARENT_ID}/year=2026/2026-06.parquet"
    ]


def test_dry_run_reads_everything_and_writes_nothing(world, history, writes):
    shutil.rmtree(root(world) / "laps")
    ledger = [entry(world, activity_id) for activity_id in history]
    done = replayed(world, dry_run=True)
    assert done.activities == len(history)
    assert writes == []
    assert [entry(world, activity_id) for activity_id in history] == ledger


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"no gzip", id="no gzip"),
        pytest.param(gzip.compress(b"{}" * 99)[:-9], id="cut off"),
        pytest.param(gzip.compress(b"no json"), id="no JSON"),
        pytest.param(gzip.compress(b"[]"), id="another kind of JSON"),
        pytest.param(gzip.compress(b"[" * 100_000), id="nested too deep"),
        pytest.param(gzip.compress(b'{"time": 1}'), id="no activity and no stream"),
    ],
)
@pytest.mark.parametrize("key_of", [raw_detail_key, raw_streams_key])
def test_unreadable_object_is_named_and_the_rest_goes_on(world, history, key_of, body):
    key = key_of(PARENT_ID, history[0])
    world.services.lake.objects.put(key, body, expected=Condition.ANYTHING)
    before = tables(world)
    done = replayed(world)
    assert done.activities == len(history) - 1
    [message] = done.unreadable
    assert key in message
    assert tables(world) == before
    assert entry(world, history[0]).next_try_epoch_s is None


def test_missing_and_mixed_up_objects_are_named(world, history):
    world.services.lake.objects.delete(raw_detail_key(PARENT_ID, history[0]), expected=Condition.ANYTHING)
    other = world.services.lake.objects.get(raw_detail_key(PARENT_ID, history[2])).body
    world.services.lake.objects.put(raw_detail_key(PARENT_ID, history[1]), other, expected=Condition.ANYTHING)
    done = replayed(world)
    assert len(done.unreadable) == 2
    assert "no such object" in " ".join(done.unreadable)
    assert f"about activity {history[2]}" in " ".join(done.unreadable)


def test_unreadable_table_object_is_named_and_other_months_go_on(world, history):
    key = f"streams/athlete_id={PARENT_ID}/year=2026/2026-06.parquet"
    world.services.lake.objects.put(key, b"no parquet", expected=Condition.ANYTHING)
    done = replayed(world)
    assert (done.activities, len(done.unreadable)) == (2, 1)
    assert key in done.unreadable[0]
    world.services.lake.objects.delete(key, expected=Condition.ANYTHING)
    assert replayed(world).activities == len(history)


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
