"""`strava_reconcile`: queues work that waits in the ledgers, and differences between Strava's lists and the ledgers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from include.copying.waking import wake_for_links
from include.errors import ApplicationInactive, NewerVersion, QuotaSpent, Refused, RetryLater
from include.pipeline.backfill.request import queue_histories
from include.pipeline.erasure.watch import queue_open_erasures
from include.pipeline.ingest.fingerprint import Fingerprint
from include.pipeline.reconcile.freshness import months_of, months_shown, note_freshness
from include.pipeline.reconcile.list_columns import ListedRows, update_from_list
from include.pipeline.reconcile.listing import Circumstances, Differences, Page, compare, quarantine
from include.pipeline.reconcile.outage import current_outage
from include.pipeline.reconcile.turns import CALLS, intervals_s
from include.pipeline.uses import (
    UsesStateAndQueue,
    UsesStateAndStrava,
    UsesStateStravaAndQueue,
    UsesStorageStravaAndQueue,
)
from include.queue.content import LookAgain, to_body
from include.settings import Settings
from include.state.accounts.athletes import AthleteRow, AthleteStatus
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.copies.ledger import Copy
from include.state.listings import Listing, ListingClaim, MonthShown
from include.state.state import UsesState
from include.strava.client import Unreadable
from include.strava.models import Activity
from include.strava.quota import DAY_S
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_READ_ALL

QUEUED_AT_ONCE = 500
"""How many due rows one run queues; the run of the next window queues the rest."""

SYNC_CALLS = 2
"""The most calls that fetching one activity costs."""

DIFFERENCES_AT_ONCE = 50
"""How many differences one listing of an athlete queues; the next listing finds the rest."""

REMEMBERED = 500
"""How many missing, and how many differing, activities are remembered as already fetched."""

_LISTED_BY = frozenset({ACTIVITY_READ, ACTIVITY_READ_ALL})
"""The scopes that allow listing; athletes with neither, such as children who only allow uploads, are not listed."""


@dataclass(frozen=True, slots=True)
class Queued:
    """How many activities were queued, for their own row or for a copy, and how many other rows."""

    activities: int
    copies: int
    erasures: int = 0
    histories: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """The result of the listings."""

    athletes: int = 0
    lacking: int = 0
    changed: int = 0
    missing: int = 0
    waiting: int = 0
    """Athletes who were due, but had to wait for the quota."""
    refusals: tuple[str, ...] = ()
    """Why single athletes could not be listed; all others were."""

    def to_json(self) -> dict[str, Any]:
        """The result as XCom carries it."""
        return asdict(self) | {"refusals": len(self.refusals)}


def queue_due(services: UsesStateStravaAndQueue) -> Queued:
    """Queue the due rows of every ledger: erasures, activities, copies and histories of backfills.

    Open erasures come first; while Strava is down, nothing else is queued. Copies that a link no longer blocks are made
    due, and as many activities are queued as the call budget can serve now. Activities that retention was deleting when
    it died are left to the next night; activities of athletes who are not connected wait until they are, and delay no
    others.
    Effects: sends messages. A queued row is postponed first, by half an hour and longer each time, so that work without
    progress is not queued again and again. After a crash in between it is queued half an hour later.
    """
    erasures, now_epoch_s = queue_open_erasures(services), services.clock()
    if current_outage(services):
        return Queued(activities=0, copies=0, erasures=erasures)
    wake_for_links(services.state.copies, services.state.links, services.state.quota.limits(), now_epoch_s)
    connected = {int(athlete.athlete_id) for athlete in _connected(services)}
    room = services.state.quota.room()
    fetches = list(islice(_due_fetches(services, connected, now_epoch_s), min(QUEUED_AT_ONCE, room.read // SYNC_CALLS)))
    taken = set(fetches)
    due_copies = dict.fromkeys(key for key in _due_copies(services, connected, now_epoch_s) if key not in taken)
    left = room.overall - len(fetches) * SYNC_CALLS
    copies = list(islice(due_copies, min(QUEUED_AT_ONCE, left)))
    for key in fetches:
        services.state.activities.put_off(*key, now_epoch_s)
    for key in copies:
        services.state.activities.put_off(*key, now_epoch_s, copies=True)
    for key in fetches:
        services.queue.send(to_body(LookAgain(*key, now_epoch_s)))
    for key in copies:
        services.queue.send(to_body(LookAgain(*key, now_epoch_s, copies_only=True)))
    return Queued(len(fetches), len(copies), erasures, queue_histories(services, connected))


def _due_fetches(services: UsesState, connected: Collection[int], now_epoch_s: float) -> Iterator[tuple[int, int]]:
    """The activities to fetch, longest overdue first."""
    for entry in services.state.activities.due(now_epoch_s):
        fetch_at_epoch_s = entry.fetch_at_epoch_s
        expires = entry.state is ActivityState.EXPIRED and entry.asked is None
        if (
            entry.athlete_id in connected
            and fetch_at_epoch_s is not None
            and fetch_at_epoch_s <= now_epoch_s
            and not expires
        ):
            yield entry.athlete_id, entry.activity_id


def _due_copies(services: UsesState, connected: Collection[int], now_epoch_s: float) -> Iterator[tuple[int, int]]:
    """The activities with due copies, except those that are queued already.

    A copy that has begun continues without its parent: uploads are polled, and waiting copies expire.
    """
    for copy in services.state.copies.due(now_epoch_s):
        if not _is_queued(services, copy, now_epoch_s):
            yield copy.parent_id, copy.parent_activity_id
    for entry in services.state.activities.due(now_epoch_s):
        mark = entry.copies_due
        if entry.athlete_id in connected and mark is not None and mark.due_at_epoch_s <= now_epoch_s:
            yield entry.athlete_id, entry.activity_id


def _is_queued(services: UsesState, copy: Copy, now_epoch_s: float) -> bool:
    """Whether the copy's activity is already queued, or a newer version wrote its row."""
    try:
        entry = services.state.activities.get(copy.parent_id, copy.parent_activity_id)
    except NewerVersion:
        return True
    mark = entry.copies_due if entry and entry.queued else None
    return mark is not None and mark.due_at_epoch_s > now_epoch_s


def list_athletes(services: UsesStorageStravaAndQueue, settings: Settings) -> Listed:
    """List the activities of the athletes who are due, longest overdue first, and queue what differs.

    Each athlete is listed once an hour, every few hours while Strava's events arrive, or less often where that would
    take more than half of the day's read calls; one run takes at most half of a window's. Live work keeps the other
    half. A run queues no more fetches than the budget can serve, or one; the next listing finds the rest.
    Errors: `RetryLater`, `ApplicationInactive`: the athlete stays due, behind all others who are due: an athlete whose
    list always fails delays nobody.
    Effects: sends messages and stores who was listed; safe to repeat and to run twice at once.
    """
    if current_outage(services):
        return Listed()
    limits = services.state.quota.limits()
    active = [athlete for athlete in _connected(services) if athlete.scopes & _LISTED_BY]
    now_epoch_s = services.clock()
    turns_s = intervals_s(services, settings, active, limits)
    last = {athlete.athlete_id: services.state.listings.get(athlete.athlete_id).listed_at_epoch_s for athlete in active}
    due = [athlete for athlete in active if last[athlete.athlete_id] + turns_s[athlete.athlete_id] <= now_epoch_s]
    due.sort(key=lambda athlete: last[athlete.athlete_id])
    total, looks = Listed(), max(1, services.state.quota.room().read // SYNC_CALLS)
    for athlete in due[: max(1, limits.read_window // (2 * CALLS))]:
        every_s = turns_s[athlete.athlete_id]
        turn = services.state.listings.take(athlete.athlete_id, every_s)
        if turn is None:
            continue  # another run lists this athlete
        try:
            found, queued = _list(services, athlete, turn, most=min(DIFFERENCES_AT_ONCE, looks))
        except QuotaSpent:
            services.state.listings.release(turn, every_s)
            break
        except (RetryLater, ApplicationInactive):
            services.state.listings.release(turn, every_s)
            raise
        except Refused as refusal:
            total = replace(total, refusals=(*total.refusals, str(refusal)))
            continue
        total, looks = _sum(total, found), looks - queued
    return replace(total, waiting=len(due) - total.athletes - len(total.refusals))


def _connected(services: UsesState) -> list[AthleteRow]:
    return [athlete for athlete in services.state.athletes.all() if athlete.status is AthleteStatus.ACTIVE]


def _list(
    services: UsesStorageStravaAndQueue, athlete: AthleteRow, turn: ListingClaim, *, most: int
) -> tuple[Differences, int]:
    """List the newest page and the next older one; returns the differences, and how many were queued, at most `most`.

    The ledger is read before both pages, so it is never newer than they are.
    Effects: writes the columns that lists update, without a fetch, and the freshness of the months shown.
    """
    listing, now_epoch_s = turn.listing, turn.taken_at_epoch_s
    ledger: dict[int, LedgerEntry] = {
        entry.activity_id: entry for entry in services.state.activities.of_athlete(athlete.athlete_id)
    }
    circumstances = Circumstances(
        now_epoch_s, athlete.connected_at_epoch_s - DAY_S, listing.looked_for, dict(listing.looked_at)
    )
    newest = _page(services, athlete.athlete_id, None)
    rows, known = list(newest.rows), months_of(ledger)
    months = [months_shown(newest, known, newer_part=None, listed_at_epoch_s=now_epoch_s)]
    found = compare(newest, ledger, circumstances)
    before = listing.older_before_epoch_s or newest.next_before_epoch_s
    newer_part = listing.older_newer_part if listing.older_before_epoch_s else months[0].newer_part
    if before is not None and listing.older_from_epoch_s <= now_epoch_s:
        try:
            older = _page(services, athlete.athlete_id, before)
        except QuotaSpent:
            pass  # The newest page is done; the older one comes first next time.
        else:
            rows += older.rows
            found = found.merged_with(compare(older, ledger, circumstances))
            months.append(months_shown(older, known, newer_part=newer_part, listed_at_epoch_s=now_epoch_s))
            listing = _with_older_page(listing, older, months[-1].newer_part, now_epoch_s)
    listing = replace(listing, zone=newest.zone or listing.zone)
    note_freshness(services, athlete.athlete_id, months, ledger)
    shown = ListedRows(athlete.athlete_id, now_epoch_s, rows)
    found = found.merged_with(
        Differences(changed=tuple(update_from_list(services, shown, ledger, looked_at=found.changed)))
    )
    queued = _queue(services, athlete.athlete_id, islice(found.ids(), most), ledger)
    services.state.listings.finish(turn, _with_fetched(listing, found, queued, rows))
    return found, len(queued)


def _with_fetched(listing: Listing, found: Differences, queued: Collection[int], rows: Collection[Activity]) -> Listing:
    """The listing with the activities fetched because of it, so that a fetch that changes nothing is not repeated."""
    looked_for = dict.fromkeys([*listing.looked_for, *(set(queued) & set(found.missing))])
    differing = set(queued) & {*found.changed, *found.lacking}
    shown = {row.activity_id: str(Fingerprint.of(row)) for row in rows if row.activity_id in differing}
    looked_at = {number: text for number, text in listing.looked_at if number not in shown} | shown
    return replace(
        listing,
        looked_for=tuple(looked_for)[-REMEMBERED:],
        looked_at=tuple(looked_at.items())[-REMEMBERED:],
    )


def _page(services: UsesStateAndStrava, athlete_id: int, before_epoch_s: int | None) -> Page:
    unreadable: list[Unreadable] = []
    pages = services.strava.client.activities(athlete_id, before_epoch_s=before_epoch_s, unreadable=unreadable.append)
    rows = next(pages, [])
    for row in unreadable:
        quarantine(services, row)
    return Page(rows, {row.activity_id for row in unreadable}, before_epoch_s)


def _with_older_page(listing: Listing, older: Page, newer_part: MonthShown | None, now_epoch_s: float) -> Listing:
    """The listing with the older page listed; after the last page it starts again a day later."""
    before = older.next_before_epoch_s
    if before is None:
        return replace(
            listing, older_before_epoch_s=None, older_newer_part=None, older_from_epoch_s=now_epoch_s + DAY_S
        )
    return replace(listing, older_before_epoch_s=before, older_newer_part=newer_part)


def _queue(
    services: UsesStateAndQueue, athlete_id: int, differing: Iterable[int], ledger: Mapping[int, LedgerEntry]
) -> frozenset[int]:
    """Queue differing activities, unless their row has changed since the comparison: then one was just fetched."""
    queued = [
        activity_id
        for activity_id in differing
        if services.state.activities.get(athlete_id, activity_id) == ledger.get(activity_id)
    ]
    for activity_id in queued:
        services.queue.send(to_body(LookAgain(athlete_id, activity_id, services.clock())))
    return frozenset(queued)


def _sum(total: Listed, found: Differences) -> Listed:
    return replace(
        total,
        athletes=total.athletes + 1,
        lacking=total.lacking + len(found.lacking),
        changed=total.changed + len(found.changed),
        missing=total.missing + len(found.missing),
    )
