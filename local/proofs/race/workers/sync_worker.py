"""A process that syncs and erases as the runs of `strava_ingest` and `strava_erase` do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from include.pipeline.erasure.erase import Erased, EraseRequest, erase
from include.pipeline.ingest.sync import sync
from include.pipeline.ingest.sync_item import Synced, SyncItem
from include.pipeline.services import open_services
from local.proofs.race.race_world import RaceWorld
from local.proofs.race.workers.pool import Work


@contextmanager
def sync_worker(_: int, place: RaceWorld) -> Iterator[Work]:
    """A worker that answers each `SyncItem` with a `Synced`, and each `EraseRequest` with an `Erased`."""
    os.environ.update(place.environ)
    with open_services(place.settings, clock=place.clock, wait=place.clock.advance) as services:

        def work(job: SyncItem | EraseRequest) -> Synced | Erased:
            if isinstance(job, EraseRequest):
                return erase(services, job, place.settings)
            return sync(services, job, source="webhook")

        yield work
