"""A synced activity, its entry, and the calls that it took."""

from __future__ import annotations

from include.pipeline.ingest.sync import sync

PARENT_ID = 71


def synced(world, activity_id):
    return sync(world.services, world.item(activity_id), source="webhook")


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def reads(world):
    """Calls of an athlete's activities and streams so far."""
    return sum(count for route, count in world.calls().items() if "/activities/" in route)
