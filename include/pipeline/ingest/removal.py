"""Decides whether an activity is gone for which Strava answers 404: one such answer alone removes nothing."""

from __future__ import annotations

from include.copying.reasons import athlete_words
from include.errors import RemovalsStopped, RetryLater
from include.pipeline.reconcile.installation import require_proof
from include.pipeline.uses import UsesStateAndQueue, UsesStateAndStrava, UsesStorage
from include.queue.content import ConfirmRemoval, to_body
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.state import UsesState
from include.strava.quota import DAY_S
from include.strava.scopes import ACTIVITY_READ_ALL

UNANNOUNCED = "Strava answers 404: deleted or hidden from this application"
ANNOUNCED = f"{UNANNOUNCED}, as an event said"
"""Reasons of a removal; unannounced removals count towards the daily limit."""

STOPPED = athlete_words(RemovalsStopped(""), account="your account")
"""How the reason ends while a removal waits for the operator's confirmation."""

MOST_REMOVALS = 20
MOST_SHARE = 0.05
FEWEST_REMOVALS = 5
"""The daily limit of an athlete's removals without delete events: 20 or 5 % of the stored activities, whichever is
less, but at least 5."""


class StillListed(RetryLater):
    """Strava answers 404 for an activity that the athlete's list shows: one of the two answers is wrong."""


def require_gone(services: UsesStateAndStrava, entry: LedgerEntry, *, is_announced: bool) -> None:
    """Return if the activity, for which Strava has just answered 404, may be removed; raise otherwise.

    Where rows are stored, a second call with the same token has to succeed: the list around the activity's start, which
    must not show it, or the profile where the start is unknown. `is_announced` says that a delete event named the
    activity.
    Errors: `NotProved`, `WrongInstallation`; `StillListed` and whatever the second call raises; `RemovalsStopped`.
    """
    require_proof(services.strava.push, services.state.installation, services.clock)
    if not entry.object_keys:
        return
    if not is_announced:
        _refuse_many(services, entry)
    start = entry.start_at_epoch_s
    if start is None:
        services.strava.client.athlete(entry.athlete_id)
        return
    pages = services.strava.client.activities(entry.athlete_id, after_epoch_s=start - 1, before_epoch_s=start + 1)
    if any(row.activity_id == entry.activity_id for row in next(pages, [])):
        raise StillListed(
            f"Strava answers 404 for activity {entry.activity_id} of athlete {entry.athlete_id}, but lists it. "
            "Nothing is removed; the activity is fetched again later."
        )


def is_hidden_from_grant(services: UsesStorage, entry: LedgerEntry) -> bool:
    """Whether a 404 proves nothing: the activity is stored as `only_me`, which the present grant does not cover."""
    athlete = services.state.athletes.get(entry.athlete_id)
    if not entry.object_keys or athlete is None or ACTIVITY_READ_ALL in athlete.scopes:
        return False
    stored = services.lake.raw.detail(entry.athlete_id, entry.activity_id)
    return stored is not None and stored.visibility == "only_me"


def is_stopped(entry: LedgerEntry) -> bool:
    """Whether its removal waits for the operator's confirmation."""
    return entry.reason.endswith(STOPPED)


def confirm_removals(services: UsesStateAndQueue, athlete_id: int) -> int:
    """The operator confirms the athlete's removals; returns how many activities are fetched again.

    Effects: queues an event for each, as a deletion at Strava would; an activity that Strava shows again stays.
    """
    stopped = [entry for entry in services.state.activities.of_athlete(athlete_id) if is_stopped(entry)]
    for entry in stopped:
        event = ConfirmRemoval(entry.athlete_id, entry.activity_id, services.clock())
        services.queue.send(to_body(event))
    return len(stopped)


def _refuse_many(services: UsesState, entry: LedgerEntry) -> None:
    since_epoch_s = services.clock() - DAY_S
    others = [other for other in services.state.activities.of_athlete(entry.athlete_id) if other != entry]
    stored = 1 + sum(bool(other.object_keys) for other in others)
    most = min(MOST_REMOVALS, max(FEWEST_REMOVALS, int(stored * MOST_SHARE)))
    going = sum(is_stopped(other) or _went_unannounced(other, since_epoch_s) for other in others)
    if going >= most:
        raise RemovalsStopped(
            f"{going + 1} activities of athlete {entry.athlete_id} were gone at Strava within a day, without an event; "
            f"no more than {most} are removed. If this is right, run `make removals ARGS={entry.athlete_id}`."
        )


def _went_unannounced(entry: LedgerEntry, since_epoch_s: float) -> bool:
    is_gone = entry.state is ActivityState.REMOVED and entry.reason == UNANNOUNCED
    return is_gone and (entry.fetched_at_epoch_s or 0) > since_epoch_s
