"""Compares a page of an athlete's list with the ledger: which activities to fetch although no event named them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from include.pipeline.ingest.fingerprint import Fingerprint, matches
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.state import UsesState
from include.strava.client import Unreadable
from include.strava.models import Activity

log = logging.getLogger(__name__)

AGAIN_S = 86_400
"""How long an inconsistent activity is left alone after a fetch: it exists but is not listed, or is listed but
cannot be read."""

_LISTED = (ActivityState.SYNCED, ActivityState.NO_STREAMS, ActivityState.QUARANTINED)
"""The states of activities that Strava's list should show."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answered page: everything that the athlete shows between its oldest row and `before_epoch_s`.

    Strava lists the newest first. An empty page reaches back to the beginning.
    """

    rows: Sequence[Activity] = field(repr=False)
    unreadable_ids: Collection[int | None] = ()
    """Ids of the unreadable rows; None for a row without an id."""
    before_epoch_s: int | None = None
    """None for the newest page, which has no end."""

    @property
    def oldest_epoch_s(self) -> int | None:
        """The start of its oldest row; None without a row."""
        return min((_start(row) for row in self.rows), default=None)

    @property
    def zone(self) -> str:
        """The time zone of its newest row that names one; empty where none does."""
        return next((row.zone for row in sorted(self.rows, key=_start, reverse=True) if row.zone), "")

    @property
    def next_before_epoch_s(self) -> int | None:
        """Where the next older page ends, so that no gap is left; None where there is none.

        The next page repeats rows of the oldest second: the page may have been cut between two of them.
        """
        oldest = self.oldest_epoch_s
        if oldest is None:
            return None
        return oldest + 1 if self.before_epoch_s is None else min(oldest + 1, self.before_epoch_s - 1)

    def covers(self, start_at_epoch_s: int) -> bool:
        """Whether this page has to show an activity that began at that time.

        The oldest second belongs to the next older page, unless this page ends in that second too: then it holds all of
        it, since nobody begins hundreds of activities in one second.
        """
        if self.before_epoch_s is not None and start_at_epoch_s >= self.before_epoch_s:
            return False
        oldest = self.oldest_epoch_s
        if oldest is None:
            return not self.unreadable_ids
        return start_at_epoch_s > oldest or start_at_epoch_s == oldest == (self.before_epoch_s or 0) - 1


@dataclass(frozen=True, slots=True)
class Differences:
    """The activities to fetch, by reason; ids only, newest first."""

    lacking: tuple[int, ...] = ()
    """Strava lists it, the ledger does not know it."""
    changed: tuple[int, ...] = ()
    """Title, sport, visibility or recording differ from the ledger, or it is visible again."""
    missing: tuple[int, ...] = ()
    """The ledger knows it, Strava no longer lists it: deleted or hidden."""

    def ids(self) -> Iterator[int]:
        """All of them, the most certain first."""
        yield from self.changed
        yield from self.lacking
        yield from self.missing

    def merged_with(self, older: Differences) -> Differences:
        """These and the differences of an older page, which may repeat some."""
        return Differences(
            lacking=tuple(dict.fromkeys((*self.lacking, *older.lacking))),
            changed=tuple(dict.fromkeys((*self.changed, *older.changed))),
            missing=tuple(dict.fromkeys((*self.missing, *older.missing))),
        )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a comparison depends on besides page and ledger."""

    now_epoch_s: float
    since_epoch_s: float
    """An unknown activity that began earlier is history, which `strava_backfill` loads on request."""
    looked_for: Collection[int] = ()
    """Activities that were fetched because they were missing before."""
    looked_at: Mapping[int, str] = field(default_factory=dict)
    """Activities that were fetched because a list differed from the ledger, each with the listed fingerprint."""


def compare(page: Page, ledger: Mapping[int, LedgerEntry], circumstances: Circumstances) -> Differences:
    """How the page differs from the ledger.

    An activity that waits for its next try, or that retention has deleted, is no difference.
    """
    lacking, changed = [], []
    for row in sorted(page.rows, key=_start, reverse=True):
        entry = ledger.get(row.activity_id)
        if entry is None or _is_left_over(entry):
            if _start(row) >= circumstances.since_epoch_s:
                lacking.append(row.activity_id)
        elif _has_changed(row, entry, circumstances):
            changed.append(row.activity_id)
    listed = {row.activity_id for row in page.rows} | set(page.unreadable_ids)
    missing = [
        entry
        for activity_id, entry in ledger.items()
        if activity_id not in listed and _is_missing(page, entry, circumstances)
    ]
    missing.sort(key=lambda entry: entry.start_at_epoch_s or 0, reverse=True)
    return Differences(tuple(lacking), tuple(changed), tuple(entry.activity_id for entry in missing))


def quarantine(services: UsesState, row: Unreadable) -> None:
    """Quarantine the activity of an unreadable list row, unless the ledger knows it.

    A row without an id is only logged.
    """
    log.warning("A row of the activity list of athlete %s cannot be read: %s", row.athlete_id, row.reason)
    if row.activity_id is None or services.state.activities.get(row.athlete_id, row.activity_id) is not None:
        return
    with services.state.activities.held(row.athlete_id, row.activity_id) as lease:
        if lease is not None and lease.entry is None:
            unknown = LedgerEntry.unknown(row.athlete_id, row.activity_id)
            services.state.activities.postpone(lease, unknown.quarantined(row.reason, fetched_at_epoch_s=None))


def _has_changed(row: Activity, entry: LedgerEntry, circumstances: Circumstances) -> bool:
    """Whether a fetch may settle the difference: one that did not is repeated a day later, or when the row changes.

    That concerns list rows that never agree with the detail, and listed activities that answer 404.
    """
    if entry.due_at_epoch_s is not None or entry.state is ActivityState.EXPIRED:
        return False
    shown = str(Fingerprint.of(row))
    puzzles = entry.state is ActivityState.QUARANTINED or circumstances.looked_at.get(row.activity_id) == shown
    if puzzles and not _is_long_ago(entry, circumstances.now_epoch_s):
        return False
    return not matches(row, entry.fingerprint)


def _is_missing(page: Page, entry: LedgerEntry, circumstances: Circumstances) -> bool:
    if entry.state not in _LISTED or entry.due_at_epoch_s is not None or entry.start_at_epoch_s is None:
        return False
    if entry.activity_id in circumstances.looked_for and not _is_long_ago(entry, circumstances.now_epoch_s):
        return False
    return page.covers(entry.start_at_epoch_s)


def _is_left_over(entry: LedgerEntry) -> bool:
    """Whether a backfill began with the activity and never finished."""
    return entry.state is ActivityState.PENDING and entry.due_at_epoch_s is None


def _is_long_ago(entry: LedgerEntry, now_epoch_s: float) -> bool:
    return entry.fetched_at_epoch_s is None or entry.fetched_at_epoch_s + AGAIN_S <= now_epoch_s


def _start(row: Activity) -> int:
    return int(row.start_at.timestamp())
