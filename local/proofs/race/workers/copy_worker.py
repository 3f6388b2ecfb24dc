"""A process that makes copies as the runs of `strava_ingest` do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from include.pipeline.copying.copies import CopyResult, copy_to_children
from include.pipeline.services import open_services
from include.strava.client import Priority
from local.proofs.race.race_world import ATHLETE_ID, RaceWorld
from local.proofs.race.workers.pool import Work


@contextmanager
def copy_worker(_: int, place: RaceWorld) -> Iterator[Work]:
    """A worker that answers an activity's id with the results of its copies."""
    os.environ.update(place.environ)
    with open_services(place.settings, priority=Priority.COPY, clock=place.clock, wait=place.clock.advance) as services:

        def work(activity_id: int) -> list[CopyResult]:
            return copy_to_children(services, ATHLETE_ID, activity_id)

        yield work
