"""Stored activities, their objects, and their expiry."""

from __future__ import annotations

from include.pipeline.ingest.sync import sync
from include.pipeline.retention.expiry import expire

PARENT_ID = 71


def synced(world, **values):
    activity_id = world.finish(announce=False, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def objects(world):
    return list(world.services.lake.objects.list(""))


def expired(world, days=7, **changes):
    return expire(world.services, PARENT_ID, days, **{"dry_run": False, **changes})
