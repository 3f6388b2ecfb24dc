"""What the quota grants, and until when it refuses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import QuotaSpent
from include.state.application.quota import Quota
from include.store.store import Key, Store
from include.strava.client import Bucket, Priority, QuotaGate
from include.strava.quota import Counts

NEXT_WINDOW = datetime(2026, 11, 22, 12, 15, tzinfo=UTC).timestamp()
NEXT_DAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


def reported(usage: str = "", limit: str = "", read_usage: str = "", read_limit: str = "") -> dict[str, str]:
    return {
        "X-Ratelimit-Usage": usage,
        "x-ratelimit-limit": limit,
        "X-ReadRateLimit-Usage": read_usage,
        "X-Readratelimit-Limit": read_limit,
    }


def refused_until(quota: Quota, bucket: Bucket, priority: Priority) -> float | None:
    try:
        quota.reserve(bucket, priority)
    except QuotaSpent as spent:
        return spent.until_epoch_s
    return None


def test_quota_is_a_quota_gate(quota: Quota) -> None:
    gate: QuotaGate = quota

    assert gate is quota


def test_reserve_counts_a_read_in_both_budgets_and_an_upload_in_one(quota: Quota) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    quota.reserve(Bucket.UPLOAD, Priority.COPY)

    assert quota.used() == Counts(overall_window=2, overall_day=2, read_window=1, read_day=1)


@pytest.mark.parametrize(
    ("priority", "granted"),
    [
        pytest.param(Priority.LIVE, 100, id="live"),
        pytest.param(Priority.COPY, 100, id="copy"),
        pytest.param(Priority.RECONCILE, 100, id="reconcile"),
        pytest.param(Priority.BACKFILL, 90, id="backfill"),
    ],
)
def test_reserve_grants_the_window_and_no_more(
    quota: Quota, priority: Priority, granted: int, spend: Callable[..., Any]
) -> None:
    assert spend(quota, Bucket.READ, priority) == granted
    assert quota.used().read_window == granted


def test_reserve_keeps_a_tenth_for_live_work_when_backfill_is_done(quota: Quota, spend: Callable[..., Any]) -> None:
    assert spend(quota, Bucket.READ, Priority.BACKFILL) == 90
    assert spend(quota, Bucket.READ, Priority.LIVE) == 10


def test_reserve_still_grants_uploads_when_reads_are_spent(quota: Quota, spend: Callable[..., Any]) -> None:
    assert spend(quota, Bucket.READ, Priority.LIVE) == 100
    assert spend(quota, Bucket.UPLOAD, Priority.COPY) == 100
    assert quota.used() == Counts(200, 200, 100, 100)


def test_reserve_says_until_the_next_window_when_the_window_is_spent(
    quota: Quota, clock: Any, spend: Callable[..., Any]
) -> None:
    spend(quota, Bucket.READ, Priority.LIVE)

    with pytest.raises(QuotaSpent, match=r"15-minute call budget for live work.*12:15 UTC") as caught:
        quota.reserve(Bucket.READ, Priority.LIVE)
    assert caught.value.until_epoch_s == NEXT_WINDOW

    clock.now_epoch_s = caught.value.until_epoch_s
    assert spend(quota, Bucket.READ, Priority.LIVE) == 100


def test_reserve_says_until_the_next_day_when_the_day_is_spent(quota: Quota, clock: Any) -> None:
    quota.observe(reported(usage="3,2000", limit="200,2000", read_usage="3,999", read_limit="100,1000"))

    with pytest.raises(QuotaSpent, match="daily") as caught:
        quota.reserve(Bucket.READ, Priority.LIVE)
    assert caught.value.until_epoch_s == NEXT_DAY

    clock.now_epoch_s = caught.value.until_epoch_s
    quota.reserve(Bucket.READ, Priority.LIVE)
    assert quota.used() == Counts(1, 1, 1, 1)


def test_reserve_says_until_the_next_day_when_window_and_day_are_both_spent(quota: Quota) -> None:
    quota.observe(reported(usage="200,2000", limit="200,2000"))

    with pytest.raises(QuotaSpent) as caught:
        quota.reserve(Bucket.UPLOAD, Priority.LIVE)
    assert caught.value.until_epoch_s == NEXT_DAY


def test_rows_expire_after_three_days(quota: Quota, store: Store, clock: Any) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    quota.observe(reported(limit="400,4000"))
    keys = (Key("quota", "2026-11-22"), Key("quota", "limits"))
    assert all(store.get(key) is not None for key in keys)

    clock.now_epoch_s = NEXT_DAY + 2 * 86_400
    assert all(store.get(key) is None for key in keys)


def test_reserve_and_observe_agree_when_many_processes_work_at_once(store: Store, clock: Any) -> None:
    def work(number: int) -> int:
        quota = Quota(store, clock)
        granted = 0
        for _ in range(30):
            try:
                quota.reserve(Bucket.READ, Priority.LIVE)
                granted += 1
            except QuotaSpent:
                pass
            quota.observe(reported(usage="20,20", limit="200,2000", read_usage="20,20", read_limit="100,1000"))
        return granted

    with ThreadPoolExecutor(4) as pool:
        granted = sum(pool.map(work, range(4)))

    used = Quota(store, clock).used()
    assert used.read_window == 100
    assert 80 <= granted <= 100


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("reserve"), st.sampled_from(Bucket), st.sampled_from(Priority)),
            st.tuples(st.just("observe"), st.integers(0, 40), st.integers(0, 40)),
            st.tuples(st.just("wait"), st.integers(1, 1000), st.just(0)),
        ),
        max_size=60,
    )
)
def test_counters_stay_within_limits_for_any_history(
    steps: list[tuple[Any, ...]], new_memory_store: Callable[[], Any]
) -> None:
    store, clock = new_memory_store()
    quota = Quota(store, clock)
    quota.observe(reported(limit="20,60", read_limit="10,30"))
    highest = 0
    for kind, first, second in steps:
        if kind == "wait":
            clock.now_epoch_s += first
        elif kind == "observe":
            quota.observe(reported(usage=f"{first},{second}"))
            highest = max(highest, first, second)
        else:
            before = quota.used()
            until_epoch_s = refused_until(quota, first, second)
            if until_epoch_s is None:
                assert quota.used().overall_day == (before.overall_day or 0) + 1
            else:
                assert quota.used() == before
                assert clock.now_epoch_s < until_epoch_s <= clock.now_epoch_s + 86_400
        used = quota.used()
        assert (used.overall_window or 0) <= max(20, highest)
        assert (used.overall_day or 0) <= max(60, highest)
        assert (used.read_window or 0) <= 10
        assert (used.read_day or 0) <= 30
