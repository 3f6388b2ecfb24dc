"""A process that syncs activities as a run of `strava_ingest` does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from include.pipeline.services import open_services
from include.pipeline.sync import Synced, SyncItem, sync
from local.race.arena import Arena
from local.race.workers import Work


@contextmanager
def sync_worker(_: int, place: Arena) -> Iterator[Work]:
    """A worker that answers each `SyncItem` with what was `Synced`."""
    os.environ.update(place.environ)
    with open_services(place.settings, clock=place.clock, wait=time.sleep) as services:

        def work(item: SyncItem) -> Synced:
            return sync(services, item, source="webhook")

        yield work
