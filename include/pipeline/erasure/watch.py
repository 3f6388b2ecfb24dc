"""What `strava_reconcile` does for erasures: it starts what was left over, and removes what came late."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

from include.pipeline.erasure.personal_records import elsewhere, is_file_for, personal_records
from include.pipeline.services import Services
from include.queue.queued_event import QueuedEvent
from include.state.erasures.ledger import Erasure, ErasureStage

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 86_400
"""So long after an erasure is finished it is looked for what a stalled worker may have written after all."""


def take_up(services: Services) -> int:
    """Queue a run for each erasure that is open and that nobody works on; returns how many.

    One erasure is queued once in a window, for as long as something is left to do.
    Effects: safe to repeat and to run twice at once: an erasure that two runs are started for is carried out by one.
    """
    queued = 0
    for erasure in services.state.erasures.due():
        services.queue.send(QueuedEvent.resume_erasure(erasure, services.clock()).to_body())
        services.state.erasures.postpone(erasure)
        queued += 1
    return queued


def look_again(services: Services) -> int:
    """Remove what a stalled worker wrote after an erasure of the last day; returns how many traces that were.

    It looks where the athlete's own things are and where the ledgers lead; for the rest see `sweep`.
    Effects: safe to repeat; an athlete who has connected again is left alone.
    """
    return sum(
        _remove_late(services, erasure, elsewhere(services, erasure.athlete_id))
        for erasure in _finished(services)
        if services.clock() - (erasure.finished_at_epoch_s or erasure.began_at_epoch_s) < LOOK_AGAIN_S
    )


def sweep(services: Services) -> int:
    """`look_again` for the erasures of the last 30 days, through the upload files of everybody; for once a night.

    Rows of `copies` that no ledger knows are put right by `CopyRows.repair`, every night too.
    """
    files = list(services.lake.objects.list("gpx/"))
    late = 0
    for erasure in _finished(services):
        found = {key for key in files if is_file_for(key, erasure.athlete_id)}
        late += _remove_late(services, erasure, found | elsewhere(services, erasure.athlete_id))
    return late


def _finished(services: Services) -> Iterator[Erasure]:
    for found in list(services.state.erasures.all()):
        erasure = services.state.erasures.get(found.athlete_id)
        if erasure is not None and erasure.stage is ErasureStage.FINISHED:
            yield erasure


def _remove_late(services: Services, erasure: Erasure, others: Collection[str]) -> int:
    removed = 0
    for trace in list(personal_records(services, erasure, others)):
        if services.state.erasures.get(erasure.athlete_id) != erasure:
            break  # The athlete has connected meanwhile: what is written now is right.
        trace.remove()
        removed += 1
    if removed:
        log.info("Removed %d late traces of erased athlete %d.", removed, erasure.athlete_id)
    return removed
