"""`strava_backfill`: lists an athlete's history page by page, one batch for each run."""

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
from include.pipeline.ingest.fingerprint import matches
from include.pipeline.reconcile.listing import Page, quarantine
from include.pipeline.reconcile.outage import current_outage
from include.pipeline.uses import UsesStorage, UsesStorageAndQueue, UsesStorageStravaAndQueue
from include.queue.content import LookAgain, to_body
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.state.histories import History
from include.state.state import UsesState
from include.strava import client
from include.strava.client import Unreadable
from include.strava.models import Activity
from include.strava.quota import DAY_S, HOUR_S, WINDOW_S, utc_text

log = logging.getLogger(__name__)

BATCH = 1000
"""How many activities one run loads at most: a row and XCom hold that many keys."""

IN_LAKE = (ActivityState.SYNCED, ActivityState.NO_STREAMS)

HistoryKey = tuple[int, str, int]
"""Athlete, span and activity: the key of an activity to load in XCom, where JSON makes it a list."""


def list_batch(services: UsesStorageStravaAndQueue, history: History) -> History:
    """List on until a batch is full or the history ends; where quota or Strava stop it, return what was listed.

    Errors: those of `list_on` except `QuotaSpent`; `NotConnected` too for an athlete who has to connect again.
    Effects: an error postpones the history.
    """
    if outage := current_outage(services):
        since = StravaUnavailable(
            f"Strava has been down since {utc_text(outage.since_epoch_s)}; reconcile continues when it is back."
        )
        return _postpone(services, history, since)
    _check_connected(services, history.athlete_id)
    try:
        return list_on(services, history)
    except QuotaSpent as spent:
        log.info("%s What is listed so far of athlete %s is kept; a later run continues.", spent, history.athlete_id)
        return _postpone(services, history, spent)
    except IngestError as error:
        _postpone(services, history, error)
        raise


def keys(history: History) -> list[HistoryKey]:
    """The keys of the activities to load, oldest first, so that a chunk shares the objects of its months."""
    return [(history.athlete_id, history.span, activity_id) for activity_id in reversed(history.to_load)]


def summary(history: History, now_epoch_s: float) -> dict[str, Any]:
    """The history's progress in numbers, and the estimated time of its end."""
    done, elapsed_s = history.done_share, now_epoch_s - history.asked_at_epoch_s
    done_at_epoch_s = now_epoch_s + elapsed_s * (1 - done) / done if done > 0 else None
    names = ("found", "in_lake", "changed", "unreadable", "read_calls", "loaded")
    return {
        **{name: getattr(history, name) for name in names},
        "to_load": history.lacking if history.dry_run else len(history.to_load),
        "done_percent": int(100 * done),
        "done_about": None
        if done_at_epoch_s is None
        else datetime.fromtimestamp(done_at_epoch_s, UTC).isoformat(timespec="minutes"),
        "reason": history.reason,
    }


def list_on(services: UsesStorageStravaAndQueue, history: History) -> History:
    """List until a batch is full or the history ends; returns the row as it is then.

    Each page is stored before the next is fetched, so that the next run lists no page twice.
    Errors: `NotConnected` for an athlete who is being erased; `QuotaSpent`, and whatever a page raises.
    Effects: unless it is a dry run, list rows of activities that the lake lacks are written to the raw zone, so that
    loading them needs no detail call, and edited activities are queued for `strava_ingest`.
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
    edge: tuple[int, ...]
    missing: Sequence[Activity]
    changed: Sequence[Activity]
    found: int
    unreadable: int


def _list_page(services: UsesStorageStravaAndQueue, history: History) -> _Listed:
    """The next older page, compared with the ledger.

    A page without a readable row has no time to continue from: then the page after it is listed too. A page that
    repeats only the cursor's own second counts as empty.
    """
    listed_at_epoch_s, calls, unreadable = services.clock(), 0, list[Unreadable]()
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
        listed_at_epoch_s=listed_at_epoch_s,
        calls=calls,
        before_epoch_s=before,
        edge=tuple(row.activity_id for row in shown if _start(row) == oldest),
        missing=missing,
        changed=changed,
        found=len(rows) + len(unreadable),
        unreadable=len(unreadable),
    )


def _compare(services: UsesState, rows: Sequence[Activity], *, again: bool) -> tuple[list[Activity], list[Activity]]:
    """Activities that the lake lacks, and those edited since they were stored, or all of them with `again`."""
    missing, changed = list[Activity](), list[Activity]()
    for activity in rows:
        entry = services.state.activities.get(activity.athlete_id, activity.activity_id)
        if entry is None or entry.state not in IN_LAKE:
            missing.append(activity)
        elif again or not matches(activity, entry.fingerprint):
            changed.append(activity)
    return missing, changed


def _after_page(row: History, before: History, page: _Listed) -> History:
    """The row with the page added; unchanged where another run has listed that page meanwhile."""
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
    """The calls that the page costs: streams of missing activities; detail and streams of those fetched again."""
    missing = sum(not activity.manual for activity in page.missing)
    return missing + sum(2 - activity.manual for activity in page.changed if again)


def postponed(row: History, *, now_epoch_s: float, error: IngestError) -> History:
    """The row with its next try when the fault may be over: at the quota's window, or a day after access was lost.

    A refused token waits an hour: an athlete who really has to connect again is `NotConnected` by then.
    """
    if isinstance(error, NotConnected | ScopeMissing):
        wait_s: float = DAY_S
    else:
        wait_s = HOUR_S if isinstance(error, Refused) else max(WINDOW_S, error.retry_after_s)
    until_epoch_s = error.until_epoch_s + 1 if isinstance(error, QuotaSpent) else now_epoch_s + wait_s
    return replace(row, next_turn_epoch_s=int(until_epoch_s), reason=str(error))


def _postpone(services: UsesState, history: History, error: IngestError) -> History:
    return (
        services.state.histories.amend(history, partial(postponed, now_epoch_s=services.clock(), error=error))
        or history
    )


def _prepare(
    services: UsesStorageAndQueue, missing: Sequence[Activity], changed: Sequence[Activity], *, again: bool
) -> None:
    """Store the rows to load, and queue the others: with `again` as the budget allows, edited ones at once."""
    for activity in missing:
        _keep_summary(services, activity)
    for activity in changed:
        if again:
            services.state.activities.request_refetch(activity.athlete_id, activity.activity_id, services.clock())
        else:
            look = LookAgain(activity.athlete_id, activity.activity_id, services.clock())
            services.queue.send(to_body(look))


def _keep_summary(services: UsesStorage, activity: Activity) -> None:
    """Store a list row, unless an erasure of the athlete has begun since it was listed.

    The erasure is checked again after the write, see `Erasures`. Errors: `NotConnected`; nothing was kept.
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
            "that of an unknown athlete is dropped."
        )


def _start(row: Activity) -> int:
    return int(row.start_at.timestamp())
