"""One sync makes lake and ledger agree with Strava, whatever happened there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import Gone, LeaseLost, StravaUnavailable, UnexpectedShape
from include.lake.table_object import decode
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import SETTLING_S, NotThereYet, SyncItem, sync
from include.state.activities.entry import ROUND_S
from include.state.activities.ledger import ActivityState
from local.strava_simulator.api.faults import Faults
from local.strava_simulator.api.script import Line

pytestmark = pytest.mark.network

PARENT_ID = 71


def synced(world, activity_id):
    return sync(world.services, world.item(activity_id), source="webhook")


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def reads(world):
    """Calls of an athlete's activities and streams so far."""
    return sum(count for route, count in world.calls().items() if "/activities/" in route)


def test_sync_stores_every_point_of_a_new_activity(world):
    activity_id = world.finish("ride", points=120, name="Evening Ride")
    result = synced(world, activity_id)
    truth = world.control.activity(activity_id)
    rows = world.sql("SELECT point_index, time_s, watts, lat FROM streams ORDER BY point_index").to_pylist()
    assert (result.state, result.points) == ("synced", 120)
    assert [row["point_index"] for row in rows] == list(range(120))
    assert [row["time_s"] for row in rows] == truth["streams"]["time"]["data"]
    assert [row["watts"] for row in rows] == truth["streams"]["watts"]["data"]
    assert world.sql("SELECT name FROM activities").to_pylist() == [{"name": "Evening Ride"}]
    assert reads(world) == 2


def test_label_shows_id_sport_and_date_and_nothing_else(world):
    activity_id = world.finish("run", name="Secret plan")
    assert synced(world, activity_id).label == f"{activity_id} · Run · 2026-06-17"
    assert "Secret" not in str(synced(world, activity_id).to_json())


def test_label_says_the_state_of_an_activity_that_is_not_simply_synced(world):
    activity_id = world.finish("swim")
    assert synced(world, activity_id).label == f"{activity_id} · Swim · 2026-06-17 · no_streams"


def test_sync_again_changes_nothing_and_fetches_no_streams(world):
    activity_id = world.finish()
    synced(world, activity_id)
    before = {key: world.services.lake.objects.get(key).etag for key in world.services.lake.objects.list("")}
    reads_before = reads(world)
    synced(world, activity_id)
    assert {key: world.services.lake.objects.get(key).etag for key in world.services.lake.objects.list("")} == before
    assert reads(world) == reads_before + 1


def test_rename_reaches_the_lake_at_one_call(world):
    activity_id = world.finish(name="Morning Run")
    synced(world, activity_id)
    world.control.rename(activity_id, "Morning run with Rex")
    reads_before = reads(world)
    synced(world, activity_id)
    assert world.sql("SELECT name FROM activities").to_pylist() == [{"name": "Morning run with Rex"}]
    assert reads(world) == reads_before + 1


def test_crop_fetches_the_streams_again_and_drops_the_rest(world):
    activity_id = world.finish(points=60)
    synced(world, activity_id)
    world.control.crop(activity_id, first=10, last=5)
    assert synced(world, activity_id).points == 45
    assert world.sql("SELECT count(*) AS n FROM streams").to_pylist() == [{"n": 45}]


def test_deleted_activity_leaves_no_row_and_no_raw_object(world):
    activity_id = world.finish()
    kept_id = world.finish(hours_ago=30)
    synced(world, activity_id)
    synced(world, kept_id)
    world.control.delete_activity(activity_id)
    assert synced(world, activity_id).state == "removed"
    assert world.sql("SELECT activity_id FROM activities").to_pylist() == [{"activity_id": kept_id}]
    assert world.sql("SELECT DISTINCT activity_id FROM streams").to_pylist() == [{"activity_id": kept_id}]
    assert [key for key in world.services.lake.objects.list("raw/") if str(activity_id) in key] == []


def test_answer_that_is_not_understood_is_kept_until_the_activity_goes(world):
    activity_id = world.finish("run")
    world.control.write_script(Line(route="GET /activities/*[0-9]", body='{"id":"one"}'))
    with pytest.raises(UnexpectedShape):
        sync(world.services, world.item(activity_id), source="webhook")
    assert list(world.services.lake.objects.list("raw/")) == [f"raw/athlete_id=71/{activity_id}.odd.json.gz"]

    world.services.lake.raw.remove(71, activity_id, guard=lambda: None)

    assert list(world.services.lake.objects.list("raw/")) == []


def test_forged_delete_removes_nothing(world):
    activity_id = world.finish()
    synced(world, activity_id)
    assert synced(world, activity_id).state == "synced"
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 1}]


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
    event_at = world.now[0]
    looks = 0
    while looks == 0 or entry(world, activity_id).next_try_epoch_s is not None:
        world.now[0] = entry(world, activity_id).next_try_epoch_s if looks else event_at
        synced(world, activity_id)
        looks += 1
    assert (looks, round((world.now[0] - event_at) / 3600)) == (8, 20)


def test_streams_that_come_hours_late_come(world, monkeypatch):
    activity_id = world.finish()
    came_at = world.now[0] + 3 * 3600
    streams = world.services.strava.client.streams

    def late(*arguments):
        if world.now[0] < came_at:
            raise Gone("not yet")
        return streams(*arguments)

    monkeypatch.setattr(world.services.strava.client, "streams", late)
    synced(world, activity_id)
    while entry(world, activity_id).state is ActivityState.NO_STREAMS:
        world.now[0] = entry(world, activity_id).next_try_epoch_s
        synced(world, activity_id)
    assert (entry(world, activity_id).state, world.now[0] - came_at < 3600) == ("synced", True)


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
    world.now[0] += 10
    world.control.switch_faults(world.client_id, Faults())
    assert synced(world, activity_id).state == "synced"


def test_404_long_after_the_event_counts_as_gone(world):
    activity_id = world.finish()
    world.control.delete_activity(activity_id)
    item = replace(world.item(activity_id), event_at_epoch_s=int(world.now[0]) - SETTLING_S - 1)
    assert sync(world.services, item, source="webhook").state == "removed"


def test_spent_quota_sets_the_activity_aside_until_the_window_opens(world):
    activity_id = world.finish()
    other_id = world.finish(hours_ago=5)
    for _ in range(99):
        world.services.strava.client.activity(PARENT_ID, other_id)
    result = synced(world, activity_id)
    waiting = entry(world, activity_id)
    assert (result.state, waiting.state) == ("pending", ActivityState.PENDING)
    assert waiting.next_try_epoch_s == int(world.now[0]) // 900 * 900 + 901
    assert waiting.reason == "Strava's limit of calls for this service is used up."
    world.now[0] = waiting.next_try_epoch_s
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
    world.now[0] += SETTLING_S + 1
    item = replace(world.item(activity_id), event_at_epoch_s=0)
    assert sync(world.services, item, source="webhook").state == "removed"
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 0}]


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
    world.now[0] += ROUND_S
    assert synced(world, cropped).state == "no_streams"
    assert points(world) == 0
    assert world.services.lake.raw.streams(PARENT_ID, cropped) is None


def test_recording_keeps_its_points_when_strava_says_within_a_window_again_that_it_has_none(world, cropped):
    world.control.write_script(Line(route="GET /activities/*/streams", body="{}"))
    first_at = world.now[0]
    for passed_s in (0, 60, ROUND_S - 1):
        world.now[0] = first_at + passed_s
        synced(world, cropped)
        assert points(world) == 60
        assert entry(world, cropped).next_try_epoch_s == first_at + ROUND_S


def test_recording_is_doubted_anew_when_strava_showed_it_in_between(world, cropped):
    gone = Line(route="GET /activities/*/streams", body="{}")
    world.control.write_script(gone)
    synced(world, cropped)
    world.now[0] += ROUND_S
    world.control.write_script()
    assert synced(world, cropped).points == 55
    world.control.crop(cropped, first=1)
    world.control.write_script(gone)
    world.now[0] += ROUND_S
    assert synced(world, cropped).state == "pending"
    assert points(world) == 55


def test_points_stay_when_one_detail_says_that_the_activity_is_manual(world, cropped, monkeypatch):
    activity = world.services.strava.client.activity
    monkeypatch.setattr(world.services.strava.client, "activity", lambda *key: replace(activity(*key), manual=True))
    assert synced(world, cropped).state == "pending"
    assert points(world) == 60


def test_activity_of_somebody_else_is_not_stored(world, monkeypatch):
    world.connect(72)
    activity_id = world.finish(announce=False)
    shown = world.services.strava.client.activity(71, activity_id)
    monkeypatch.setattr(world.services.strava.client, "activity", lambda *_: shown)
    synced = sync(world.services, SyncItem(72, activity_id, int(world.now[0])), source="webhook")
    assert (synced.state, list(world.services.lake.objects.list(""))) == ("quarantined", [])
    assert world.services.state.activities.get(71, activity_id) is None
    entry = world.services.state.activities.get(72, activity_id)
    assert (entry.due_at_epoch_s, entry.fetched_at_epoch_s) == (None, world.now[0])


def test_stored_activity_that_is_once_shown_as_somebody_elses_is_looked_at_again(world, monkeypatch):
    activity_id = world.finish()
    synced(world, activity_id)
    anothers = replace(world.services.strava.client.activity(71, activity_id), athlete_id=72)
    world.now[0] += 1000
    with monkeypatch.context() as patched:
        patched.setattr(world.services.strava.client, "activity", lambda *_: anothers)
        assert synced(world, activity_id).state == "quarantined"

    world.now[0] += 86_400
    [due] = world.services.state.activities.due(world.now[0])
    assert synced(world, due.activity_id).state == "synced"


def test_lost_lease_writes_nothing_to_the_lake(world, monkeypatch):
    activity_id = world.finish()
    fetch = world.services.strava.client.streams

    def slow(athlete_id, wanted_id):
        world.now[0] += 301
        world.services.state.activities.acquire(PARENT_ID, activity_id)
        return fetch(athlete_id, wanted_id)

    monkeypatch.setattr(world.services.strava.client, "streams", slow)
    with pytest.raises(LeaseLost):
        synced(world, activity_id)
    assert list(world.services.lake.objects.list("streams/")) == []


@pytest.mark.parametrize("table", ["raw", "streams", "activities"])
def test_late_write_of_a_stalled_holder_is_found_and_undone(world, monkeypatch, table):
    activity_id = world.finish()
    put = world.services.lake.objects.put
    stalled = []

    def stall(key, body, *, expected):
        if key.startswith(table) and not stalled:
            stalled.append(key)
            world.now[0] += 301
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

    world.now[0] += 301
    due = [entry.activity_id for entry in world.services.state.activities.due(world.now[0])]
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
