"""Copies an activity to the children whom its title names: exactly once each, one child's trouble its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from include.copying.matching import match
from include.copying.reasons import athlete_words
from include.errors import IngestError, QuotaSpent, Refused, RetryLater
from include.lake.catalog import Partition
from include.pipeline.copy_hold import RESUME_AFTER_S, CopyHold
from include.pipeline.originals import follow_original
from include.pipeline.services import Services
from include.state.activities import ActivityState
from include.state.copies import Copy, CopyState, external_id
from include.state.links import Link
from include.strava.models import Activity

_log = logging.getLogger(__name__)

_Work = Callable[[CopyHold], None]
"""What is to be done for one child's copy."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What became of one copy; no title, no name."""

    child_id: int
    state: str
    child_activity_id: int | None
    reason: str
    partitions: tuple[Partition, ...] = ()
    """Where the lake tells of it."""

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "child_id": self.child_id,
            "state": self.state,
            "child_activity_id": self.child_activity_id,
            "reason": self.reason,
            "partitions": [partition.to_json() for partition in self.partitions],
        }


def copy_to_children(services: Services, parent_id: int, activity_id: int) -> list[CopyResult]:
    """Bring every copy of the activity as far as it can get now; works from the raw zone, not from Strava.

    A copy that was skipped is looked at again while the title names the child: its reason may have gone. Copies that
    were made are marked when the title no longer names the child, or the activity is gone; and unmarked.

    Errors: `RetryLater` when a copy met a passing fault, or what else kept one from its outcome; the others are
    finished first. What a child's account refuses is no error here but that copy's outcome.
    Effects: safe to repeat and to run twice at once; a finished copy costs no call. The lake's `copies` is refreshed.
    """
    results = []
    failure: IngestError | None = None
    try:
        for child_id, work in _works(services, parent_id, activity_id):
            try:
                results.append(_advance(services, activity_id, child_id, work))
            except IngestError as error:
                failure = error
        follow_original(services, parent_id, activity_id)
    finally:
        partitions = tuple(sorted(services.copy_rows.refresh(activity_id).partitions))
    if failure is not None:
        raise failure
    return [replace(result, partitions=partitions) for result in results]


def _works(services: Services, parent_id: int, activity_id: int) -> list[tuple[int, _Work]]:
    """What is to be done for which child; its intention is in the ledger."""
    activity = services.raw.detail(parent_id, activity_id)
    if activity is None:
        return _last_works(services, parent_id, activity_id)
    works: list[tuple[int, _Work]] = []
    for link in services.links.of_parent(parent_id):
        matched = match(activity.name, link.names)
        if matched is not None:
            if services.copies.plan(_planned(services, activity, link, matched)).state is CopyState.SKIPPED:
                services.copies.reopen(activity_id, link.child_id)
        elif services.copies.get(activity_id, link.child_id) is None:
            continue
        works.append((link.child_id, partial(CopyHold.make, activity=activity, link=link, named=matched is not None)))
    return works


def _last_works(services: Services, parent_id: int, activity_id: int) -> list[tuple[int, _Work]]:
    """What is left to do for an activity that is gone; nothing for one that is only not there yet."""
    entry = services.activities.get(parent_id, activity_id)
    if entry is None or entry.state is not ActivityState.REMOVED:
        return []
    work = partial(CopyHold.wind_up, start_at_epoch_s=entry.start_at_epoch_s or 0)
    return [(copy.child_id, work) for copy in services.copies.of_activity(activity_id) if copy.parent_id == parent_id]


def _planned(services: Services, activity: Activity, link: Link, matched: str) -> Copy:
    now = int(services.clock())
    return Copy(
        parent_activity_id=activity.activity_id,
        child_id=link.child_id,
        parent_id=activity.athlete_id,
        state=CopyState.PLANNED,
        external_id=external_id(activity.activity_id, link.child_id),
        matched=matched,
        activity_start_epoch_s=int(activity.start_at.timestamp()),
        planned_at_epoch_s=now,
        next_try_epoch_s=now + RESUME_AFTER_S,
    )


def _advance(services: Services, activity_id: int, child_id: int, work: _Work) -> CopyResult:
    """Claim one copy, take it as far as it gets, and note down why it got no further."""
    claimed = services.copies.claim(activity_id, child_id)
    if claimed is None:
        return CopyResult(child_id, CopyState.PLANNED, None, "another run is making this copy")
    hold = CopyHold(services, claimed)
    try:
        work(hold)
    except QuotaSpent as spent:
        hold.note(reason=_words(spent), next_try_epoch_s=int(spent.until_epoch_s) + 1)
    except RetryLater as fault:
        hold.note(reason=_words(fault), next_try_epoch_s=int(services.clock()) + RESUME_AFTER_S)
        raise
    except Refused as refusal:
        _log.warning("Copy %s to athlete %s failed: %s", claimed.external_id, child_id, refusal)
        hold.note(state=CopyState.FAILED, reason=_words(refusal), next_try_epoch_s=None)
    finally:
        services.copies.release(hold.copy)
    copy = hold.copy
    return CopyResult(copy.child_id, copy.state, copy.child_activity_id, copy.reason)


def _words(error: IngestError) -> str:
    return athlete_words(error, account="the child's account")
