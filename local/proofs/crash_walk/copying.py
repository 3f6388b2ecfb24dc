"""The copy task and the windows of reconcile after it, in processes that may die."""

from __future__ import annotations

from include.pipeline.copying.copies import CopyResult, copy_to_children
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.reconcile.due import queue_due
from include.queue.content import parse as parse_content
from local.proofs.crash_walk.adapters import process
from local.proofs.crash_walk.points import Points
from local.testbed.world import PARENT_ID, WINDOW_S, World


def store(world: World, activity_id: int) -> None:
    """Bring the parent's activity into the lake, as the task before the copy does."""
    sync(world.services, SyncItem(PARENT_ID, activity_id, int(world.clock())), source="webhook")


def copy(world: World, activity_id: int, points: Points) -> list[CopyResult]:
    """Copy the parent's activity."""
    return copy_to_children(process(world, points), PARENT_ID, activity_id)


def reconcile(world: World, points: Points) -> list[CopyResult]:
    """Run the next window: reconcile queues due work, and the DAG's tasks do it."""
    world.clock.advance(WINDOW_S)
    services, results = world.services, []
    queue_due(services)
    messages = services.queue.receive(10, visibility_s=60)
    for item in plan(services, [parse_content(message.body).event for message in messages]):
        sync(services, item, source="webhook")
        results += copy(world, item.activity_id, points)
    for message in messages:
        services.queue.delete(message)
    return results
