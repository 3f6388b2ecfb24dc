"""A backfill loads what the lake lacks, at one call for each activity and one for each page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.pipeline.backfill.history import keys, summary
from include.pipeline.backfill.loading import ChunkLoaded
from include.pipeline.chunks import ACTIVITIES, in_chunks
from include.pipeline.ingest.sync import sync
from include.state.activities.ledger import ActivityState
from local.strava_simulator.api.script import Line
from tests.include.pipeline.backfill.history.shares import PARENT_ID, in_lake, loaded, planned, reads, row

pytestmark = pytest.mark.network


@pytest.mark.parametrize("count", [pytest.param(n, id=f"{n} activities") for n in (0, 1, 20, 21)])
def test_every_activity_is_in_exactly_one_chunk_oldest_first(world, count, finished):
    ids = finished(world, count)
    chunks = in_chunks(keys(planned(world)), ACTIVITIES)
    assert [activity_id for chunk in chunks for _, _, activity_id in chunk] == ids
    assert all(0 < len(chunk) <= ACTIVITIES for chunk in chunks)


def test_backfill_fills_the_lake_and_a_second_one_finds_nothing_to_do(world, finished):
    ids = finished(world, 12)
    results = loaded(world, planned(world))
    assert sum(result.loaded for result in results) == 12
    assert in_lake(world) == sorted(ids)
    world.clock.advance(1)
    again = planned(world)
    assert (again.found, again.in_lake, again.to_load, again.loaded) == (12, 12, (), 0)


def test_loading_costs_one_call_for_each_recorded_activity_and_none_for_manual_ones(world, finished):
    finished(world, 12)
    listed = planned(world)
    before = reads(world)
    loaded(world, listed)
    assert reads(world) - before == 9


def test_dry_run_counts_and_changes_nothing(world, finished):
    finished(world, 3)
    result = planned(world, dry_run=True)
    said = summary(result, world.clock.now_epoch_s)
    names = ("found", "in_lake", "changed", "to_load", "unreadable", "read_calls")
    assert [said[name] for name in names] == [3, 0, 0, 3, 0, 4]
    assert list(world.services.lake.objects.list("")) == []


def test_days_bound_the_backfill_on_both_sides(world, finished):
    ids = finished(world, 10)
    days = {"from": "2026-06-10", "to": "2026-06-12"}
    assert planned(world, **days).to_load == (*reversed(ids[3:6]),)


def test_dry_run_makes_nothing_due(world, finished):
    finished(world, 2)
    planned(world, dry_run=True)
    assert list(world.services.state.activities.due(float("inf"))) == []


@pytest.mark.parametrize(
    ("odd", "waits"),
    [
        pytest.param({"status": 500, "body": '{"message":"error"}'}, "a temporary fault", id="500"),
        pytest.param({"status": 502, "body": "<html>", "content_type": "text/html"}, "a temporary fault", id="502"),
        pytest.param({"body": "<html>", "content_type": "text/html"}, "a temporary fault", id="a page"),
        pytest.param({"status": 403, "body": '{"message":"Forbidden","errors":[]}'}, "BadRequest", id="403"),
        pytest.param({"status": 400, "body": '{"message":"Bad Request","errors":[]}'}, "BadRequest", id="400"),
    ],
)
def test_activity_that_always_fails_leaves_its_chunk_loaded_and_owns_its_rest(world, odd, waits, finished):
    ids = finished(world, 3)
    listed = planned(world)
    world.control.write_script(Line(route=f"GET /activities/{ids[1]}/streams", **odd))

    [result] = loaded(world, listed)

    assert (result.loaded, result.waiting) == (2, (waits,))
    assert in_lake(world) == [ids[0], ids[2]]
    assert world.control.script()[0]["calls"] <= 3
    assert not row(world, listed).is_open
    due_at = world.services.state.activities.get(PARENT_ID, ids[1]).due_at_epoch_s
    assert world.clock.now_epoch_s < due_at <= world.clock.now_epoch_s + 3600


def test_slow_strava_costs_no_lease_and_no_second_call(world, monkeypatch, finished):
    finished(world, 20)
    listed = planned(world)
    fetch, made = world.services.strava.client.streams, []

    def slow(*args):
        made.append(args)
        world.clock.advance(40)
        return fetch(*args)

    monkeypatch.setattr(world.services.strava.client, "streams", slow)
    [result] = loaded(world, listed)
    assert (result.loaded, result.waiting, len(made)) == (20, (), 15)


def test_streams_that_a_dead_run_stored_are_not_fetched_again_and_their_partitions_wait(world, monkeypatch, finished):
    ids = [world.finish(hours_ago=24 * 300, announce=False), *finished(world, 3)]
    listed = planned(world, **{"from": "2025-01-01"})
    fetch, made = world.services.strava.client.streams, []

    def dies(*args):
        if len(made) == 2:
            raise SystemExit
        made.append(args)
        return fetch(*args)

    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "streams", dies)
        with pytest.raises(SystemExit):
            loaded(world, listed)
    world.clock.advance(400)
    before = reads(world)
    [result] = loaded(world, listed)
    assert reads(world) - before == len(ids) - 1 - 2  # one is entered by hand
    assert result.loaded == len(ids)
    assert {each.partition.year for each in world.services.lake.partitions.waiting()} == {2025, 2026}
    assert loaded(world, listed) == [ChunkLoaded(loaded=0, points=0, skipped=0)]


def test_stored_points_stay_when_strava_says_once_that_there_is_no_recording(world):
    activity_id = world.finish(points=20, announce=False)
    sync(world.services, world.item(activity_id), source="webhook")
    lease = world.services.state.activities.acquire(PARENT_ID, activity_id)
    failed = replace(lease.entry, state=ActivityState.PENDING)
    world.services.state.activities.postpone(lease, failed)
    world.control.write_script(Line(route="GET /activities/*/streams", body="{}"))

    loaded(world, planned(world))

    entry = world.services.state.activities.get(PARENT_ID, activity_id)
    assert (entry.state, entry.points, entry.next_try_epoch_s) == (
        ActivityState.PENDING,
        20,
        world.clock.now_epoch_s + 900,
    )
    assert world.sql("SELECT count(*) AS n FROM streams").to_pylist() == [{"n": 20}]
