"""One athlete with everything that the own page shows, and with years of activities and copies."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from include.state.activities.entry import LedgerEntry
from include.state.activities.row import LedgerRow
from include.state.activities.states import ActivityState
from include.state.consent.feed import LinkAction, Side
from include.state.copies.entry import Copy
from include.state.copies.ledger import external_id
from include.state.copies.states import CopyState
from include.state.links import CopyOptions, Link
from include.state.state import State
from include.store.store import Key
from include.strava.grant import TokenGrant
from include.strava.models import ActivityId, Athlete, AthleteId
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_WRITE, READ

CHILDREN, PARENTS = range(901, 906), range(801, 806)
SENT, RECEIVED = "https://www.strava.com/activities/1100", "https://www.strava.com/activities/1200"
"""How the addresses of the copies begin."""
_DAY_S = 86_400


def link_family(state: State, athlete_id: int, now_epoch_s: int) -> None:
    """Give the athlete, who is connected, five children, five parents, and two open invitations.

    Each link's other side has done something that the feed tells of.
    """
    for other_id in (*CHILDREN, *PARENTS):
        grant = TokenGrant("access", "refresh", now_epoch_s + 21_600, Athlete(AthleteId(other_id), "Ann", "Other"))
        state.athletes.connect(grant, frozenset({READ, ACTIVITY_READ, ACTIVITY_WRITE}))
    pairs = [(athlete_id, child_id, Side.CHILD) for child_id in CHILDREN]
    pairs += [(parent_id, athlete_id, Side.PARENT) for parent_id in PARENTS]
    for parent_id, child_id, by in pairs:
        link = Link(parent_id, child_id, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
        state.links.save(link.with_entry(now_epoch_s, by, LinkAction.CHANGED, ("names",)))
    for number in range(2):
        state.invites.create(f"secret {number}", athlete_id, ("Bello",), CopyOptions())


def add_years(path: Path, athlete_id: int, activities: int, now_epoch_s: int) -> None:
    """Give the athlete so many activities, one a day, each copied to a child, and as many copies of parents' ones.

    Effects: writes the rows into the SQLite file of a store that is closed; the next one to open it indexes them.
    """
    rows = (
        (key.table, key.partition, key.sort, json.dumps(fields))
        for key, fields in _rows(athlete_id, activities, now_epoch_s)
    )
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT OR REPLACE INTO items (table_name, partition, sort, version, fields) VALUES (?, ?, ?, 1, ?)", rows
        )
        connection.execute("PRAGMA user_version = 0")


def _rows(athlete_id: int, activities: int, now_epoch_s: int) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    for number in range(activities):
        at_epoch_s = now_epoch_s - number * _DAY_S
        child_id, parent_id = CHILDREN[number % len(CHILDREN)], PARENTS[number % len(PARENTS)]
        for owner_id, to_id, activity_id in (
            (athlete_id, child_id, 1_000_000 + number),
            (parent_id, athlete_id, 2_000_000 + number),
        ):
            entry = LedgerEntry(
                AthleteId(owner_id), ActivityId(activity_id), ActivityState.SYNCED, "TrailRun", at_epoch_s
            )
            key = Key("activities", str(owner_id), str(activity_id))
            yield key, LedgerRow(key, entry).to_fields()
            copy = Copy(
                activity_id,
                to_id,
                owner_id,
                CopyState.DONE,
                external_id=external_id(activity_id, to_id),
                child_activity_id=activity_id + 10_000_000,
                matched="Rex",
                planned_at_epoch_s=at_epoch_s,
                updated_at_epoch_s=at_epoch_s,
            )
            yield Key("copies", str(activity_id), str(to_id)), copy.to_fields() | {"lease_until_epoch_s": 0.0}
