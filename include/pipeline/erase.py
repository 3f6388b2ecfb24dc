"""`strava_erase`: ends the access to an athlete's account, then removes everything that is kept of the athlete."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from include.errors import BadKey, NotConnected, RetryLater
from include.lake.catalog import Partition
from include.lake.keys import athlete_prefixes, partition_of
from include.pipeline.access import Access, EraseReason, end_access
from include.pipeline.certificate import (
    Certificate,
    Leaves,
    finish_certificate,
    last_certificate,
    open_certificate,
)
from include.pipeline.services import Services
from include.pipeline.traces import Trace, spoken, tally, traces
from include.state.conflict import retry_on_conflict
from include.state.erasures import Erasure, ErasureStage

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
LOOKS = 10
"""How often a run looks whether other workers let go of the athlete's activities, before Airflow tries it again."""

SWEEPS = 10
"""One finds nothing left; more than two are needed only where a worker writes late."""

LOOK_AGAIN_S = 86_400
"""So long after an erasure reconcile looks for what a stalled worker may have written after all."""


class Outcome(StrEnum):
    """What a run found or did."""

    ERASED = "erased"
    ERASED_BEFORE = "erased_before"
    COUNTED = "counted"
    """A dry run: nothing was changed."""
    DISCONNECTED = "disconnected"
    """The athlete disconnected here: the access is over, and what is stored stays."""
    STILL_CONNECTED = "still_connected"
    """Strava accepts the tokens: the event was forged, or the athlete has connected again since."""
    UNKNOWN = "unknown"
    """There is no such athlete here."""


@dataclass(frozen=True, slots=True)
class EraseRequest:
    """Whom to erase, and why."""

    athlete_id: int
    reason: EraseReason
    dry_run: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> EraseRequest:
        """The request that the Airflow form, or the dispatcher, describes."""
        return cls(params["athlete"], EraseReason(params["reason"]), bool(params.get("dry_run", False)))


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of a request; ids, counts and times."""

    athlete_id: int
    outcome: Outcome
    counts: Mapping[str, int] = field(default_factory=dict)
    certificate: Certificate | None = None
    partitions: tuple[Partition, ...] = ()
    """Partitions of the lake that have lost rows."""

    @property
    def message(self) -> str:
        """The outcome as the run says it."""
        return f"Athlete {self.athlete_id}: {_SPOKEN[self.outcome].format(counts=spoken(self.counts))}"

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "athlete_id": self.athlete_id,
            "outcome": self.outcome.value,
            "counts": dict(self.counts),
            "certificate": self.certificate.key if self.certificate else None,
            "partitions": [partition.to_json() for partition in self.partitions],
        }


_SPOKEN: Mapping[Outcome, str] = {
    Outcome.ERASED: "everything is erased: {counts}.",
    Outcome.ERASED_BEFORE: "erased before; there was nothing left.",
    Outcome.COUNTED: "an erasure would remove {counts}; nothing was changed.",
    Outcome.DISCONNECTED: "disconnected, as asked for on the athlete's page; what is stored stays.",
    Outcome.STILL_CONNECTED: "Strava still accepts the tokens, so nothing was erased.",
    Outcome.UNKNOWN: "not known here; there is nothing to erase.",
}


def erase(services: Services, request: EraseRequest, leaves: Leaves) -> Erased:
    """End the access to the athlete's account, remove everything that is kept of the athlete, and certify it.

    Errors: `NotConnected` when an operator names an unknown athlete; `RetryLater`, `ApplicationInactive`,
    `BadRequest`, `QuotaSpent` while the access has not ended: nothing was removed; `RetryLater` too while another
    worker has activities of the athlete in hand. Run it again.
    Effects: safe to repeat, to run twice at once, and to go on with after a crash at any line. From the start of the
    removal on nothing is written for the athlete, who can connect again when it is over.
    """
    if request.dry_run:
        return Erased(request.athlete_id, Outcome.COUNTED, _count(services, request.athlete_id))
    erasure = services.erasures.get(request.athlete_id)
    if erasure is None or erasure.stage is not ErasureStage.UNDER_WAY:
        access = end_access(services, request.athlete_id, request.reason)
        if access is Access.UNKNOWN:
            return _of_unknown(services, request, leaves)
        if access is not Access.ENDED:
            return Erased(request.athlete_id, Outcome(access.value))
        erasure = services.erasures.get(request.athlete_id)
        if erasure is None or erasure.stage is not ErasureStage.UNDER_WAY:  # another run was quicker
            certificate = last_certificate(services.objects, request.athlete_id)
            return Erased(request.athlete_id, Outcome.ERASED_BEFORE, certificate=certificate)
    return _remove(services, erasure, leaves)


def look_again(services: Services) -> int:
    """Remove what a stalled worker wrote after an erasure of the last day; returns how many traces that were.

    Effects: safe to repeat; an athlete who has connected again is left alone.
    """
    late = 0
    for found in list(services.erasures.all()):
        erasure = services.erasures.get(found.athlete_id)
        if erasure is None or erasure.stage is not ErasureStage.FINISHED:
            continue
        if services.clock() - erasure.began_at_epoch_s >= LOOK_AGAIN_S:
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


@retry_on_conflict
def _of_unknown(services: Services, request: EraseRequest, leaves: Leaves) -> Erased:
    """An athlete without a row: erased before, or only traces are left, which an operator may remove."""
    if request.reason is not EraseReason.DEAUTHORISATION and _count(services, request.athlete_id):
        return _remove(services, services.erasures.begin(request.athlete_id, request.reason), leaves)
    certificate = last_certificate(services.objects, request.athlete_id)
    if certificate is not None:
        return Erased(request.athlete_id, Outcome.ERASED_BEFORE, certificate=certificate)
    if request.reason is EraseReason.OPERATOR:
        raise NotConnected(f"There is no athlete {request.athlete_id} here; check the number.")
    return Erased(request.athlete_id, Outcome.UNKNOWN)


def _remove(services: Services, erasure: Erasure, leaves: Leaves) -> Erased:
    """Wait for the workers that are busy, count, remove, look again until nothing is found, and certify."""
    _await_workers(services, erasure.athlete_id)
    draft = open_certificate(services.objects, erasure, lambda: _count(services, erasure.athlete_id, erasure))
    removed = _sweep(services, erasure)
    for prefix in athlete_prefixes(erasure.athlete_id):
        services.objects.prune(prefix)
    certificate = finish_certificate(services.objects, draft, leaves, int(services.clock()))
    services.erasures.finish(erasure)
    if services.athletes.get(erasure.athlete_id) is not None:
        services.erasures.lift(erasure.athlete_id)  # connected at the very moment when the erasure began
    return Erased(erasure.athlete_id, Outcome.ERASED, certificate.removed, certificate, partitions=_partitions(removed))


def _await_workers(services: Services, athlete_id: int) -> None:
    """Nobody new begins, since no lease is given any more; those who have one end soon, without tokens.

    Errors: `RetryLater` while one goes on; its lease ends in a few minutes at the latest.
    """
    for _ in range(LOOKS):
        copies = (*services.copies.of_parent(athlete_id), *services.copies.of_child(athlete_id))
        if not services.activities.in_hand(athlete_id) and not any(map(services.copies.in_hand, copies)):
            return
        services.wait(LOOK_EVERY_S)
    raise RetryLater(
        f"Another run still works on activities of athlete {athlete_id}; nothing was removed yet, nothing new is "
        "written for the athlete, and the erasure goes on when that run has ended. Run it again in some minutes."
    )


def _sweep(services: Services, erasure: Erasure) -> list[Trace]:
    """Remove every trace, and look again until there is none; returns what was removed."""
    removed: list[Trace] = []
    for _ in range(SWEEPS):
        found = list(traces(services, erasure))
        if not found:
            return removed
        for trace in found:
            trace.remove()
        removed += found
    raise RetryLater(f"Traces of athlete {erasure.athlete_id} keep appearing; run the erasure again in some minutes.")


def _count(services: Services, athlete_id: int, erasure: Erasure | None = None) -> dict[str, int]:
    asked = erasure or Erasure(athlete_id, "", int(services.clock()), ErasureStage.UNDER_WAY)
    counts = tally(services, traces(services, asked))
    return counts if services.athletes.get(athlete_id) is None else {**counts, "athletes": 1}


def _partitions(removed: Sequence[Trace]) -> tuple[Partition, ...]:
    found = set()
    for key in filter(None, (trace.object_key for trace in removed)):
        try:
            found.add(partition_of(key))
        except BadKey:
            continue  # a raw object or an upload file
    return tuple(sorted(found))
