"""What `strava_reconcile` does for erasures: it starts what was left over, and removes what came late."""

from __future__ import annotations

import logging

from include.pipeline.services import Services
from include.pipeline.traces import traces
from include.queue.queued_event import QueuedEvent
from include.state.erasures import Erasure, ErasureStage

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 86_400
"""So long after an erasure is finished it is looked for what a stalled worker may have written after all."""


def take_up(services: Services) -> int:
    """Queue a run for each erasure that is open and that nobody works on; returns how many.

    One erasure is queued once in a window, for as long as something is left to do.
    Effects: safe to repeat and to run twice at once: an erasure that two runs are started for is carried out by one.
    """
    queued = 0
    for erasure in services.erasures.due():
        services.queue.send(QueuedEvent.resume_erasure(erasure, services.clock()).to_body())
        services.erasures.postpone(erasure)
        queued += 1
    return queued


def look_again(services: Services) -> int:
    """Remove what a stalled worker wrote after an erasure of the last day; returns how many traces that were.

    Effects: safe to repeat; an athlete who has connected again is left alone.
    """
    late = 0
    for found in list(services.erasures.all()):
        erasure = services.erasures.get(found.athlete_id)
        if erasure is None or erasure.stage is not ErasureStage.FINISHED:
            continue
        if services.clock() - (erasure.finished_at_epoch_s or erasure.began_at_epoch_s) >= LOOK_AGAIN_S:
            continue
        removed = _remove_late(services, erasure)
        if removed:
            log.info("Removed %d late traces of erased athlete %d.", removed, erasure.athlete_id)
        late += removed
    return late


def _remove_late(services: Services, erasure: Erasure) -> int:
    removed = 0
    for trace in list(traces(services, erasure)):
        if services.erasures.get(erasure.athlete_id) != erasure:
            break  # The athlete has connected meanwhile: what is written now is right.
        trace.remove()
        removed += 1
    return removed
