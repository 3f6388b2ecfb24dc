"""Activities in the lake, and what a replay makes of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from include.pipeline.backfill.history import keys, list_on
from include.pipeline.backfill.loading import load
from include.pipeline.ingest.sync import sync
from include.pipeline.replay import Replayed, plan, replay

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
