"""A backfill's request, its runs, and what they load into the lake."""

from __future__ import annotations

from include.pipeline.backfill.history import keys, list_batch
from include.pipeline.backfill.loading import load
from include.pipeline.chunks import ACTIVITIES, in_chunks

PARENT_ID = 71


DAYS = {"athlete": PARENT_ID, "from": "2026-05-01", "to": "2026-06-17", "dry_run": False}


def asked(world, **changes):
    return world.ask({**DAYS, **changes})


def planned(world, **changes):
    return list_batch(world.services, asked(world, **changes))


def loaded(world, history):
    return [load(world.services, chunk) for chunk in in_chunks(keys(history), ACTIVITIES)]


def row(world, history):
    return world.services.state.histories.get(PARENT_ID, history.span)


def in_lake(world):
    return world.sql("SELECT activity_id FROM activities ORDER BY activity_id").column("activity_id").to_pylist()


def reads(world):
    return sum(world.calls().values()) - world.calls().get("POST /oauth/token", 0)
