"""One sync makes lake and ledger agree with Strava."""

from __future__ import annotations

import pytest

from include.errors import UnexpectedShape
from include.pipeline.ingest.sync import sync
from local.strava_simulator.api.script import Line
from tests.include.pipeline.ingest.sync.synced import PARENT_ID, reads, synced

pytestmark = pytest.mark.network


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
    assert synced(world, activity_id).to_json() == {
        "athlete_id": PARENT_ID,
        "activity_id": activity_id,
        "state": "synced",
        "points": 60,
        "reason": "",
    }


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


@pytest.mark.parametrize(
    ("route", "body", "kept"),
    [
        pytest.param("GET /activities/*[0-9]", '{"id":"one"}', ["odd"], id="detail"),
        pytest.param("GET /activities/*/streams", '{"time":1}', ["detail", "odd"], id="streams"),
    ],
)
def test_answer_that_is_not_understood_is_kept_until_the_activity_goes(world, route, body, kept):
    activity_id = world.finish("run")
    world.control.write_script(Line(route=route, body=body))
    with pytest.raises(UnexpectedShape):
        sync(world.services, world.item(activity_id), source="webhook")
    assert list(world.services.lake.objects.list("raw/")) == [
        f"raw/athlete_id=71/{activity_id}.{name}.json.gz" for name in kept
    ]

    world.services.lake.raw.remove(71, activity_id, guard=lambda: None)

    assert list(world.services.lake.objects.list("raw/")) == []


def test_forged_delete_removes_nothing(world):
    activity_id = world.finish()
    synced(world, activity_id)
    assert synced(world, activity_id).state == "synced"
    assert world.sql("SELECT count(*) AS n FROM activities").to_pylist() == [{"n": 1}]
