"""`strava_erase`: ends the access to an athlete's account, then removes every record of the athlete."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from include.errors import NotConnected, RetryLater
from include.lake.keys import athlete_prefixes
from include.pipeline.erasure.access import Access, end_access
from include.pipeline.erasure.certificate import (
    Certificate,
    finish_certificate,
    last_certificate,
    open_certificate,
)
from include.pipeline.erasure.personal_records import (
    all_shared_object_keys,
    count_by_kind,
    in_words,
    personal_records,
    shared_object_keys,
)
from include.pipeline.uses import (
    UsesLake,
    UsesStateAndWait,
    UsesStorage,
    UsesStorageAndWait,
    UsesStorageStravaAndWait,
)
from include.settings import Settings
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, ErasureStage
from include.state.erasures.residual_records import residual_records
from include.state.state import UsesState
from include.store.conflict import retry_on_conflict

log = logging.getLogger(__name__)

CHECK_EVERY_S = 2.0
CHECKS = 10
"""How often a run checks whether other workers have released the athlete's activities, before Airflow retries it."""

PASSES = 10
"""How many passes at most: the last one finds nothing, and a third is needed only where a worker writes late."""


class Outcome(StrEnum):
    """What an erasure run found or did."""

    ERASED = "erased"
    ERASED_BEFORE = "erased_before"
    COUNTED = "counted"
    """A dry run: nothing was changed."""
    DISCONNECTED = "disconnected"
    """The athlete disconnected here: the access has ended, and the stored data stays."""
    STILL_CONNECTED = "still_connected"
    """Strava accepts the tokens: the event was forged, or is not about this connection."""
    CONNECTED_AGAIN = "connected_again"
    """The athlete has connected since the request, which withdraws it; an event is about an older connection."""
    IN_HAND = "in_hand"
    """Another run holds the erasure, or has just finished it."""
    UNKNOWN = "unknown"
    """There is no such athlete here."""


@dataclass(frozen=True, slots=True)
class EraseRequest:
    """Whom to erase, and why."""

    athlete_id: int
    reason: EraseReason
    dry_run: bool = False
    asked_at_epoch_s: int | None = None
    """When the athlete or operator asked; None for now."""

    @classmethod
    def from_params(cls, params: Mapping[str, Any], *, default_asked_at: datetime) -> EraseRequest:
        """The request in the params of the Airflow form or of the dispatcher; the form has no time."""
        asked_at_epoch_s = params.get("asked_at_epoch_s")
        return cls(
            athlete_id=params["athlete"],
            reason=EraseReason(params["reason"]),
            dry_run=bool(params.get("dry_run", False)),
            asked_at_epoch_s=int(default_asked_at.timestamp()) if asked_at_epoch_s is None else asked_at_epoch_s,
        )


@dataclass(frozen=True, slots=True)
class Erased:
    """The result of a request: ids, counts and times."""

    athlete_id: int
    outcome: Outcome
    counts: Mapping[str, int] = field(default_factory=dict)
    certificate: Certificate | None = None

    @property
    def message(self) -> str:
        """The outcome in words, for the run's log."""
        return f"Athlete {self.athlete_id}: {_MESSAGES[self.outcome].format(counts=in_words(self.counts))}"

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "athlete_id": self.athlete_id,
            "outcome": self.outcome.value,
            "counts": dict(self.counts),
            "certificate": self.certificate.key if self.certificate else None,
        }


_MESSAGES: Mapping[Outcome, str] = {
    Outcome.ERASED: "everything is erased: {counts}.",
    Outcome.ERASED_BEFORE: "already erased; nothing was left to remove.",
    Outcome.COUNTED: "an erasure would remove {counts}; nothing was changed.",
    Outcome.DISCONNECTED: "disconnected, as requested on the athlete's page; the stored data stays.",
    Outcome.STILL_CONNECTED: "Strava still accepts the tokens, so nothing was erased.",
    Outcome.CONNECTED_AGAIN: "connected again since then, which withdraws the request, so nothing was erased. "
    "To erase the data of the present connection too, start a new run.",
    Outcome.IN_HAND: "another run is carrying the erasure out; if it dies, strava_reconcile starts one that continues.",
    Outcome.UNKNOWN: "not known here; there is nothing to erase.",
}


def erase(services: UsesStorageStravaAndWait, request: EraseRequest, settings: Settings) -> Erased:
    """End the access to the athlete's account, remove all stored data of the athlete, and certify it.

    The request is stored first, so that another run continues if this one dies.
    Errors: `NotConnected` when an operator names an unknown athlete; `RetryLater`, `ApplicationInactive`,
    `BadRequest`, `QuotaSpent` while the access has not ended: nothing was removed; `RetryLater` too while another
    worker holds activities of the athlete; `LeaseLost` when this run stalled for so long that another one took over.
    Run it again.
    Effects: safe to repeat, to run twice at once, and to resume after a crash at any line. Once a person has asked, or
    an event is confirmed, nothing is written for the athlete, who can connect again when the erasure is over.
    """
    athlete_id = request.athlete_id
    if request.dry_run:
        return Erased(athlete_id, Outcome.COUNTED, _count(services, athlete_id))
    answered = _answered(services, request)
    if answered is not None:
        return answered
    with services.state.erasures.held(athlete_id) as lease:
        if lease is None:
            return Erased(athlete_id, Outcome.IN_HAND)
        access, erasure = end_access(services, lease)
        if access is Access.UNKNOWN:
            found = _confirmed_without_row(services, lease)
            return _remove(services, found, settings) if found else _nothing_left(services, request)
        if access is not Access.ENDED:
            return Erased(athlete_id, Outcome(access.value))
        return _remove(services, erasure, settings)


def _answered(services: UsesStorage, request: EraseRequest) -> Erased | None:
    """The result where an earlier run has answered the request; None where an erasure is open, which is stored then."""
    athlete_id = request.athlete_id
    erasure = services.state.erasures.get(athlete_id)
    is_hint = request.reason is EraseReason.DEAUTHORISATION
    is_known = (erasure is not None and erasure.is_open) or services.state.athletes.get(athlete_id) is not None
    if not is_known and (is_hint or not _count(services, athlete_id)):
        return _nothing_left(services, request)
    if request.asked_at_epoch_s is None:
        erasure = services.state.erasures.ask_now(athlete_id, request.reason)
    else:
        erasure = services.state.erasures.ask(athlete_id, ErasureGrounds(request.reason, request.asked_at_epoch_s))
    if erasure.is_open:
        return None
    if erasure.stage is ErasureStage.WITHDRAWN:
        return Erased(athlete_id, Outcome.CONNECTED_AGAIN)
    return _nothing_left(services, request)


def _nothing_left(services: UsesLake, request: EraseRequest) -> Erased:
    certificate = last_certificate(services.lake.objects, request.athlete_id)
    if certificate is not None:
        return Erased(request.athlete_id, Outcome.ERASED_BEFORE, certificate=certificate)
    if request.reason is EraseReason.OPERATOR:
        raise NotConnected(f"There is no athlete {request.athlete_id} here; check the number.")
    return Erased(request.athlete_id, Outcome.UNKNOWN)


@retry_on_conflict
def _confirmed_without_row(services: UsesStorage, lease: Erasure) -> Erasure | None:
    """The erasure of an athlete without a row, where a person asks to remove the remaining records; else None."""
    erasure = services.state.erasures.check(lease)
    if not erasure.grounds.is_hint and _count(services, erasure.athlete_id):
        return services.state.erasures.advance(erasure.confirmed())
    services.state.erasures.settle(erasure.finished(int(services.clock())))
    return None


def _remove(services: UsesStorageAndWait, erasure: Erasure, settings: Settings) -> Erased:
    """Wait for busy workers, count, remove, repeat until nothing is found, and certify."""
    athlete_id = erasure.athlete_id
    _await_workers(services, athlete_id)
    address = services.state.mail_addresses.get(athlete_id)
    services.state.certificates.open(erasure, address.sealed if address else "")
    others = shared_object_keys(services, athlete_id)
    draft = open_certificate(services.lake.objects, erasure, others, lambda: _count(services, athlete_id, erasure))
    if (
        draft.finished_at_epoch_s is None and draft.shared_object_keys is None
    ):  # begun by an older version, which kept none
        others = all_shared_object_keys(services, athlete_id)
    _sweep(services, erasure, others | frozenset(draft.shared_object_keys or ()))
    for prefix in athlete_prefixes(athlete_id):
        services.lake.objects.prune(prefix)
    certificate = finish_certificate(services.lake.objects, draft, residual_records(settings), int(services.clock()))
    services.state.certificates.finish(erasure, json.dumps(certificate.to_json()))
    _finish(services, erasure)
    return Erased(athlete_id, Outcome.ERASED, certificate.removed, certificate)


@retry_on_conflict
def _finish(services: UsesState, lease: Erasure) -> None:
    services.state.erasures.settle(services.state.erasures.check(lease).finished(int(services.clock())))
    if services.state.athletes.get(lease.athlete_id) is not None:
        services.state.erasures.withdraw(lease.athlete_id)  # the athlete connected at the moment when the erasure began


def _await_workers(services: UsesStateAndWait, athlete_id: int) -> None:
    """Wait for the workers that hold a lease: they end soon, without tokens, and no new lease is granted.

    Errors: `RetryLater` while one goes on; its lease ends in a few minutes at the latest.
    """
    for _ in range(CHECKS):
        copies = (*services.state.copies.of_parent(athlete_id), *services.state.copies.of_child(athlete_id))
        if not services.state.activities.is_leased(athlete_id) and not any(
            map(services.state.copies.is_leased, copies)
        ):
            return
        services.wait(CHECK_EVERY_S)
    raise RetryLater(
        f"Another run is still working on activities of athlete {athlete_id}. Nothing was removed yet, and nothing new "
        "is written for the athlete; the erasure continues when that run has ended. Run it again in a few minutes."
    )


def _sweep(services: UsesStorage, erasure: Erasure, others: frozenset[str]) -> None:
    """Remove every record, and repeat until none is found."""
    lease = erasure
    for _ in range(PASSES):
        others |= shared_object_keys(services, erasure.athlete_id)
        found = list(personal_records(services, erasure, others))
        if not found:
            return
        for record in found:
            lease = services.state.erasures.renew(lease)
            record.remove()
    raise RetryLater(f"Records of athlete {erasure.athlete_id} keep appearing; run the erasure again in a few minutes.")


def _count(services: UsesStorage, athlete_id: int, erasure: Erasure | None = None) -> dict[str, int]:
    now_epoch_s = int(services.clock())
    asked = erasure or Erasure.first(athlete_id, ErasureGrounds(EraseReason.OPERATOR, now_epoch_s), now_epoch_s)
    counts = count_by_kind(services, personal_records(services, asked, shared_object_keys(services, athlete_id)))
    return counts if services.state.athletes.get(athlete_id) is None else {**counts, "athletes": 1}
