"""Each month keeps its newest comparison, whoever writes it and in whatever order."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from unittest.mock import create_autospec

import pyarrow.parquet as pq
import pytest

from include.lake.keys import freshness_key
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.lake.rows.freshness import FreshnessRows, Month, MonthComparison
from include.lake.schemas import FRESHNESS
from include.lake.table_object import decode

ATHLETE_ID = 7
MAY, JUNE = Month(2026, 5), Month(2026, 6)
KEY = freshness_key(ATHLETE_ID, 2026)


@pytest.fixture
def rows(objects: FileObjects) -> FreshnessRows:
    return FreshnessRows(objects, sleep=lambda _: None)


def told(objects: FileObjects, key: str = KEY) -> list[tuple[int, int, int, float]]:
    stored = objects.get(key)
    table = [] if stored is None else decode(key, stored.body).to_pylist()
    return [(row["month"], row["listed_count"], row["held_count"], row["compared_at"].timestamp()) for row in table]


def test_months_are_told_in_order_one_object_for_each_year(rows: FreshnessRows, objects: FileObjects) -> None:
    rows.note(
        ATHLETE_ID,
        {
            JUNE: MonthComparison(3, 2, 10.5),
            Month(2025, 12): MonthComparison(1, 1, 10.5),
            MAY: MonthComparison(0, 4, 9),
        },
    )

    assert told(objects) == [(5, 0, 4, 9), (6, 3, 2, 10.5)]
    assert told(objects, freshness_key(ATHLETE_ID, 2025)) == [(12, 1, 1, 10.5)]


def test_nothing_is_written_for_no_months(rows: FreshnessRows, objects: FileObjects) -> None:
    rows.note(ATHLETE_ID, {})

    assert list(objects.list("")) == []


def test_repeated_comparison_is_not_written_again(
    rows: FreshnessRows, objects: FileObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.note(ATHLETE_ID, {MAY: MonthComparison(5, 5, 20.25)})
    put = create_autospec(objects.put)
    monkeypatch.setattr(objects, "put", put)
    rows.note(ATHLETE_ID, {MAY: MonthComparison(5, 5, 20.25)})
    rows.note(ATHLETE_ID, {MAY: MonthComparison(4, 4, 20)})

    put.assert_not_called()


def test_object_has_the_columns_of_the_table(rows: FreshnessRows, objects: FileObjects) -> None:
    rows.note(ATHLETE_ID, {MAY: MonthComparison(5, 5, 20)})

    assert pq.read_schema(objects.url(KEY)).equals(FRESHNESS, check_metadata=True)


def test_later_comparison_stays_whichever_is_written_last(rows: FreshnessRows, objects: FileObjects) -> None:
    rows.note(ATHLETE_ID, {MAY: MonthComparison(5, 5, 20), JUNE: MonthComparison(1, 1, 10)})
    rows.note(ATHLETE_ID, {MAY: MonthComparison(4, 4, 19), JUNE: MonthComparison(2, 2, 11)})

    assert told(objects) == [(5, 5, 5, 20), (6, 2, 2, 11)]


def test_two_writers_at_once_lose_no_month(rows: FreshnessRows, objects: FileObjects, monkeypatch) -> None:
    put, others = objects.put, [{MAY: MonthComparison(5, 5, 20)}]

    def put_after_another(key: str, body: bytes, *, expected: str | Condition) -> str:
        if others:
            rows.note(ATHLETE_ID, others.pop())
        return put(key, body, expected=expected)

    monkeypatch.setattr(objects, "put", put_after_another)
    rows.note(ATHLETE_ID, {MAY: MonthComparison(4, 4, 19), JUNE: MonthComparison(2, 2, 11)})

    assert told(objects) == [(5, 5, 5, 20), (6, 2, 2, 11)]


def test_object_that_cannot_be_read_is_written_anew(
    rows: FreshnessRows, objects: FileObjects, caplog: pytest.LogCaptureFixture
) -> None:
    objects.put(KEY, b"no table", expected=Condition.ABSENT)
    with caplog.at_level(logging.WARNING):
        rows.note(ATHLETE_ID, {MAY: MonthComparison(5, 5, 20)})

    assert told(objects) == [(5, 5, 5, 20)]
    assert f"{KEY} is not readable" in caplog.text
    assert "strava_reconcile" in caplog.text


def test_months_that_were_compared_by_then_expire_and_no_empty_object_stays(
    rows: FreshnessRows, objects: FileObjects
) -> None:
    rows.note(
        ATHLETE_ID,
        {MAY: MonthComparison(5, 5, 20), JUNE: MonthComparison(2, 2, 11), Month(2025, 1): MonthComparison(1, 1, 19.9)},
    )
    rows.note(8, {MAY: MonthComparison(5, 5, 1)})
    rows.note(77, {MAY: MonthComparison(5, 5, 1)})
    objects.put(freshness_key(ATHLETE_ID, 2024), b"no table", expected=Condition.ABSENT)

    assert rows.expire(ATHLETE_ID, 19.9) == 2
    assert rows.expire(ATHLETE_ID, 19.9) == 0

    assert told(objects) == [(5, 5, 5, 20)]
    assert list(objects.list("")) == [KEY, freshness_key(77, 2026), freshness_key(8, 2026)]


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        pytest.param(datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC), MAY, id="last second"),
        pytest.param(datetime(2026, 6, 1, tzinfo=UTC), JUNE, id="first second"),
        pytest.param(datetime(1969, 12, 31, tzinfo=UTC), Month(1969, 12), id="before 1970"),
    ],
)
def test_month_is_that_of_the_instant_in_utc(moment: datetime, month: Month) -> None:
    assert Month.of(int(moment.timestamp())) == month


@pytest.mark.parametrize(("epoch_s", "month"), [(-(10**11), Month(1, 1)), (10**12, Month(9999, 12))])
def test_month_of_an_instant_beyond_the_calendar_is_the_nearest(epoch_s: int, month: Month) -> None:
    assert Month.of(epoch_s) == month
