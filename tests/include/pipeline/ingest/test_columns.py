"""No column of the lake exists that nothing ever fills: a world in which everything happens once leaves none empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.lake.schemas import TABLES
from include.pipeline.backfill.history import keys, list_on
from include.pipeline.backfill.loading import load
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.reconcile.due import list_athletes
from include.state.links import Link
from local.strava_simulator.recordings.generator import Kind, generate
from local.strava_simulator.world.activity import SimulatedActivity

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID, OTHER_CHILD_ID = 71, 72, 73
DEFAULTS = (None, False, 0, "", [])
RICH = {
    "workout_type": 1,
    "commute": True,
    "flagged": True,
    "hide_from_home": True,
    "from_accepted_tag": True,
    "gear_id": "b77",
    "description": "Nice.",
    "photo_count": 1,
    "total_photo_count": 2,
    "comment_count": 3,
    "achievement_count": 4,
    "pr_count": 5,
    "kudos_count": 6,
    "brand_new_field": 7,
}
"""What Strava has of some activities and the simulator invents for none."""


def stored(world, athlete_id, activity_id):
    sync(world.services, SyncItem(athlete_id, activity_id, int(world.clock.now_epoch_s)), source="webhook")
    copy_to_children(world.services, athlete_id, activity_id)


@pytest.fixture
def full(world):
    """One of every kind; a rich one; a hidden start; copies that were made, refused and wait; a history."""
    for child_id, name, scopes in ((CHILD_ID, "Rex", None), (OTHER_CHILD_ID, "Max", ("read", "activity:read"))):
        world.connect(child_id, *([scopes] if scopes else []))
        link = Link(PARENT_ID, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1)
        world.services.state.links.save(link)
    for number, kind in enumerate(Kind):
        stored(world, PARENT_ID, world.finish(kind, hours_ago=5 + 5 * number, points=None if kind == "swim" else 60))
    start_at = datetime.fromtimestamp(world.clock.now_epoch_s, UTC) - timedelta(days=4)
    rich = generate(Kind.RIDE, seed=3, activity_id=900, athlete_id=PARENT_ID, start_at=start_at, points=60)
    laps = [{**lap, "pace_zone": 2, "device_watts": True} for lap in rich.detail["laps"]]
    detail = {**rich.detail, **RICH, "laps": laps, "name": "Ride with Rex", "visibility": "only_me", "private": True}
    stored(world, PARENT_ID, world.control.finish_activity(PARENT_ID, SimulatedActivity(detail, rich.streams)))
    hidden = world.finish(hours_ago=150)
    world.control.hide_start(hidden)
    stored(world, PARENT_ID, hidden)
    stored(world, PARENT_ID, world.finish(hours_ago=200, points=900, name="Run with Rex and Max"))
    for made_id in world.control.activity_ids(CHILD_ID):
        stored(world, CHILD_ID, made_id)
    world.control.generate_activity(PARENT_ID, "run", start_at=start_at - timedelta(days=30), announce=False)
    days = {"athlete": PARENT_ID, "from": "2026-01-01", "to": "2026-12-31", "dry_run": False}
    load(world.services, keys(list_on(world.services, world.ask(days))))
    list_athletes(world.services, world.settings)
    return world


def test_every_column_is_filled_by_some_run(full):
    empty = [
        f"{table}.{column.name}"
        for table, schema in TABLES.items()
        for column in schema
        if all(value in DEFAULTS for value in full.sql(f"SELECT {column.name} AS v FROM {table}")["v"].to_pylist())  # noqa: S608
    ]
    assert empty == []


def test_source_of_a_row_is_what_brought_it(full):
    told = full.sql("SELECT DISTINCT source AS v FROM activities")["v"].to_pylist()
    assert sorted(told) == ["backfill", "webhook"]


def test_both_values_of_a_flag_are_told(full):
    for column in ("is_copy", "has_detail", "manual", "start_time_hidden"):
        told = full.sql(f"SELECT DISTINCT {column} AS v FROM activities")["v"].to_pylist()  # noqa: S608
        assert set(told) == {True, False}, column
