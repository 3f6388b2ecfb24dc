"""Strava's clock, as far as it differs from this machine's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from include.errors import QuotaSpent
from include.state.application.quota import Quota
from include.store.store import Key
from include.strava.client import Bucket, Priority

NOON = datetime(2026, 11, 22, 12, 7, tzinfo=UTC).timestamp()
NEXT_WINDOW = datetime(2026, 11, 22, 12, 15, tzinfo=UTC).timestamp()


def dated(epoch_s: float, **headers: str) -> dict[str, str]:
    """Headers of an answer of Strava's, by its own clock."""
    return {"Date": format_datetime(datetime.fromtimestamp(epoch_s, UTC), usegmt=True), "X-Request-Id": "a1"} | headers


@pytest.mark.parametrize("ahead_s", [0, 15, 30, 60, 120, -30, -120])
def test_clock_that_is_wrong_by_minutes_costs_no_calls(ahead_s: int, new_memory_store: Callable[[], Any]) -> None:
    """A backfill that could make 128 calls a window makes its 90 in each, by Strava's own count."""
    store, clock = new_memory_store()
    strava_now = NOON // 900 * 900
    counts: dict[int, int] = {}
    until = strava_now + 3 * 3600
    quota = Quota(store, clock)
    while strava_now < until:
        clock.now_epoch_s = strava_now + ahead_s
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


def test_process_that_begins_knows_how_far_strava_s_clock_is_ahead(new_memory_store: Callable[[], Any]) -> None:
    store, clock = new_memory_store()
    Quota(store, clock).observe(dated(NOON + 60))
    used_up = Quota(store, clock)
    for _ in range(100):
        used_up.reserve(Bucket.READ, Priority.LIVE)

    with pytest.raises(QuotaSpent) as caught:
        Quota(store, clock).reserve(Bucket.READ, Priority.LIVE)

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
def test_no_clock_is_set_by_an_answer_that_does_not_tell(
    headers: Mapping[str, str], new_memory_store: Callable[[], Any]
) -> None:
    store, clock = new_memory_store()
    quota = Quota(store, clock)
    quota.observe(headers)
    for _ in range(100):
        quota.reserve(Bucket.READ, Priority.LIVE)

    with pytest.raises(QuotaSpent) as caught:
        quota.reserve(Bucket.READ, Priority.LIVE)

    assert caught.value.until_epoch_s == NEXT_WINDOW


@pytest.mark.parametrize(
    ("now_epoch_s", "kept"),
    [
        pytest.param(NOON + 0.5, None, id="two seconds ahead are none"),
        pytest.param(NOON + 0.25, 2, id="more than two"),
        pytest.param(NOON + 4.5, None, id="two seconds behind are none"),
        pytest.param(NOON + 4.75, -2, id="more than two behind"),
        pytest.param(NOON - 57.5, 60, id="a minute"),
    ],
)
def test_difference_of_more_than_two_seconds_is_kept_for_new_processes(
    now_epoch_s: float, kept: int | None, new_memory_store: Callable[[], Any]
) -> None:
    store, clock = new_memory_store()
    clock.now_epoch_s = now_epoch_s

    Quota(store, clock).observe(dated(NOON + 2))

    row = store.get(Key("quota", "clock"))
    assert (row.fields if row else None) == (None if kept is None else {"skew_s": kept})
    assert row is None or row.expires_at_epoch_s == NOON // 86_400 * 86_400 + 3 * 86_400


def test_difference_is_written_again_only_when_it_has_changed(new_memory_store: Callable[[], Any]) -> None:
    store, clock = new_memory_store()
    quota = Quota(store, clock)
    kept = []
    clock.now_epoch_s = NOON + 0.5
    for ahead_s in (60, 60, 62, 63, 3, 60, 2, 0):
        quota.observe(dated(NOON + ahead_s))
        row = store.get(Key("quota", "clock"))
        kept.append((row.fields["skew_s"], row.version))

    assert kept == [(60, 1), (60, 1), (60, 1), (63, 2), (3, 3), (60, 4), (0, 5), (0, 5)]


def test_window_is_that_of_stravas_clock(new_memory_store: Callable[[], Any]) -> None:
    store, clock = new_memory_store()
    clock.now_epoch_s = NEXT_WINDOW - 30
    quota = Quota(store, clock)
    quota.observe(dated(NEXT_WINDOW + 30))
    quota.reserve(Bucket.READ, Priority.LIVE)

    (row,) = [row for key, row in store.rows.items() if key.partition == "2026-11-22"]
    assert row.fields == {"overall_1215": 1, "overall_day": 1, "read_1215": 1, "read_day": 1}
