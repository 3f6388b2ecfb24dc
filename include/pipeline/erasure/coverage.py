"""Removes stored data that the athlete's present grant does not cover, where the athlete asked for that."""

from __future__ import annotations

import math
from functools import partial

from include.errors import UnexpectedShape
from include.pipeline.ingest.removal import is_hidden_from_grant
from include.pipeline.uses import UsesStorage
from include.state.accounts.athletes import AthleteRow
from include.state.activities.ledger import LedgerEntry
from include.state.state import UsesState
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_READ_ALL

TRACKS_AT_ONCE = 2
"""How many tracks of an athlete are fetched again in a quota window: at most 384 calls a day."""

REASON = "you no longer allow it, and had it removed"


def has_unwanted_track(services: UsesState, entry: LedgerEntry) -> bool:
    """Whether the stored points may be a full track that the athlete asked to have removed."""
    athlete = services.state.athletes.get(entry.athlete_id)
    return athlete is not None and _is_track_unwanted(athlete, entry)


def remove_unwanted(services: UsesStorage) -> dict[str, int]:
    """Remove what athletes' narrowed grants no longer cover; returns counts of removed activities and refetched tracks.

    Full tracks are replaced by the tracks that Strava shows now, a few at a time.
    Errors: `LeaseLost`, `ObjectConflict`: run it again.
    Effects: safe to repeat and after a crash at any point; an athlete is done when no unwanted data is left.
    """
    removed = tracks = 0
    for athlete in list(services.state.athletes.all()):
        if athlete.unwanted_scopes:
            of_athlete = _serve(services, athlete)
            removed, tracks = removed + of_athlete[0], tracks + of_athlete[1]
    return {"removed": removed, "tracks": tracks}


def _serve(services: UsesStorage, athlete: AthleteRow) -> tuple[int, int]:
    stored = [entry for entry in services.state.activities.of_athlete(athlete.athlete_id) if entry.object_keys]
    uncovered = [entry for entry in stored if not _covers(services, athlete, entry)]
    if uncovered:
        services.lake.freshness_rows.expire(
            athlete.athlete_id, math.inf
        )  # the log counts them; the next lists count the rest
    removed = sum(_remove(services, entry) for entry in uncovered)
    unwanted = [entry for entry in stored if entry not in uncovered and _is_track_unwanted(athlete, entry)]
    now_epoch_s = int(services.clock())
    tracks = [entry for entry in unwanted if entry.due_at_epoch_s is None][:TRACKS_AT_ONCE]
    for entry in tracks:
        services.state.activities.make_due(entry.athlete_id, entry.activity_id, asked_at_epoch_s=now_epoch_s)
    if removed == len(uncovered) and not unwanted:
        services.state.athletes.note_removed(athlete)
    return removed, len(tracks)


def _covers(services: UsesStorage, athlete: AthleteRow, entry: LedgerEntry) -> bool:
    if not athlete.scopes & {ACTIVITY_READ, ACTIVITY_READ_ALL}:
        return False
    try:
        return not is_hidden_from_grant(services, entry)
    except UnexpectedShape:
        return True  # No stored field says that it is private; if it is, the next fetch answers 404.


def _is_track_unwanted(athlete: AthleteRow, entry: LedgerEntry) -> bool:
    fetched_at_epoch_s = entry.fetched_at_epoch_s or 0.0
    is_older = fetched_at_epoch_s < athlete.authorised_at_epoch_s
    return ACTIVITY_READ_ALL in athlete.unwanted_scopes and is_older and entry.points > 0


def _remove(services: UsesStorage, entry: LedgerEntry) -> bool:
    """Remove the activity from the lake, rows first, raw objects after; False while another worker holds it."""
    with services.state.activities.held(entry.athlete_id, entry.activity_id) as lease:
        if lease is None or lease.entry is None:
            return False
        guard = partial(services.state.activities.check, lease)
        services.lake.tables.remove(entry.athlete_id, [entry.activity_id], lease.entry.object_keys, guard=guard)
        services.lake.raw.remove(entry.athlete_id, entry.activity_id, guard=guard)
        services.state.activities.settle(lease, lease.entry.removed(services.clock(), REASON))
    return True
