"""Activities that name the child, and their copies."""

from __future__ import annotations

from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync

READ_ONLY, WRITE_ONLY = ("read", "activity:read"), ("read", "activity:write")

ANN, REX, ZOE = 71, 72, 73


def named(world, title="Morning run with Rex", **values):
    activity_id = world.finish(name=title, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def made(world, activity_id):
    return [(result.child_id, result.state) for result in copy_to_children(world.services, ANN, activity_id)]


def copy(world, activity_id, child_id=REX):
    return world.services.state.copies.get(activity_id, child_id)


def uploads(world):
    return sum(count for route, count in world.calls().items() if route.startswith("POST") and "uploads" in route)


def scope_taken(world):
    world.connect(REX, READ_ONLY)
