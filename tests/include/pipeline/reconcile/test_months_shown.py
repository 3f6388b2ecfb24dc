"""What pages of Strava's list say of whole months."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lake.rows.freshness import Month
from include.pipeline.reconcile.freshness import months_shown
from include.pipeline.reconcile.listing import Page
from include.state.listings import MonthShown
from include.strava.models import Activity

APRIL, MAY, JUNE, JULY = (Month(2026, month) for month in (4, 5, 6, 7))


def epoch_s(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def row(start_epoch_s: int) -> Activity:
    start_at = datetime.fromtimestamp(start_epoch_s, UTC).isoformat()
    return Activity.parse({"id": start_epoch_s, "athlete": {"id": 7}, "name": "Run", "start_date": start_at})


def page(*starts: str, before: str | None = None, unreadable: tuple[int | None, ...] = ()) -> Page:
    return Page([row(epoch_s(start)) for start in starts], unreadable, epoch_s(before) if before else None)


def counts(
    page: Page, *known: Month, newer_part: MonthShown | None = None
) -> tuple[dict[Month, tuple[int, float]], MonthShown | None]:
    shown = months_shown(page, known, newer_part=newer_part, listed_at_epoch_s=100.0)
    return {month: (each.activities, each.listed_at_epoch_s) for month, each in shown.whole.items()}, shown.newer_part


def test_newest_page_shows_the_months_after_the_one_of_its_oldest_row() -> None:
    newest = page("2026-07-02", "2026-07-01", "2026-06-30T23:59:59", "2026-05-10", "2026-05-09")

    assert counts(newest) == ({JULY: (2, 100.0), JUNE: (1, 100.0)}, MonthShown(1, 100.0))


def test_month_is_not_whole_where_the_page_begins_in_its_first_second() -> None:
    whole, newer_part = counts(page("2026-07-02", "2026-06-01"))

    assert (whole, newer_part) == ({JULY: (1, 100.0)}, MonthShown(0, 100.0))


def test_older_page_ends_the_month_that_the_newer_one_began_as_of_the_newer_one() -> None:
    older = page("2026-06-10", "2026-05-02", "2026-05-01", before="2026-06-20")

    assert counts(older, newer_part=MonthShown(3, 7.0)) == ({JUNE: (4, 7.0)}, MonthShown(1, 100.0))


def test_month_whose_newer_part_nobody_told_is_not_counted() -> None:
    older = page("2026-06-10", "2026-05-02", "2026-04-01", before="2026-06-20")

    assert counts(older) == ({MAY: (1, 100.0)}, MonthShown(0, 100.0))


def test_page_that_ends_between_two_months_needs_no_newer_part() -> None:
    older = page("2026-06-10", "2026-05-02", before="2026-07-01")

    assert counts(older) == ({JUNE: (1, 100.0)}, MonthShown(0, 100.0))


@pytest.mark.parametrize(
    ("before", "after"),
    [pytest.param(MonthShown(3, 7.0), MonthShown(4, 7.0), id="known"), pytest.param(None, None, id="unknown")],
)
def test_month_longer_than_a_page_is_carried_on(before: MonthShown | None, after: MonthShown | None) -> None:
    assert counts(page("2026-06-11", "2026-06-10", before="2026-06-20"), newer_part=before) == ({}, after)


def test_empty_page_says_that_there_is_nothing_before_it() -> None:
    whole, newer_part = counts(page(before="2026-06-20"), JULY, APRIL, newer_part=MonthShown(3, 7.0))

    assert (whole, newer_part) == ({JUNE: (3, 7.0), APRIL: (0, 100.0)}, None)


def test_month_of_which_strava_lists_nothing_is_told_only_where_something_is_known_of_it() -> None:
    newest = page("2026-07-02", "2026-04-30", "2026-03-01")

    assert counts(newest, MAY)[0] == {JULY: (1, 100.0), MAY: (0, 100.0), APRIL: (1, 100.0)}


@pytest.mark.parametrize("activity_id", [pytest.param(5, id="with an id"), pytest.param(None, id="without")])
def test_page_with_a_row_that_cannot_be_read_shows_no_month(activity_id: int | None) -> None:
    assert counts(page("2026-07-02", "2026-05-10", unreadable=(activity_id,)), MAY) == ({}, None)


@given(
    st.sets(st.integers(epoch_s("2025-11-01"), epoch_s("2026-04-01")), max_size=40),
    st.integers(1, 9),
)
def test_rotation_through_all_pages_shows_each_month_once_and_rightly(starts: set[int], per_page: int) -> None:
    newest_first = sorted(starts, reverse=True)
    expected = Counter(map(Month.of, newest_first))
    told: list[tuple[Month, int]] = []
    before, newer_part = None, None
    while True:
        rows = [row(start) for start in newest_first if before is None or start < before][:per_page]
        one = Page(rows, (), before)
        shown = months_shown(one, expected, newer_part=newer_part, listed_at_epoch_s=1.0)
        told += [(month, each.activities) for month, each in shown.whole.items()]
        if one.next_before_epoch_s is None:
            break
        before, newer_part = one.next_before_epoch_s, shown.newer_part

    assert sorted(told) == sorted(expected.items())
