"""Activities that name the child, and their copies."""

from __future__ import annotations

from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync

PARENT_ID, CHILD_ID, OTHER_CHILD_ID = 71, 72, 73


def named(world, title="Morning run with Rex", kind="run", **values):
    """A synced activity of the parent with this title."""
    activity_id = world.finish(kind, name=title, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def made(world, activity_id):
    return [(result.child_id, result.state) for result in copy_to_children(world.services, PARENT_ID, activity_id)]


def reason(world, activity_id, child_id=CHILD_ID):
    return world.services.state.copies.get(activity_id, child_id).reason


def uploads(world):
    return sum(count for route, count in world.calls().items() if route.startswith("POST") and "uploads" in route)
