"""An installation with a given number of athletes, in one process, each with an activity in the lake."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from include.pipeline.catalog import register_waiting
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import SyncItem
from include.pipeline.services import Adapters, Services
from include.store.store import ABSENT, Key
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from local.proofs.scale.counting import CountingObjects, CountingSession, CountingStore, Counts
from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.quota import Limits
from local.strava_simulator.world.simulation import EXTENSION, Rules
from local.testbed.consent import READ_AND_WRITE
from local.testbed.world import MIA_ID, PARENT_ID, World, open_world

CHILD_NAME = "Mia"
LIMITS = Limits(window=3_300, day=165_000, read_window=600, read_day=30_000)
"""Strava's limits for an application of 9,999 athletes."""

_AT_STRAVA = 200
"""How many athletes have accounts at the simulated Strava: more than one run of reconcile lists."""
_FIRST_AT_STRAVA, _FIRST_ELSEWHERE = 1_000, 1_000_000
_DAY_S = 86_400


def counted(world: World, counts: Counts) -> Services:
    """The services of a process of the installation, whose calls, rows and objects are counted."""
    adapters = Adapters(
        CountingStore(world.store, counts),
        CountingSession(world.app, world.clock, counts),
        CountingObjects(world.services.lake.objects, counts),
        world.services.queue,
    )
    return world.process(adapters)


@contextmanager
def installation_of(folder: Path, athletes: int) -> Iterator[World]:
    """An installation in the empty `folder` with that many athletes: the parent, the child, and others."""
    with open_world(folder, Rules(limits=LIMITS)) as world:
        with world.app.extensions[EXTENSION].state.transaction() as db:
            applications.register(db, Application(athlete_capacity=_AT_STRAVA))
        at_strava = [PARENT_ID, MIA_ID, *range(_FIRST_AT_STRAVA, _FIRST_AT_STRAVA + min(athletes, _AT_STRAVA) - 2)]
        for athlete_id in at_strava:
            world.connect(athlete_id, READ_AND_WRITE)
            _load(world, athlete_id)
        world.link(MIA_ID, CHILD_NAME)
        _multiply(world, folder / "lake", range(_FIRST_ELSEWHERE, _FIRST_ELSEWHERE + athletes - len(at_strava)))
        register_waiting(world.services)
        yield world


def _load(world: World, athlete_id: int) -> None:
    item = SyncItem(athlete_id, world.finish(athlete_id, "Morning run"), int(world.clock()))
    sync(world.services, item, source="webhook")


def _multiply(world: World, lake: Path, athlete_ids: Sequence[int]) -> None:
    """Copy the parent's rows and objects to these athletes, because a sync for each would take an hour."""
    (entry,) = world.store.query("activities", str(PARENT_ID))
    fields = json.dumps(entry.fields)
    for athlete_id in athlete_ids:
        profile = Athlete(AthleteId(athlete_id), "Ann", "Other")
        grant = TokenGrant("access", "refresh", int(world.clock()) + _DAY_S, profile)
        world.services.state.athletes.connect(grant, frozenset(READ_AND_WRITE))
        for folder in lake.glob(f"*/athlete_id={PARENT_ID}"):
            shutil.copytree(folder, folder.with_name(f"athlete_id={athlete_id}"))
        theirs = json.loads(fields.replace(f"athlete_id={PARENT_ID}/", f"athlete_id={athlete_id}/"))
        key = Key("activities", str(athlete_id), entry.key.sort)
        world.store.put(key, {**theirs, "athlete_id": athlete_id}, expected_version=ABSENT)
