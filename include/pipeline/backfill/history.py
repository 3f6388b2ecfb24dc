"""`strava_backfill`: an athlete's history, listed page by page as far as the present run takes it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from include.errors import (
    IngestError,
    NotConnected,
    QuotaSpent,
    Refused,
    ScopeMissing,
    StravaUnavailable,
)
from include.pipeline.backfill.request import being_erased
from include.pipeline.ingest.fingerprint import is_shown_by
from include.pipeline.reconcile.listing import Page, quarantine
from include.pipeline.reconcile.outage import current_outage
from include.pipeline.uses import UsesStorage, UsesStorageAndQueue, UsesStorageStravaAndQueue
from include.queue.queued_event import QueuedEvent
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.state.histories import History
from include.state.uses import UsesState
from include.strava import client
from include.strava.client import Unreadable
from include.strava.models import Activity
from include.strava.quota import DAY_S, HOUR_S, WINDOW_S, utc_text

log = logging.getLogger(__name__)

BATCH = 1000
"""How many activities one run loads at most; so many keys a row holds, and XCom carries."""

IN_LAKE = (ActivityState.SYNCED, ActivityState.NO_STREAMS)

HistoryKey = tuple[int, str, int]
"""Athlete, span, and activity: what XCom carries of an activity to load; JSON makes lists of them."""


def list_batch(services: UsesStorageStravaAndQueue, history: History) -> History:
    """List on until a share is to be loaded, or to the end; where quota or Strava end, so far as it reached.

    Errors: as of `list_on`, but for `QuotaSpent`; `NotConnected` too for an athlete who has to connect again.
    Effects: whatever stops it puts the history off.
    """
    if outage := current_outage(services):
        since = StravaUnavailable(f"Strava is out since {utc_text(outage.since_epoch_s)}; reconcile goes on after it.")
        return _postpone(services, history, since)
    _check_connected(services, history.athlete_id)
    try:
        return list_on(services, history)
    except QuotaSpent as spent:
        log.info("%s What is listed of athlete %s is kept; a later run goes on.", spent, history.athlete_id)
        return _postpone(services, history, spent)
    except IngestError as error:
        _postpone(services, history, error)
        raise


def keys(history: History) -> list[HistoryKey]:
    """What is to be loaded of it, oldest first, so that a chunk shares the objects of its months."""
    return [(history.athlete_id, history.span, activity_id) for activity_id in reversed(history.to_load)]


def summary(history: History, now_epoch_s: float) -> dict[str, Any]:
    """How far it has come, in numbers, and when it should be done if it goes on as it went."""
    done, elapsed_s = history.done_share, now_epoch_s - history.asked_at_epoch_s
    done_at = now_epoch_s + elapsed_s * (1 - done) / done if done > 0 else None
    names = ("found", "in_lake", "changed", "unreadable", "read_calls", "loaded")
    return {
        **{name: getattr(history, name) for name in names},
        "to_load": history.lacking if history.dry_run else len(history.to_load),
        "done_percent": int(100 * done),
        "done_about": None if done_at is None else datetime.fromtimestamp(done_at, UTC).isoformat(timespec="minutes"),
        "reason": history.reason,
    }


def list_on(services: UsesStorageStravaAndQueue, history: History) -> History:
    """List until a share is to be loaded, or to the end; returns the row as it is then.

    Each page is stored before the next is asked for, so that whoever goes on lists none twice.
    Errors: `NotConnected` for an athlete who is being erased; `QuotaSpent`, and whatever a page raises.
    Effects: unless it is a dry run, the list rows of activities that the lake lacks go to the raw zone, so that loading
    them needs no detail call, and edited ones are queued for `strava_ingest`.
    """
    while not history.is_listed and len(history.to_load) < BATCH:
        listed = _list_page(services, history)
        after = services.state.histories.amend(history, partial(_after_page, before=history, page=listed))
        if after is None:
            raise being_erased(history.athlete_id)
        history = after
    return history


@dataclass(frozen=True, slots=True)
class _Listed:
    """One page, compared with the ledger."""

    listed_at_epoch_s: float
    calls: int
    before_epoch_s: int | None
    """Where the next older page ends; None where there is none."""
    edge: tuple[int, ...] = ()
    missing: Sequence[Activity] = ()
    changed: Sequence[Activity] = ()
    found: int = 0
    unreadable: int = 0


def _list_page(services: UsesStorageStravaAndQueue, history: History) -> _Listed:
    """The next older page, and what follows from it.

    A page without a row that can be read has no time to go on from: then the one after it is listed too. One that
    shows but the cursor's own second once more says as much as an empty one.
    """
    listed_at, calls, unreadable = services.clock(), 0, list[Unreadable]()
    shown: Sequence[Activity] = ()
    pages = services.strava.client.activities(
        history.athlete_id, before_epoch_s=history.before_epoch_s, unreadable=unreadable.append
    )
    for shown in pages:
        calls += 1
        if shown:
            break
    else:
        calls += 1  # the empty page that ends the list
    page = Page(shown, before_epoch_s=history.before_epoch_s)
    oldest, before = page.oldest_epoch_s, page.next_before_epoch_s
    says_nothing = (
        not unreadable and len(shown) < client.PER_PAGE and {row.activity_id for row in shown} <= {*history.edge}
    )
    if says_nothing or before is None or before <= history.after_epoch_s + 1:
        before = None
    rows = [row for row in shown if _start(row) > history.after_epoch_s and row.activity_id not in history.edge]
    missing, changed = _compare(services, rows, again=history.again)
    if not history.dry_run:
        _prepare(services, missing, changed, again=history.again)
        for row in unreadable:
            quarantine(services, row)
    return _Listed(
        listed_at_epoch_s=listed_at,
        calls=calls,
        before_epoch_s=before,
        edge=tuple(row.activity_id for row in shown if _start(row) == oldest),
        missing=missing,
        changed=changed,
        found=len(rows) + len(unreadable),
        unreadable=len(unreadable),
    )


def _compare(services: UsesState, rows: Sequence[Activity], *, again: bool) -> tuple[list[Activity], list[Activity]]:
    """Those that the lake lacks, and those that were edited since they came into it, or all of them `again`."""
    missing, changed = list[Activity](), list[Activity]()
    for activity in rows:
        entry = services.state.activities.get(activity.athlete_id, activity.activity_id)
        if entry is None or entry.state not in IN_LAKE:
            missing.append(activity)
        elif again or not is_shown_by(activity, entry.fingerprint):
            changed.append(activity)
    return missing, changed


def _after_page(row: History, before: History, page: _Listed) -> History:
    """The row with the page; as it is where another run has listed that page meanwhile."""
    if (row.before_epoch_s, row.edge, row.is_listed) != (before.before_epoch_s, before.edge, before.is_listed):
        return row
    ids = () if row.dry_run else tuple(activity.activity_id for activity in page.missing)
    return replace(
        row,
        before_epoch_s=row.before_epoch_s if page.before_epoch_s is None else page.before_epoch_s,
        edge=page.edge,
        is_listed=page.before_epoch_s is None,
        listed_at_epoch_s=row.listed_at_epoch_s if row.to_load else page.listed_at_epoch_s,
        to_load=(*row.to_load, *(each for each in ids if each not in row.to_load)),
        found=row.found + page.found,
        in_lake=row.in_lake + page.found - page.unreadable - len(page.missing) - len(page.changed),
        changed=row.changed + len(page.changed),
        unreadable=row.unreadable + page.unreadable,
        lacking=row.lacking + len(page.missing),
        read_calls=row.read_calls + page.calls + _loading_calls(page, again=row.again),
        reason="",
    )


def _loading_calls(page: _Listed, *, again: bool) -> int:
    """What it costs to load the page: the streams of what is missing; detail and streams of what is fetched again."""
    missing = sum(not activity.manual for activity in page.missing)
    return missing + sum(2 - activity.manual for activity in page.changed if again)


def postponed(row: History, *, now_epoch_s: float, error: IngestError) -> History:
    """The row with its next turn when the fault may have gone: the quota's window, a day after access was lost.

    A refused token alone is an hour's wait: an athlete who really has to connect again is `NotConnected` by then.
    """
    if isinstance(error, NotConnected | ScopeMissing):
        wait_s: float = DAY_S
    else:
        wait_s = HOUR_S if isinstance(error, Refused) else max(WINDOW_S, error.retry_after_s)
    until = error.until_epoch_s + 1 if isinstance(error, QuotaSpent) else now_epoch_s + wait_s
    return replace(row, next_turn_epoch_s=int(until), reason=str(error))


def _postpone(services: UsesState, history: History, error: IngestError) -> History:
    return (
        services.state.histories.amend(history, partial(postponed, now_epoch_s=services.clock(), error=error))
        or history
    )


def _prepare(
    services: UsesStorageAndQueue, missing: Sequence[Activity], changed: Sequence[Activity], *, again: bool
) -> None:
    """Keep what is to be loaded, and have the others fetched: `again` as the budget allows, edited ones at once."""
    for activity in missing:
        _keep_summary(services, activity)
    for activity in changed:
        if again:
            services.state.activities.ask_whole(activity.athlete_id, activity.activity_id, services.clock())
        else:
            look = QueuedEvent.look_again(activity.athlete_id, activity.activity_id, services.clock())
            services.queue.send(look.to_body())


def _keep_summary(services: UsesStorage, activity: Activity) -> None:
    """Keep a row of the list, unless everything of the athlete is being erased since it was listed.

    Looked at once more after the write, see `Erasures`. Errors: `NotConnected`; nothing was kept.
    """
    athlete_id = activity.athlete_id
    if not services.state.erasures.forbid_writing(athlete_id):
        services.lake.raw.put_summary(activity)
        if not services.state.erasures.clear_away(athlete_id):
            return
        services.lake.raw.remove(athlete_id, activity.activity_id, guard=lambda: None)
    raise being_erased(athlete_id)


def _check_connected(services: UsesState, athlete_id: int) -> None:
    athlete = services.state.athletes.get(athlete_id)
    if athlete is None or athlete.status is not AthleteStatus.ACTIVE:
        raise NotConnected(
            f"Athlete {athlete_id} is not connected; have them connect at the start page. The backfill waits for that; "
            "of an unknown athlete it is forgotten."
        )


def _start(row: Activity) -> int:
    return int(row.start_at.timestamp())
