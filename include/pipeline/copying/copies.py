"""Copies an activity once to each child whom its title names; one child's fault stops no other child's copy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from include.copying.matching import match
from include.copying.outcome import poll_delays_s
from include.pipeline.copying.child_rows import refetch_copies_made
from include.pipeline.copying.copy_job import CopyJob
from include.pipeline.copying.originals import mark_copies
from include.pipeline.uses import UsesStorage, UsesStorageStravaAndWait, UsesWait
from include.state.activities.ledger import ActivityState
from include.state.copies.entry import SOON_S
from include.state.copies.ledger import FINAL_STATES, Copy, CopyState, external_id
from include.state.links import Link
from include.state.state import UsesClock
from include.strava.models import Activity

_NOT_STORED_YET = (ActivityState.PENDING, ActivityState.QUARANTINED)
"""States without rows, whose recording may still come: copies are planned when the activity is stored."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """The result of one copy, without title or name."""

    child_id: int
    state: str
    child_activity_id: int | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return {
            "child_id": self.child_id,
            "state": self.state,
            "child_activity_id": self.child_activity_id,
            "reason": self.reason,
        }


def copy_to_children(services: UsesStorageStravaAndWait, parent_id: int, activity_id: int) -> list[CopyResult]:
    """Take every copy of the activity as far as possible now; reads the raw zone, not Strava.

    A skipped copy is tried again while the title names the child: its reason may no longer hold. A copy that was made
    is marked when the title no longer names the child or the activity is gone, and unmarked otherwise.

    Errors: a copy's fault, where Airflow may retry sooner than the ledger does; the other copies are finished first.
    A refusal by the child's account is that copy's outcome, not an error.
    Effects: safe to repeat and to run twice at once; a finished copy costs no call. The lake's `copies` is refreshed.
    """
    entry = services.state.activities.get(parent_id, activity_id)
    try:
        if entry is None or entry.state not in _NOT_STORED_YET or entry.object_keys:
            _plan(services, parent_id, activity_id)
        copies = [copy for copy in services.state.copies.of_activity(activity_id) if copy.parent_id == parent_id]
        jobs = _proceed(services, [copy for copy in copies if copy.state not in FINAL_STATES])
        mark_copies(services, parent_id, activity_id)
        refetch_copies_made(services, activity_id)
        if entry is not None and entry.copies_due is not None:
            services.state.activities.clear_copies_due(parent_id, activity_id, entry.copies_due.of)
    finally:
        services.lake.copy_rows.refresh(activity_id)
    for job in jobs.values():
        if job.fault is not None:
            raise job.fault
    return [_result(copy, jobs.get(copy.child_id)) for copy in copies]


def _plan(services: UsesStorage, parent_id: int, activity_id: int) -> None:
    """Plan a copy to each child whom the title names, and reopen skipped copies."""
    activity = services.lake.raw.detail(parent_id, activity_id)
    if activity is None:
        return
    for link in services.state.links.of_parent(parent_id):
        matched = match(activity.name, link.names)
        if matched is None:
            continue
        if services.state.copies.plan(_planned(services, activity, link, matched)).state is CopyState.SKIPPED:
            services.state.copies.reopen(activity_id, link.child_id, services.clock())


def _planned(services: UsesClock, activity: Activity, link: Link, matched: str) -> Copy:
    now_epoch_s = int(services.clock())
    return Copy(
        parent_activity_id=activity.activity_id,
        child_id=link.child_id,
        parent_id=activity.athlete_id,
        state=CopyState.PLANNED,
        external_id=external_id(activity.activity_id, link.child_id),
        matched=matched,
        activity_start_epoch_s=int(activity.start_at.timestamp()),
        planned_at_epoch_s=now_epoch_s,
        next_try_epoch_s=now_epoch_s + SOON_S,
    )


def _proceed(services: UsesStorageStravaAndWait, copies: Sequence[Copy]) -> dict[int, CopyJob]:
    """Send every child's file first, and only then wait for Strava; returns the jobs, by child."""
    jobs: dict[int, CopyJob] = {}
    try:
        for copy in copies:
            acquired = services.state.copies.acquire(copy.parent_activity_id, copy.child_id)
            if acquired is not None:
                jobs[copy.child_id] = CopyJob(services, acquired)
                jobs[copy.child_id].proceed()
        _poll(services, jobs.values())
    finally:
        for job in jobs.values():
            job.settle()
    return jobs


def _poll(services: UsesWait, jobs: Collection[CopyJob]) -> None:
    """Poll until Strava has decided or the polls are used up; then reconcile continues."""
    for delay_s in poll_delays_s():
        if not any(job.is_fresh for job in jobs):
            return
        services.wait(delay_s)
        for job in jobs:
            if job.is_fresh:
                job.poll()
    for job in jobs:
        if job.is_fresh:
            job.leave()


def _result(copy: Copy, job: CopyJob | None) -> CopyResult:
    if copy.state in FINAL_STATES:
        return CopyResult(copy.child_id, copy.state, copy.child_activity_id, copy.reason)
    if job is None or job.is_lost:
        return CopyResult(copy.child_id, copy.state, None, "another run is making this copy")
    copy = job.copy
    return CopyResult(copy.child_id, copy.state, copy.child_activity_id, copy.reason)
