"""What `strava_reconcile` does for erasures: it queues the open ones, and removes records that were written late."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

from include.pipeline.erasure.personal_records import is_file_for, personal_records, shared_object_keys
from include.pipeline.uses import UsesStateAndQueue, UsesStorage
from include.queue.content import EraseAthlete, to_body
from include.state.erasures.ledger import Erasure, ErasureStage
from include.state.state import UsesState

log = logging.getLogger(__name__)

WATCH_S = 86_400
"""How long after the end of an erasure reconcile looks for late records of a stalled worker."""


def queue_open_erasures(services: UsesStateAndQueue) -> int:
    """Queue a run for each open erasure that no worker holds; returns how many.

    Each erasure is queued at most once in a window, until it is over.
    Effects: safe to repeat and to run twice at once: only one of two runs for an erasure carries it out.
    """
    queued = 0
    for erasure in services.state.erasures.due():
        services.queue.send(to_body(EraseAthlete(erasure.athlete_id, erasure.grounds, services.clock())))
        services.state.erasures.postpone(erasure)
        queued += 1
    return queued


def remove_late_records(services: UsesStorage) -> int:
    """Remove records that a stalled worker wrote after an erasure of the last day; returns how many.

    It reads the athlete's own objects and those that the ledgers name; `remove_late_records_everywhere` reads the rest.
    Effects: safe to repeat; an athlete who has connected again is left alone.
    """
    return sum(
        _remove_late(services, erasure, shared_object_keys(services, erasure.athlete_id))
        for erasure in _finished(services)
        if services.clock() - (erasure.finished_at_epoch_s or erasure.began_at_epoch_s) < WATCH_S
    )


def remove_late_records_everywhere(services: UsesStorage) -> int:
    """`remove_late_records` for the erasures of the last 30 days, in everybody's upload files; run it once a night.

    `CopyRows.repair` removes rows of `copies` that no ledger knows, every night too.
    """
    files = list(services.lake.objects.list("gpx/"))
    late = 0
    for erasure in _finished(services):
        found = {key for key in files if is_file_for(key, erasure.athlete_id)}
        late += _remove_late(services, erasure, found | shared_object_keys(services, erasure.athlete_id))
    return late


def _finished(services: UsesState) -> Iterator[Erasure]:
    for found in list(services.state.erasures.all()):
        erasure = services.state.erasures.get(found.athlete_id)
        if erasure is not None and erasure.stage is ErasureStage.FINISHED:
            yield erasure


def _remove_late(services: UsesStorage, erasure: Erasure, others: Collection[str]) -> int:
    removed = 0
    for record in list(personal_records(services, erasure, others)):
        if services.state.erasures.get(erasure.athlete_id) != erasure:
            break  # The athlete has connected meanwhile: new records are right.
        record.remove()
        removed += 1
    if removed:
        log.info("Removed %d late records of erased athlete %d.", removed, erasure.athlete_id)
    return removed
