"""What the quota keeps, says, and leaves to others who count at the same time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from include.errors import QuotaSpent
from include.state.application.quota import Quota
from include.store.store import Key, Store
from include.strava.client import Bucket, Priority
from include.strava.quota import Counts, Limits, Room
from local.testbed.forwarding_store import ForwardingStore
from local.testbed.manual_clock import ManualClock

NOON = datetime(2026, 11, 22, 12, 7, tzinfo=UTC).timestamp()
NEXT_WINDOW = datetime(2026, 11, 22, 12, 15, tzinfo=UTC).timestamp()
DAY, DAY_S = datetime(2026, 11, 22, tzinfo=UTC).timestamp(), 86_400
LIMITS = {"X-RateLimit-Limit": "20,60", "X-ReadRateLimit-Limit": "10,30"}


def usage(overall: str, read: str) -> dict[str, str]:
    return {"X-RateLimit-Usage": overall, "X-ReadRateLimit-Usage": read}


def dated(epoch_s: float) -> dict[str, str]:
    return {"Date": format_datetime(datetime.fromtimestamp(epoch_s, UTC), usegmt=True), "X-Request-Id": "a1"}


def refusal(quota: Quota, bucket: Bucket, priority: Priority) -> str:
    with pytest.raises(QuotaSpent) as caught:
        quota.reserve(bucket, priority)
    return str(caught.value)


def test_refusal_names_every_full_counter_and_the_time_to_try_again(quota: Quota) -> None:
    quota.observe(LIMITS | usage("18,40", "9,27"))

    assert refusal(quota, Bucket.READ, Priority.BACKFILL) == (
        "The daily call budget for backfill work is spent (a tenth is reserved for live work): "
        "overall_1200 at 18 of 18, read_1200 at 9 of 9, read_day at 27 of 27. Try again from 2026-11-23 00:00 UTC."
    )
    quota.observe(usage("20,40", "9,27"))
    assert refusal(quota, Bucket.UPLOAD, Priority.COPY) == (
        "The 15-minute call budget for copy work is spent: overall_1200 at 20 of 20. "
        "Try again from 2026-11-22 12:15 UTC."
    )


def test_counter_that_others_have_driven_beyond_its_limit_is_full(quota: Quota) -> None:
    quota.observe(LIMITS | usage("25,40", "5,5"))

    assert "overall_1200 at 25 of 20." in refusal(quota, Bucket.READ, Priority.LIVE)


def test_calls_are_counted_in_the_row_of_the_day_by_the_opening_of_their_window(
    quota: Quota, store: Store, clock: ManualClock
) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    clock.now_epoch_s = NEXT_WINDOW
    quota.reserve(Bucket.UPLOAD, Priority.LIVE)

    row = store.get(Key("quota", "2026-11-22"))
    assert row is not None
    counted = {"overall_day": 2, "overall_1200": 1, "overall_1215": 1, "read_day": 1, "read_1200": 1}
    assert (row.fields, row.expires_at_epoch_s) == (counted, DAY + 3 * DAY_S)
    assert quota.used() == Counts(1, 2, 0, 1)


@pytest.mark.parametrize(
    ("used", "room"),
    [
        pytest.param(("0,0", "0,0"), Room(read=10, overall=20), id="unused"),
        pytest.param(("4,4", "3,3"), Room(read=7, overall=16), id="windows decide"),
        pytest.param(("4,59", "3,3"), Room(read=1, overall=1), id="the day decides"),
        pytest.param(("25,25", "3,3"), Room(read=0, overall=0), id="more than spent"),
    ],
)
def test_room_is_what_window_and_day_leave(quota: Quota, used: tuple[str, str], room: Room) -> None:
    quota.observe(LIMITS | usage(*used))

    assert quota.room() == room


@pytest.mark.parametrize(
    ("opened_s_ago", "used"),
    [
        pytest.param(9, Counts(0, 7, 0, 6), id="settling"),
        pytest.param(10, Counts(5, 7, 4, 6), id="settled"),
    ],
)
def test_usage_of_a_window_is_believed_ten_seconds_after_it_has_opened(
    quota: Quota, clock: ManualClock, opened_s_ago: float, used: Counts
) -> None:
    clock.now_epoch_s = NEXT_WINDOW + opened_s_ago
    quota.observe(usage("5,7", "4,6"))

    assert quota.used() == used


def test_limits_are_kept_three_days_and_written_only_when_they_change(
    quota: Quota, store: Store, clock: ManualClock
) -> None:
    rows = [store.get(Key("quota", "limits"))]
    for headers in ({}, LIMITS, LIMITS, {}, LIMITS | {"X-RateLimit-Limit": "21,60"}):
        quota.observe(headers)
        rows.append(store.get(Key("quota", "limits")))

    assert [row.version if row else 0 for row in rows] == [0, 0, 1, 1, 1, 2]
    assert rows[-1] is not None
    assert rows[-1].expires_at_epoch_s == DAY + 3 * DAY_S
    assert Quota(store, clock).limits() == Limits(21, 60, 10, 30)


class Contested(ForwardingStore):
    """Another process observes an answer between this one's first read and write."""

    def __init__(self, store: Store, other: Quota, headers: dict[str, str]) -> None:
        super().__init__(store)
        self._others: list[Callable[[], None]] = [lambda: other.observe(headers)]

    def _contest(self) -> None:
        if self._others:
            self._others.pop()()

    def put(self, *args: Any, **options: Any) -> int:
        self._contest()
        return super().put(*args, **options)

    def add(self, *args: Any, **options: Any) -> Any:
        self._contest()
        return super().add(*args, **options)


def test_usage_that_another_process_reports_meanwhile_is_not_added_twice(store: Store, clock: ManualClock) -> None:
    headers = usage("5,7", "4,6")

    Quota(Contested(store, Quota(store, clock), headers), clock).observe(headers)

    assert Quota(store, clock).used() == Counts(5, 7, 4, 6)


def test_usage_is_raised_by_what_is_missing_when_another_process_counts_meanwhile(
    store: Store, clock: ManualClock
) -> None:
    contested = Contested(store, Quota(store, clock), usage("3,3", "2,2"))

    Quota(contested, clock).observe(usage("5,7", "4,6"))

    assert Quota(store, clock).used() == Counts(5, 7, 4, 6)


@pytest.mark.parametrize("headers", [pytest.param(LIMITS, id="limits"), pytest.param(dated(NOON + 60), id="clock")])
def test_what_another_process_has_learned_first_is_left_as_it_is(
    store: Store, clock: ManualClock, headers: dict[str, str]
) -> None:
    contested = Contested(store, Quota(store, clock), headers)

    Quota(contested, clock).observe(headers)

    rows = [store.get(Key("quota", name)) for name in ("limits", "clock")]
    assert [row.version for row in rows if row] == [1]
