"""An odd answer, the hours after it, and what they leave of an activity and its copy."""

from __future__ import annotations

import json
from contextlib import suppress

from include.errors import IngestError
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.events import plan
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.queue.content import parse as parse_content
from include.state.copies.ledger import CopyState, Original
from local.strava_simulator.api.script import Line

PARENT_ID, CHILD_ID = 71, 72
HOUR_S, DAY_S, TOKEN_S = 3600, 86_400, 6 * 3600

POINTS = 60


def refusal(message, *entry):
    errors = [dict(zip(("resource", "field", "code"), entry, strict=True))] if entry else []
    return json.dumps({"message": message, "errors": errors})


def answer(world, route, **line):
    world.control.write_script(Line(route=route, **line))


def look(world, activity_id):
    """What an event about the activity brings about; answers the fault that was met."""
    try:
        sync(world.services, world.item(activity_id), source="webhook")
        copy_to_children(world.services, PARENT_ID, activity_id)
    except IngestError as fault:
        return fault
    return None


def pass_hours(world, hours=1):
    """Reconcile once an hour, and what it queues."""
    for _ in range(hours):
        world.clock.advance(HOUR_S)
        queue_due(world.services)
        with suppress(IngestError):
            list_athletes(world.services, world.settings)
        messages = world.services.queue.receive(100, visibility_s=30)
        for item in plan(world.services, [parse_content(message.body).event for message in messages]):
            with suppress(IngestError):
                sync(world.services, item, source="reconcile")
            with suppress(IngestError):
                copy_to_children(world.services, item.athlete_id, item.activity_id)
        for message in messages:
            world.services.queue.delete(message)


def entry(world, activity_id):
    return world.services.state.activities.get(PARENT_ID, activity_id)


def copy(world, activity_id):
    return world.services.state.copies.get(activity_id, CHILD_ID)


def points(world, activity_id):
    """How many points the lake has of the activity."""
    return world.sql("SELECT activity_id FROM streams").column("activity_id").to_pylist().count(activity_id)


def status(world, athlete_id=PARENT_ID):
    return world.services.state.athletes.get(athlete_id).status


def times_asked(world):
    """How often the scripted call was made."""
    return world.control.script()[0]["calls"]


def is_whole(world, activity_id):
    """Whether lake and copy have the activity, and the child has it once."""
    made, stored = copy(world, activity_id), entry(world, activity_id)
    if made is None or (stored.state, made.state, made.original) != ("synced", CopyState.DONE, Original.NAMED):
        return False
    return points(world, activity_id) == POINTS and world.control.activity_ids(CHILD_ID) == [made.child_activity_id]


def is_whole_within(world, activity_id, hours):
    """Whether it is whole after so many hours of reconcile at most."""
    for _ in range(hours):
        pass_hours(world)
        if is_whole(world, activity_id):
            return True
    return False
