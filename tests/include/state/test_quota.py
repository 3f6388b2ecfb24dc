from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from threading import RLock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import CeilingReached, QuotaSpent, VersionConflict
from include.state.quota import Quota
from include.store.sqlite import SqliteStore
from include.store.store import ABSENT, Item, Key, Store
from include.strava.client import Bucket, Priority, QuotaGate
from include.strava.quota import Counts, Limits

NOON = datetime(2026, 11, 22, 12, 7, tzinfo=UTC).timestamp()
NEXT_WINDOW = datetime(2026, 11, 22, 12, 15, tzinfo=UTC).timestamp()
NEXT_DAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


class Time:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class MemoryStore:
    """The part of `Store` that the quota uses, in a dict."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.rows: dict[Key, Item] = {}
        self._clock = clock
        self._lock = RLock()

    def get(self, key: Key) -> Item | None:
        row = self.rows.get(key)
        expired = row and row.expires_at_epoch_s is not None and row.expires_at_epoch_s <= self._clock()
        return None if expired else row

    def put(
        self, key: Key, fields: Mapping[str, Any], *, expected_version: int, expires_at_epoch_s: int | None = None
    ) -> int:
        with self._lock:
            row = self.get(key)
            if (row.version if row else ABSENT) != expected_version:
                raise VersionConflict("another version")
            self.rows[key] = Item(key, dict(fields), expected_version + 1, expires_at_epoch_s)
            return expected_version + 1

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        with self._lock:
            row = self.get(key)
            before = row.fields if row else {}
            after = {field: before.get(field, 0) + step for field, step in increments.items()}
            for field, value in after.items():
                if increments[field] > 0 and ceilings and value > ceilings.get(field, value):
                    raise CeilingReached(f"{field} is full", field=field)
            self.rows[key] = Item(key, {**before, **after}, row.version if row else 1, expires_at_epoch_s)
            return after


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, time: Time, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(time)  # type: ignore[misc]  # the part that the quota uses
        return
    sqlite = SqliteStore(tmp_path / "state.sqlite", time)
    yield sqlite
    sqlite.close()


@pytest.fixture
def quota(store: Store, time: Time) -> Quota:
    return Quota(store, time)


def reported(usage: str = "", limit: str = "", read_usage: str = "", read_limit: str = "") -> dict[str, str]:
    return {
        "X-Ratelimit-Usage": usage,
        "x-ratelimit-limit": limit,
        "X-ReadRateLimit-Usage": read_usage,
        "X-Readratelimit-Limit": read_limit,
    }


def spend(quota: Quota, bucket: Bucket, priority: Priority) -> int:
    """How many calls the quota grants before it refuses."""
    granted = 0
    while True:
        try:
            quota.reserve(bucket, priority)
        except QuotaSpent:
            return granted
        granted += 1


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
def test_reserve_grants_the_window_and_no_more(quota: Quota, priority: Priority, granted: int) -> None:
    assert spend(quota, Bucket.READ, priority) == granted
    assert quota.used().read_window == granted


def test_reserve_keeps_a_tenth_for_live_work_when_backfill_is_done(quota: Quota) -> None:
    assert spend(quota, Bucket.READ, Priority.BACKFILL) == 90
    assert spend(quota, Bucket.READ, Priority.LIVE) == 10


def test_reserve_still_grants_uploads_when_reads_are_spent(quota: Quota) -> None:
    assert spend(quota, Bucket.READ, Priority.LIVE) == 100
    assert spend(quota, Bucket.UPLOAD, Priority.COPY) == 100
    assert quota.used() == Counts(200, 200, 100, 100)


def test_reserve_says_until_the_next_window_when_the_window_is_spent(quota: Quota, time: Time) -> None:
    spend(quota, Bucket.READ, Priority.LIVE)

    with pytest.raises(QuotaSpent, match=r"15-minute call budget for live work.*12:15 UTC") as caught:
        quota.reserve(Bucket.READ, Priority.LIVE)
    assert caught.value.until_epoch_s == NEXT_WINDOW

    time.now = caught.value.until_epoch_s
    assert spend(quota, Bucket.READ, Priority.LIVE) == 100


def test_reserve_says_until_the_next_day_when_the_day_is_spent(quota: Quota, time: Time) -> None:
    quota.observe(reported(usage="3,2000", limit="200,2000", read_usage="3,999", read_limit="100,1000"))

    with pytest.raises(QuotaSpent, match="daily") as caught:
        quota.reserve(Bucket.READ, Priority.LIVE)
    assert caught.value.until_epoch_s == NEXT_DAY

    time.now = caught.value.until_epoch_s
    quota.reserve(Bucket.READ, Priority.LIVE)
    assert quota.used() == Counts(1, 1, 1, 1)


def test_reserve_says_until_the_next_day_when_window_and_day_are_both_spent(quota: Quota) -> None:
    quota.observe(reported(usage="200,2000", limit="200,2000"))

    with pytest.raises(QuotaSpent) as caught:
        quota.reserve(Bucket.UPLOAD, Priority.LIVE)
    assert caught.value.until_epoch_s == NEXT_DAY


def test_observe_raises_the_counters_to_what_strava_reports(quota: Quota) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    quota.observe(reported(usage="50,500", read_usage="40,400"))

    assert quota.used() == Counts(50, 500, 40, 400)


def test_observe_never_lowers_a_counter(quota: Quota) -> None:
    for _ in range(5):
        quota.reserve(Bucket.READ, Priority.LIVE)
    quota.observe(reported(usage="2,500", read_usage="0,0"))

    assert quota.used() == Counts(5, 500, 5, 5)


def test_observe_changes_nothing_when_repeated(quota: Quota) -> None:
    headers = reported(usage="50,500", limit="400,4000", read_usage="40,400", read_limit="200,2000")
    quota.observe(headers)
    quota.observe(headers)

    assert quota.used() == Counts(50, 500, 40, 400)
    assert quota.limits() == Limits(400, 4000, 200, 2000)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param(reported(",", ",", ",", ","), id="lone commas"),
        pytest.param(reported("a", "0,0", "1", "-5,-5"), id="malformed"),
    ],
)
def test_observe_changes_nothing_when_headers_say_nothing(quota: Quota, headers: dict[str, str]) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    quota.observe(headers)

    assert quota.used() == Counts(1, 1, 1, 1)
    assert quota.limits() == Limits()


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        pytest.param(reported(limit="400,4000", read_limit="200,2000"), 200, id="higher"),
        pytest.param(reported(limit="20,4000"), 20, id="lower, overall alone"),
        pytest.param(reported(read_limit="7,2000"), 7, id="lower, read alone"),
    ],
)
def test_observe_teaches_new_limits_to_every_process(
    store: Store, time: Time, headers: dict[str, str], granted: int
) -> None:
    Quota(store, time).observe(headers)

    assert spend(Quota(store, time), Bucket.READ, Priority.LIVE) == granted


def test_observe_keeps_limits_over_midnight(quota: Quota, time: Time) -> None:
    quota.observe(reported(limit="400,4000"))
    time.now = NEXT_DAY + 60

    assert quota.limits().overall_window == 400


def test_observe_believes_no_usage_when_a_window_has_just_opened(quota: Quota, time: Time) -> None:
    late = reported(usage="200,900", limit="200,2000", read_usage="100,800", read_limit="100,1000")
    time.now = NEXT_WINDOW + 2
    quota.observe(late)

    assert quota.used() == Counts(0, 900, 0, 800)
    quota.reserve(Bucket.READ, Priority.LIVE)


def test_observe_believes_no_usage_at_all_when_a_day_has_just_begun(quota: Quota, time: Time) -> None:
    time.now = NEXT_DAY + 2
    quota.observe(reported(usage="200,2000", read_usage="100,1000"))

    assert quota.used() == Counts(0, 0, 0, 0)


def test_rows_expire_after_three_days(quota: Quota, store: Store, time: Time) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    quota.observe(reported(limit="400,4000"))
    keys = (Key("quota", "2026-11-22"), Key("quota", "limits"))
    assert all(store.get(key) is not None for key in keys)

    time.now = NEXT_DAY + 2 * 86_400
    assert all(store.get(key) is None for key in keys)


def test_reserve_and_observe_agree_when_many_processes_work_at_once(store: Store, time: Time) -> None:
    def work(number: int) -> int:
        quota = Quota(store, time)
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

    used = Quota(store, time).used()
    assert used.read_window == 100
    assert 80 <= granted <= 100


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("reserve"), st.sampled_from(Bucket), st.sampled_from(Priority)),
            st.tuples(st.just("observe"), st.integers(0, 40), st.integers(0, 40)),
            st.tuples(st.just("wait"), st.integers(1, 1000), st.just(0)),
        ),
        max_size=60,
    )
)
def test_counters_stay_within_limits_for_any_history(steps: list[tuple[Any, ...]]) -> None:
    time = Time()
    quota = Quota(MemoryStore(time), time)  # type: ignore[arg-type]  # the part that the quota uses
    quota.observe(reported(limit="20,60", read_limit="10,30"))
    highest = 0
    for kind, first, second in steps:
        if kind == "wait":
            time.now += first
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
                assert time.now < until_epoch_s <= time.now + 86_400
        used = quota.used()
        assert (used.overall_window or 0) <= max(20, highest)
        assert (used.overall_day or 0) <= max(60, highest)
        assert (used.read_window or 0) <= 10
        assert (used.read_day or 0) <= 30


# --- clocks --------------------------------------------------------------------------------------


def dated(epoch_s: float, **headers: str) -> dict[str, str]:
    """Headers of an answer of Strava's, by its own clock."""
    return {"Date": format_datetime(datetime.fromtimestamp(epoch_s, UTC), usegmt=True), "X-Request-Id": "a1"} | headers


@pytest.mark.parametrize("ahead_s", [0, 15, 30, 60, 120, -30, -120])
def test_clock_that_is_wrong_by_minutes_costs_no_calls(ahead_s: int) -> None:
    """A backfill that could make 128 calls a window makes its 90 in each, by Strava's own count."""
    time = Time()
    strava_now = NOON // 900 * 900
    counts: dict[int, int] = {}
    until = strava_now + 3 * 3600
    quota = Quota(MemoryStore(time), time)
    while strava_now < until:
        time.now = strava_now + ahead_s
        try:
            quota.reserve(Bucket.READ, Priority.BACKFILL)
        except QuotaSpent as spent:
            strava_now = spent.until_epoch_s + 1 - ahead_s
            continue
        window = int(strava_now // 900)
        counts[window] = counts.get(window, 0) + 1
        usage = f"{counts[window]},{sum(counts.values())}"
        limits = {"X-RateLimit-Limit": "200,200000", "X-ReadRateLimit-Limit": "100,100000"}
        quota.observe(dated(strava_now, **{"X-RateLimit-Usage": usage, "X-ReadRateLimit-Usage": usage}, **limits))
        strava_now += 7.0

    assert min(counts.values()) >= 88
    assert max(counts.values()) <= 91


def test_process_that_begins_knows_how_far_strava_s_clock_is_ahead() -> None:
    time = Time()
    store = MemoryStore(time)
    Quota(store, time).observe(dated(NOON + 60))
    used_up = Quota(store, time)
    for _ in range(100):
        used_up.reserve(Bucket.READ, Priority.LIVE)

    with pytest.raises(QuotaSpent) as caught:
        Quota(store, time).reserve(Bucket.READ, Priority.LIVE)

    assert caught.value.until_epoch_s == pytest.approx(NEXT_WINDOW - 60, abs=1)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"Date": "Sun, 22 Nov 2026 12:08:00 GMT"}, id="of somebody in between"),
        pytest.param({"X-Request-Id": "a1"}, id="no date"),
        pytest.param({"X-Request-Id": "a1", "Date": "yesterday"}, id="no date that can be read"),
        pytest.param({"X-Request-Id": "a1", "Date": "Sun, 22 Nov 2026 13:08:00 GMT"}, id="an hour"),
        pytest.param({"X-Request-Id": "a1", "Date": "Sun, 22 Nov 2026 12:07:01 GMT"}, id="a second"),
    ],
)
def test_no_clock_is_set_by_an_answer_that_does_not_tell(headers: Mapping[str, str]) -> None:
    time = Time()
    quota = Quota(MemoryStore(time), time)
    quota.observe(headers)
    for _ in range(100):
        quota.reserve(Bucket.READ, Priority.LIVE)

    with pytest.raises(QuotaSpent) as caught:
        quota.reserve(Bucket.READ, Priority.LIVE)

    assert caught.value.until_epoch_s == NEXT_WINDOW
