"""Columns that lists show, and the runs that follow a list."""

from __future__ import annotations

from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.queue.content import parse as parse_content

FREE = {
    "workout_type": ("workout_type", 1),
    "commute": ("commute", True),
    "trainer": ("trainer", True),
    "gear_id": ("gear_id", "b77"),
    "flagged": ("flagged", True),
    "kudos_count": ("kudos_count", 25),
    "comment_count": ("comment_count", 4),
    "achievement_count": ("achievement_count", 5),
    "pr_count": ("pr_count", 3),
    "total_photo_count": ("total_photo_count", 2),
    "athlete_count": ("athlete_count", 6),
}
"""What the list shows and nobody has to fetch: the column, and a value that it did not have."""


def synced(world, **values):
    activity_id = world.finish(announce=False, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def worked(world):
    messages = world.services.queue.receive(1000, visibility_s=30)
    for message in messages:
        world.services.queue.delete(message)
    items = plan(world.services, [parse_content(message.body).event for message in messages])
    for item in items:
        sync(world.services, item, source="webhook")
    return [item.activity_id for item in items]


def row(world, activity_id):
    [found] = world.sql(f"SELECT * FROM activities WHERE activity_id = {activity_id:d}").to_pylist()  # noqa: S608
    return found
