"""Synced activities, and what a listing queues."""

from __future__ import annotations

from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes
from include.queue.content import parse as parse_content


def queued(world):
    """The events in the queue, which is empty afterwards."""
    messages = world.services.queue.receive(100, visibility_s=30)
    for message in messages:
        world.services.queue.delete(message)
    return [parse_content(message.body).event for message in messages]


HOUR_S = 3600


def synced(world, **values):
    """An activity that the lake holds, fetched an hour ago."""
    activity_id = world.finish(announce=False, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    world.clock.advance(HOUR_S)
    return activity_id


def listed(world):
    """What one listing found, and the ids that it queued."""
    found = list_athletes(world.services, world.settings)
    return found, [event.object_id for event in queued(world)]
