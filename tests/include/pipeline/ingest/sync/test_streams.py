"""Streams that are missing, come late, or are denied by one answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import Gone
from include.state.activities.entry import ROUND_S
from include.state.activities.ledger import ActivityState
from local.strava_simulator.api.script import Line
from tests.include.pipeline.ingest.sync.synced import PARENT_ID, entry, reads, synced

pytestmark = pytest.mark.network


@pytest.mark.parametrize(
    ("kind", "streams_calls"),
    [pytest.param("swim", 0, id="manual: not even asked for"), pytest.param("treadmill", 1, id="treadmill: 404")],
)
def test_activity_without_streams_is_a_row_without_points(world, kind, streams_calls):
    activity_id = world.finish(kind)
    result = synced(world, activity_id)
    assert (result.state, result.points) == ("no_streams", 0)
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 1}]
    assert reads(world) == 1 + streams_calls


def test_missing_streams_are_looked_for_over_a_day_and_no_more(world):
    activity_id = world.finish("treadmill")
    event_at = world.clock.now_epoch_s
    looks = 0
    while looks == 0 or entry(world, activity_id).next_try_epoch_s is not None:
        world.clock.now_epoch_s = entry(world, activity_id).next_try_epoch_s if looks else event_at
        synced(world, activity_id)
        looks += 1
    assert (looks, round((world.clock.now_epoch_s - event_at) / 3600)) == (8, 20)


def test_streams_that_come_hours_late_come(world, monkeypatch):
    activity_id = world.finish()
    came_at = world.clock.now_epoch_s + 3 * 3600
    streams = world.services.strava.client.streams

    def late(*arguments):
        if world.clock.now_epoch_s < came_at:
            raise Gone("not yet")
        return streams(*arguments)

    monkeypatch.setattr(world.services.strava.client, "streams", late)
    synced(world, activity_id)
    while entry(world, activity_id).state is ActivityState.NO_STREAMS:
        world.clock.now_epoch_s = entry(world, activity_id).next_try_epoch_s
        synced(world, activity_id)
    assert (entry(world, activity_id).state, world.clock.now_epoch_s - came_at < 3600) == ("synced", True)


@pytest.fixture
def cropped(world):
    """An activity with 60 stored points, 55 of which Strava has still."""
    activity_id = world.finish()
    synced(world, activity_id)
    world.control.crop(activity_id, first=5)
    return activity_id


def points(world):
    return world.sql("SELECT count(*) AS n FROM streams").to_pylist()[0]["n"]


NO_RECORDING = [
    pytest.param({"status": 404, "body": '{"message":"Record Not Found","errors":[]}'}, id="404"),
    pytest.param({"body": "{}"}, id="no stream"),
    pytest.param({"body": '{"time":{"data":[],"series_type":"distance"}}'}, id="an empty stream"),
]


@pytest.mark.parametrize("answer", NO_RECORDING)
def test_recording_loses_its_points_when_strava_says_twice_a_window_apart_that_it_has_none(world, cropped, answer):
    world.control.write_script(Line(route="GET /activities/*/streams", **answer))
    assert synced(world, cropped).state == "pending"
    assert points(world) == 60
    assert world.services.lake.raw.streams(PARENT_ID, cropped) is not None
    world.clock.advance(ROUND_S)
    assert synced(world, cropped).state == "no_streams"
    assert points(world) == 0
    assert world.services.lake.raw.streams(PARENT_ID, cropped) is None


def test_recording_keeps_its_points_when_strava_says_within_a_window_again_that_it_has_none(world, cropped):
    world.control.write_script(Line(route="GET /activities/*/streams", body="{}"))
    first_at = world.clock.now_epoch_s
    for passed_s in (0, 60, ROUND_S - 1):
        world.clock.now_epoch_s = first_at + passed_s
        synced(world, cropped)
        assert points(world) == 60
        assert entry(world, cropped).next_try_epoch_s == first_at + ROUND_S


def test_recording_is_doubted_anew_when_strava_showed_it_in_between(world, cropped):
    gone = Line(route="GET /activities/*/streams", body="{}")
    world.control.write_script(gone)
    synced(world, cropped)
    world.clock.advance(ROUND_S)
    world.control.write_script()
    assert synced(world, cropped).points == 55
    world.control.crop(cropped, first=1)
    world.control.write_script(gone)
    world.clock.advance(ROUND_S)
    assert synced(world, cropped).state == "pending"
    assert points(world) == 55


def test_points_stay_when_one_detail_says_that_the_activity_is_manual(world, cropped, monkeypatch):
    activity = world.services.strava.client.activity
    monkeypatch.setattr(world.services.strava.client, "activity", lambda *key: replace(activity(*key), manual=True))
    assert synced(world, cropped).state == "pending"
    assert points(world) == 60
