"""Athletes on one machine without Strava, and what is stored of them."""

from __future__ import annotations

from dataclasses import replace

from include.lake.keys import raw_detail_key
from include.lake.objects.objects import Condition
from include.state.accounts.narrowing import Narrowing
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.copies.ledger import Copy, CopyState, external_id
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId

ANN, REX, ZOE, START_EPOCH_S = 71, 72, 73, 1_781_000_000
EVERYTHING = frozenset({"read", "activity:read", "activity:read_all", "activity:write"})


def connect(services, athlete_id=ANN, scopes=EVERYTHING, *, removes=False):
    """The athlete connects, and means it where the scopes are fewer than before."""
    athlete = Athlete(AthleteId(athlete_id), "Ann", "Other")
    grant = TokenGrant("access", "refresh", int(services.clock()) + 21_600, athlete)
    services.state.athletes.connect(grant, scopes, Narrowing(athlete_id, EVERYTHING - scopes, removes=removes))


def enter(services, activity_id, athlete_id=ANN, **values):
    """An activity in the ledger, synced now."""
    lease = services.state.activities.acquire(athlete_id, activity_id)
    unknown = LedgerEntry.unknown(athlete_id, activity_id)
    entry = replace(unknown, state=ActivityState.SYNCED, fetched_at_epoch_s=services.clock())
    services.state.activities.settle(lease, replace(entry, **values))


def put(services, key, body=b"x"):
    services.lake.objects.put(key, body, expected=Condition.ANYTHING)


def raw(services, activity_id=1, athlete_id=ANN):
    """An object of the athlete's; returns its key."""
    key = raw_detail_key(athlete_id, activity_id)
    put(services, key)
    return key


def copy(services, parent_id, child_id, activity_id):
    """A planned copy, in the ledger and in the lake."""
    planned = Copy(
        activity_id,
        child_id,
        parent_id,
        CopyState.PLANNED,
        external_id=external_id(activity_id, child_id),
        activity_start_epoch_s=START_EPOCH_S,
        planned_at_epoch_s=START_EPOCH_S,
    )
    services.state.copies.plan(planned)
    services.lake.copy_rows.refresh(activity_id)
    return planned
