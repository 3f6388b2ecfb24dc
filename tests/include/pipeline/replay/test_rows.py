"""The lake's tables made again from the raw zone: the same bytes, no call, nothing written where nothing changed."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.lake.keys import raw_detail_key, raw_streams_key
from include.lake.objects.objects import Condition
from include.lake.rows import synced as lake_rows
from include.pipeline import replay as replay_module
from include.pipeline.replay import plan
from tests.include.pipeline.replay.replayed import PARENT_ID, entry, replayed, root, synced, tables

pytestmark = pytest.mark.network

DAY_S = 86_400


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
