"""What the quota learns from Strava's answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.state.application.quota import Quota
from include.store.store import Store
from include.strava.client import Bucket, Priority
from include.strava.quota import Counts, Limits

NEXT_WINDOW = datetime(2026, 11, 22, 12, 15, tzinfo=UTC).timestamp()
NEXT_DAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


def reported(usage: str = "", limit: str = "", read_usage: str = "", read_limit: str = "") -> dict[str, str]:
    return {
        "X-Ratelimit-Usage": usage,
        "x-ratelimit-limit": limit,
        "X-ReadRateLimit-Usage": read_usage,
        "X-Readratelimit-Limit": read_limit,
    }


def test_observe_raises_the_counters_to_what_strava_reports(quota: Quota) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    quota.observe(reported(usage="50,500", read_usage="40,400"))

    assert quota.used() == Counts(50, 500, 40, 400)


@pytest.mark.parametrize("reported_calls", [0, 1, 2, 3])
def test_observe_raises_a_counter_by_every_call_that_it_lacks(quota: Quota, reported_calls: int) -> None:
    quota.reserve(Bucket.READ, Priority.LIVE)
    usage = f"{reported_calls},{reported_calls}"
    quota.observe(reported(usage=usage, read_usage=usage))

    assert quota.used() == Counts(*[max(1, reported_calls)] * 4)


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
    store: Store,
    clock: Any,
    headers: dict[str, str],
    granted: int,
    spend: Callable[..., Any],
) -> None:
    Quota(store, clock).observe(headers)

    assert spend(Quota(store, clock), Bucket.READ, Priority.LIVE) == granted


def test_observe_keeps_limits_over_midnight(quota: Quota, clock: Any) -> None:
    quota.observe(reported(limit="400,4000"))
    clock.now_epoch_s = NEXT_DAY + 60

    assert quota.limits().overall_window == 400


def test_observe_believes_no_usage_when_a_window_has_just_opened(quota: Quota, clock: Any) -> None:
    late = reported(usage="200,900", limit="200,2000", read_usage="100,800", read_limit="100,1000")
    clock.now_epoch_s = NEXT_WINDOW + 2
    quota.observe(late)

    assert quota.used() == Counts(0, 900, 0, 800)
    quota.reserve(Bucket.READ, Priority.LIVE)


def test_observe_believes_no_usage_at_all_when_a_day_has_just_begun(quota: Quota, clock: Any) -> None:
    clock.now_epoch_s = NEXT_DAY + 2
    quota.observe(reported(usage="200,2000", read_usage="100,1000"))

    assert quota.used() == Counts(0, 0, 0, 0)
