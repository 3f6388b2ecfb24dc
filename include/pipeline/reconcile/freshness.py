"""Compares how many activities of each month Strava lists with how many the lake holds, at no call."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from include.errors import ObjectConflict, RetryLater
from include.lake.rows.freshness import Month, MonthComparison
from include.pipeline.reconcile.listing import Page
from include.pipeline.uses import UsesStorage
from include.state.activities.ledger import LedgerEntry
from include.state.listings import MonthShown
from include.strava.models import Activity

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MonthsShown:
    """What a page shows of each month that it completes, and of the month that the next older page continues."""

    whole: Mapping[Month, MonthShown]
    newer_part: MonthShown | None
    """The newer part of the month in which the next older page ends; None where it is not known."""


def months_shown(
    page: Page, known: Iterable[Month], *, newer_part: MonthShown | None, listed_at_epoch_s: float
) -> MonthsShown:
    """The counts that the page shows for the months of its rows and for the `known` ones.

    A month is complete where its newer part was on the pages before, and its first second is on this one. A page with
    an unreadable row completes no month: the row may belong to any.
    """
    if page.unreadable_ids:
        return MonthsShown({}, None)
    here = MonthShown(0, listed_at_epoch_s)
    counts = Counter(Month.of(start) for start in map(_start, page.rows) if page.covers(start))
    shown = {month: MonthShown(counts[month], listed_at_epoch_s) for month in {*counts, *known}}
    newest = None if page.before_epoch_s is None else Month.of(page.before_epoch_s - 1)
    if newest is not None:
        shown = {month: each for month, each in shown.items() if month <= newest}
        if Month.of(page.before_epoch_s or 0) == newest:
            of_page = shown.pop(newest, here)
            if newer_part is not None:
                together = newer_part.activities + of_page.activities
                shown[newest] = MonthShown(together, newer_part.listed_at_epoch_s)
    if page.next_before_epoch_s is None:
        return MonthsShown(shown, None)
    oldest = Month.of(page.next_before_epoch_s - 1)
    is_unknown = oldest == newest and oldest not in shown
    part = None if is_unknown else shown.get(oldest, here)
    return MonthsShown({month: each for month, each in shown.items() if month > oldest}, part)


def note_freshness(
    services: UsesStorage, athlete_id: int, shown: Sequence[MonthsShown], ledger: Mapping[int, LedgerEntry]
) -> None:
    """Write to `freshness` what the pages show and, by the ledger, what the lake holds.

    Effects: writes an object for each year; after a fault the earlier comparison stays. Writes nothing for an athlete
    who is to be erased, which is checked after the write too, since the erasure looks for what was written before.
    """
    held = Counter(_month(entry) for entry in ledger.values() if _is_held(entry))
    months = {
        month: MonthComparison(each.activities, held[month], each.listed_at_epoch_s)
        for of_page in reversed(shown)  # where two pages show a month, the newest page counts
        for month, each in of_page.whole.items()
    }
    if not months or services.state.erasures.forbid_writing(athlete_id):
        return
    try:
        services.lake.freshness_rows.note(athlete_id, months)
        if services.state.erasures.clear_away(athlete_id):
            services.lake.freshness_rows.expire(athlete_id, math.inf)
    except (ObjectConflict, RetryLater) as fault:
        log.warning("The months of athlete %s are compared again with the next list: %s", athlete_id, fault)


def months_of(ledger: Mapping[int, LedgerEntry]) -> frozenset[Month]:
    """The months of all activities in the ledger, removed ones included."""
    return frozenset(month for month in map(_month, ledger.values()) if month is not None)


def _start(row: Activity) -> int:
    return int(row.start_at.timestamp())


def _month(entry: LedgerEntry) -> Month | None:
    return None if entry.start_at_epoch_s is None else Month.of(entry.start_at_epoch_s)


def _is_held(entry: LedgerEntry) -> bool:
    return any(key.startswith("activities/") for key in entry.object_keys)
