"""A parent and two linked children on one machine, and a Strava that answers what a test tells it to."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from unittest.mock import Mock

from include.pipeline.copying.copies import copy_to_children
from include.pipeline.copying.copy_job import CopyJob
from include.pipeline.services import Services
from include.state.accounts.narrowing import Narrowing
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.copies.ledger import Copy, CopyState, external_id
from include.state.links import CopyOptions, Link
from include.strava.grant import TokenGrant
from include.strava.models import Activity, ActivityId, Athlete, AthleteId, StreamSet, Upload, UploadId
from local.testbed.manual_clock import ManualClock

PARENT_ID, REX, MIA, ACTIVITY_ID, UPLOAD_ID, MADE_ID = 71, 72, 73, 101, 501, 901
START_EPOCH_S = int(datetime(2026, 6, 17, 8, tzinfo=UTC).timestamp())
WHOLE = CopyOptions(trim_m=0)
EVERYTHING = frozenset({"read", "activity:read", "activity:read_all", "activity:write"})
READY = Upload(UploadId(UPLOAD_ID), "Your activity is ready.", None, ActivityId(MADE_ID))
STILL = Upload(UploadId(UPLOAD_ID), "Your activity is still being processed.", None, None)
STREAMS = {
    "time": [0, 1, 2, 3],
    "latlng": [[48.1, 11.5], [48.2, 11.5], [48.3, 11.5], [48.4, 11.5]],
    "heartrate": [120, 121, 122, 123],
}


def recorded(activity_id: int = ACTIVITY_ID, name: str = "Run with Rex", **fields: object) -> Activity:
    """The parent's activity in detail."""
    return Activity.parse(
        {
            "id": activity_id,
            "athlete": {"id": PARENT_ID},
            "start_date": "2026-06-17T08:00:00Z",
            "start_date_local": "2026-06-17T10:00:00Z",
            "timezone": "(GMT+01:00) Europe/Berlin",
            "elapsed_time": 600,
            "sport_type": "Run",
            "name": name,
            "resource_state": 3,
            **fields,
        }
    )


@dataclass(frozen=True, slots=True)
class Family:
    """The installation, its clock, and what Strava's methods were called with."""

    services: Services
    strava: Mock

    @property
    def clock(self) -> ManualClock:
        return self.services.clock

    @property
    def now_epoch_s(self) -> int:
        return int(self.clock.now_epoch_s)

    def connect(self, athlete_id: int, scopes: frozenset[str] = EVERYTHING, firstname: str = "Ann") -> None:
        athlete = Athlete(AthleteId(athlete_id), firstname, "Other")
        self.services.state.athletes.connect(
            TokenGrant("access", "refresh", self.now_epoch_s + 21_600, athlete), scopes
        )

    def connect_narrower(self, athlete_id: int, scopes: frozenset[str]) -> None:
        """The athlete connects again and means to allow less; the next second begins."""
        given_up = Narrowing(athlete_id, EVERYTHING - scopes, removes=False)
        athlete = Athlete(AthleteId(athlete_id), "Ann", "Other")
        grant = TokenGrant("access", "refresh", self.now_epoch_s + 21_600, athlete)
        self.services.state.athletes.connect(grant, scopes, given_up)

    def link(self, child_id: int = REX, name: str = "Rex", options: CopyOptions = WHOLE) -> Link:
        return self.services.state.links.save(
            Link(PARENT_ID, child_id, (name,), options, parent_consent_epoch_s=1, child_consent_epoch_s=1)
        )

    def store(self, activity: Activity, state: ActivityState = ActivityState.SYNCED, **values: object) -> None:
        """The activity as a sync leaves it: its answers in the raw zone, its entry in the ledger."""
        athlete_id, activity_id = activity.athlete_id, activity.activity_id
        self.services.lake.raw.put_detail(activity, guard=lambda: None)
        body = json.dumps({name: {"data": samples} for name, samples in STREAMS.items()}).encode()
        self.services.lake.raw.put_streams(athlete_id, activity_id, StreamSet.parse(body), guard=lambda: None)
        self.enter(activity_id, state, **{"object_keys": ("rows",), **values})

    def enter(self, activity_id: int, state: ActivityState, **values: object) -> None:
        """The activity's entry in the ledger, as old as now."""
        lease = self.services.state.activities.acquire(PARENT_ID, activity_id)
        entry = replace(LedgerEntry.unknown(PARENT_ID, activity_id), state=state, fetched_at_epoch_s=self.now_epoch_s)
        self.services.state.activities.settle(lease, replace(entry, **values))

    def copy(self, child_id: int = REX, activity_id: int = ACTIVITY_ID) -> Copy | None:
        return self.services.state.copies.get(activity_id, child_id)

    def plan(self, state: CopyState = CopyState.PLANNED, activity_id: int = ACTIVITY_ID, **values: object) -> Copy:
        """A copy to Rex that an earlier run has left in this state."""
        copy = Copy(
            activity_id,
            REX,
            PARENT_ID,
            state,
            external_id=external_id(activity_id, REX),
            matched="Rex",
            activity_start_epoch_s=START_EPOCH_S,
            planned_at_epoch_s=self.now_epoch_s,
            next_try_epoch_s=self.now_epoch_s,
        )
        return self.services.state.copies.plan(replace(copy, **values))

    def job(self, activity_id: int = ACTIVITY_ID) -> CopyJob:
        """A job that holds the copy to Rex."""
        held = self.services.state.copies.acquire(activity_id, REX)
        assert held is not None
        return CopyJob(self.services, held)

    def proceed(self, **values: object) -> CopyJob:
        """One job on the copy, which an earlier run has left as told."""
        self.plan(**values)
        job = self.job()
        job.proceed()
        job.settle()
        return job

    def run(self, activity_id: int = ACTIVITY_ID):
        return copy_to_children(self.services, PARENT_ID, activity_id)
