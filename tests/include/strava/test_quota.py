from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.strava.quota import (
    COUNTERS,
    DAY_S,
    WINDOW_S,
    Bucket,
    Counts,
    Limits,
    Priority,
    Report,
    counters_of,
    day_start,
    next_day,
    next_window,
    reconciled,
    utc_day,
    utc_text,
    window_start,
)

times = st.floats(0, 4e9)


def epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("now", "start", "following"),
    [
        pytest.param("2026-11-22T13:15:00", "2026-11-22T13:15:00", "2026-11-22T13:30:00", id="at the opening"),
        pytest.param("2026-11-22T13:29:59.999", "2026-11-22T13:15:00", "2026-11-22T13:30:00", id="at the end"),
        pytest.param("2026-11-22T13:46:00", "2026-11-22T13:45:00", "2026-11-22T14:00:00", id="last of an hour"),
        pytest.param("2026-12-31T23:59:59", "2026-12-31T23:45:00", "2027-01-01T00:00:00", id="last of a year"),
    ],
)
def test_window_opens_every_quarter_of_an_hour(now: str, start: str, following: str) -> None:
    assert window_start(epoch_s(now)) == epoch_s(start)
    assert next_window(epoch_s(now)) == epoch_s(following)


@pytest.mark.parametrize(
    ("now", "day", "following"),
    [
        pytest.param("2026-11-22T00:00:00", "2026-11-22", "2026-11-23T00:00:00", id="midnight"),
        pytest.param("2028-02-28T23:59:59.9", "2028-02-28", "2028-02-29T00:00:00", id="leap year"),
    ],
)
def test_day_begins_at_midnight_utc(now: str, day: str, following: str) -> None:
    assert utc_day(epoch_s(now)) == day
    assert next_day(epoch_s(now)) == epoch_s(following)


@given(times)
def test_windows_and_days_contain_the_time(now: float) -> None:
    assert window_start(now) <= now < next_window(now)
    assert day_start(now) <= window_start(now) < next_window(now) <= next_day(now)
    assert next_window(now) - window_start(now) == WINDOW_S
    assert next_day(now) - day_start(now) == DAY_S
    assert window_start(now) % WINDOW_S == day_start(now) % DAY_S == 0


def test_utc_text_reads_like_a_time() -> None:
    assert utc_text(epoch_s("2026-11-22T13:15:00")) == "2026-11-22 13:15 UTC"


@pytest.mark.parametrize(
    ("headers", "usage", "limits"),
    [
        pytest.param({}, Counts(), Counts(), id="none"),
        pytest.param(
            {
                "X-RateLimit-Limit": "200,2000",
                "X-RateLimit-Usage": "79,222",
                "X-ReadRateLimit-Limit": "100,1000",
                "X-ReadRateLimit-Usage": "78,221",
            },
            Counts(79, 222, 78, 221),
            Counts(200, 2000, 100, 1000),
            id="both pairs",
        ),
        pytest.param(
            {"x-ratelimit-limit": " 600 , 30000 ", "X-RATELIMIT-USAGE": "0,0"},
            Counts(0, 0),
            Counts(600, 30000),
            id="any case, blanks, zero usage",
        ),
        pytest.param(
            {"X-Readratelimit-Usage": ",", "X-Ratelimit-Usage": "1,2", "X-Ratelimit-Limit": "200,2000"},
            Counts(1, 2),
            Counts(200, 2000),
            id="lone comma",
        ),
        pytest.param({"X-RateLimit-Limit": "0,0"}, Counts(), Counts(), id="zero limit would stop us for ever"),
        *(
            pytest.param({"X-RateLimit-Usage": value, "X-RateLimit-Limit": value}, Counts(), Counts(), id=repr(value))
            for value in ("", "5", "5,", ",5", "a,b", "-1,5", "1.5,2", "1,2,3", "1;2", "\u0661,\u0662", "9" * 10 + ",1")
        ),
    ],
)
def test_report_takes_what_the_headers_say(headers: Mapping[str, str], usage: Counts, limits: Counts) -> None:
    assert Report.parse(headers) == Report(limits=limits, usage=usage)


@given(st.dictionaries(st.sampled_from(["X-RateLimit-Limit", "x-ratelimit-usage", "X-ReadRateLimit-Usage"]), st.text()))
def test_report_is_never_an_error_when_headers_are_noise(headers: dict[str, str]) -> None:
    report = Report.parse(headers)

    assert all(value >= 0 for value in (report.usage.known() | report.limits.known()).values())


@given(st.tuples(*[st.integers(0, 10**9 - 1)] * 2), st.tuples(*[st.integers(1, 10**9 - 1)] * 2))
def test_report_reads_every_number_back(usage: tuple[int, int], limits: tuple[int, int]) -> None:
    report = Report.parse(
        {"X-ReadRateLimit-Usage": f"{usage[0]},{usage[1]}", "X-ReadRateLimit-Limit": f"{limits[0]}, {limits[1]}"}
    )

    assert (report.usage.read_window, report.usage.read_day) == usage
    assert (report.limits.read_window, report.limits.read_day) == limits


@pytest.mark.parametrize(
    ("path", "known"),
    [
        pytest.param(
            "dblock-strava-ruby-client/client/deauthorize.json",
            {
                "overall_window": "Ratelimit",
                "overall_day": "Ratelimit",
                "read_window": "Readratelimit",
                "read_day": "Readratelimit",
            },
            id="2025",
        ),
        pytest.param(
            "dblock-strava-ruby-client/client/create_activity.json",
            {"overall_window": "Ratelimit", "overall_day": "Ratelimit"},
            id="lone comma",
        ),
        pytest.param("dblock-strava-ruby-client/client/activity_streams.json", {}, id="streams say nothing"),
        pytest.param(
            "strava-go.strava/upload_create_unauthorized.json",
            {"overall_window": "Ratelimit", "overall_day": "Ratelimit"},
            id="2014",
        ),
    ],
)
def test_report_reads_the_recorded_headers(
    recording: Callable[[str], Any], path: str, known: Mapping[str, str]
) -> None:
    headers = recording(path)["response"]["headers"]

    said = {name: int(headers[f"X-{header}-Usage"].split(",")[name.endswith("day")]) for name, header in known.items()}
    assert Report.parse(headers).usage == Counts(**said)


@pytest.mark.parametrize(
    ("usage", "limits", "expected"),
    [
        pytest.param(Counts(), Counts(), False, id="nothing known"),
        pytest.param(Counts(200, 1999), Counts(200, 2000), False, id="window spent"),
        pytest.param(Counts(1, 2000), Counts(200, 2000), True, id="overall day spent"),
        pytest.param(Counts(1, 5, 1, 1001), Counts(200, 2000, 100, 1000), True, id="read day spent"),
        pytest.param(Counts(1, 5, 1, 1001), Counts(200, 2000), False, id="read limit unknown"),
    ],
)
def test_day_is_spent_when_a_daily_counter_is_full(usage: Counts, limits: Counts, expected: bool) -> None:
    assert Report(limits=limits, usage=usage).day_is_spent() is expected


def test_limits_are_updated_by_what_is_known_alone() -> None:
    assert Limits().updated(Counts(400, 4000)) == Limits(400, 4000, 100, 1000)
    assert Limits().updated(Counts()) == Limits(200, 2000, 100, 1000)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        pytest.param(Priority.LIVE, (200, 2000, 100, 1000), id="live"),
        pytest.param(Priority.COPY, (200, 2000, 100, 1000), id="copy"),
        pytest.param(Priority.RECONCILE, (200, 2000, 100, 1000), id="reconcile"),
        pytest.param(Priority.BACKFILL, (180, 1800, 90, 900), id="backfill"),
    ],
)
def test_allowed_leaves_a_reserve_when_the_work_is_backfill(priority: Priority, expected: tuple[int, ...]) -> None:
    assert tuple(Limits().allowed(counter, priority) for counter in COUNTERS) == expected


@given(st.integers(1, 10**9), st.sampled_from(Priority))
def test_allowed_never_passes_the_limit(limit: int, priority: Priority) -> None:
    allowed = Limits(overall_window=limit).allowed("overall_window", priority)

    assert 0 <= allowed <= limit
    assert limit - allowed == (0 if priority is not Priority.BACKFILL else limit - limit * 9 // 10)


def test_priorities_are_in_the_order_of_right() -> None:
    assert sorted(Priority) == [Priority.LIVE, Priority.COPY, Priority.RECONCILE, Priority.BACKFILL]


def test_counters_of_an_upload_are_the_overall_ones() -> None:
    assert counters_of(Bucket.UPLOAD) == ("overall_window", "overall_day")
    assert counters_of(Bucket.READ) == ("overall_window", "overall_day", "read_window", "read_day")


@given(st.integers(0), st.none() | st.integers(0))
def test_reconciled_is_the_higher_count(own: int, reported: int | None) -> None:
    assert reconciled(own, reported) == max(own, reported or 0)
