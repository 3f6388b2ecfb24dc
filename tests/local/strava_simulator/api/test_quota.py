"""Rate limits: what counts, when windows open, what a call too many gets."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from local.strava_simulator.world.quota import Limits, Tier
from local.strava_simulator.world.simulation import Rules

TIGHT = Rules(limits=Limits(window=4, day=6, read_window=3, read_day=5))


def exceeded(field: str) -> dict[str, Any]:
    error = {"resource": "Application", "field": field, "code": "exceeded"}
    return {"message": "Rate Limit Exceeded", "errors": [error]}


def upload(world: Any, headers: dict[str, str]) -> Any:
    data = {"file": (io.BytesIO(b"<gpx/>"), "a.gpx"), "data_type": "gpx"}
    return world.client.post("/api/v3/uploads", headers=headers, data=data)


@pytest.mark.parametrize(
    ("tier", "limit", "read_limit"),
    [
        pytest.param(Tier.STANDARD, "200,2000", "100,1000", id="standard"),
        pytest.param(Tier.UPGRADED, "400,4000", "200,2000", id="upgraded"),
        pytest.param(Tier.PARTNER, "60000,600000", "30000,300000", id="partner"),
    ],
)
def test_headers_show_limits_of_the_tier(make_world: Any, tier: Tier, limit: str, read_limit: str) -> None:
    world = make_world(rules=Rules(limits=tier.limits))
    headers = world.get("athlete", world.bearer(world.athlete())).headers
    assert headers["X-RateLimit-Limit"] == limit
    assert headers["X-ReadRateLimit-Limit"] == read_limit
    assert headers["X-RateLimit-Usage"] == headers["X-ReadRateLimit-Usage"] == "1,1"


def test_upload_counts_overall_only_and_shows_no_read_usage(world: Any) -> None:
    headers = world.bearer(world.athlete())
    response = upload(world, headers)
    assert response.headers["X-RateLimit-Usage"] == "1,1"
    assert response.headers["X-ReadRateLimit-Usage"] == ","
    after = world.get("athlete", headers).headers
    assert (after["X-RateLimit-Usage"], after["X-ReadRateLimit-Usage"]) == ("2,2", "1,1")


def test_polling_an_upload_is_a_read(world: Any) -> None:
    headers = world.bearer(world.athlete())
    upload_id = upload(world, headers).get_json()["id"]
    assert world.get(f"uploads/{upload_id}", headers).headers["X-ReadRateLimit-Usage"] == "1,1"


def test_read_is_refused_when_read_window_is_spent_and_still_counts(make_world: Any) -> None:
    world = make_world(rules=TIGHT)
    headers = world.bearer(world.athlete())
    assert [world.get("athlete", headers).status_code for _ in range(3)] == [200, 200, 200]
    response = world.get("athlete", headers)
    assert (response.status_code, response.get_json()) == (429, exceeded("rate limit"))
    assert response.headers["X-ReadRateLimit-Usage"] == "4,4"
    assert "Retry-After" not in response.headers


def test_upload_is_taken_when_only_reads_are_overrun(make_world: Any) -> None:
    world = make_world(rules=Rules(limits=Limits(window=5, day=9, read_window=3, read_day=9)))
    headers = world.bearer(world.athlete())
    assert [world.get("athlete", headers).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert upload(world, headers).status_code == 201
    refused = upload(world, headers)
    assert (refused.status_code, refused.get_json()) == (429, exceeded("overall rate limit"))


def test_streams_over_the_limit_are_refused_without_headers(make_world: Any) -> None:
    world = make_world(rules=TIGHT)
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    path = f"activities/{world.finish(athlete_id)}/streams"
    statuses = [world.get(path, headers, keys="time").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert "X-RateLimit-Usage" not in world.get(path, headers, keys="time").headers


@pytest.mark.parametrize(
    ("first", "second", "usage"),
    [
        pytest.param("12:00:00", "12:14:59", "2,2", id="same window"),
        pytest.param("12:14:59", "12:15:00", "1,2", id="at a quarter"),
        pytest.param("12:59:59", "13:00:00", "1,2", id="at the hour"),
    ],
)
def test_windows_open_at_the_quarters(world: Any, first: str, second: str, usage: str) -> None:
    headers = world.bearer(world.athlete())
    for moment in (first, second):
        world.clock.now_epoch_s = datetime.fromisoformat(f"2026-06-01T{moment}").replace(tzinfo=UTC).timestamp()
        response = world.get("athlete", headers)
    assert response.headers["X-RateLimit-Usage"] == usage


def test_day_begins_at_midnight_utc(world: Any) -> None:
    world.clock.now_epoch_s = datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC).timestamp()
    headers = world.bearer(world.athlete())
    world.get("athlete", headers)
    world.pass_time(1)
    assert world.get("athlete", headers).headers["X-RateLimit-Usage"] == "1,1"


def test_refused_calls_count_for_the_day(make_world: Any) -> None:
    world = make_world(rules=TIGHT)
    headers = world.bearer(world.athlete())
    for _ in range(5):
        world.get("athlete", headers)
    world.pass_time(900)
    response = world.get("athlete", headers)
    assert response.status_code == 429
    assert response.headers["X-RateLimit-Usage"] == "1,6"


def test_call_without_a_good_token_counts_for_nobody(world: Any) -> None:
    headers = world.bearer(world.athlete())
    world.get("athlete", {"Authorization": "Bearer nonsense"})
    assert world.get("athlete", headers).headers["X-RateLimit-Usage"] == "1,1"


def test_deauthorize_is_refused_when_reads_are_spent(make_world: Any) -> None:
    world = make_world(rules=TIGHT)
    headers = world.bearer(world.athlete())
    for _ in range(3):
        world.get("athlete", headers)
    assert world.client.post("/oauth/deauthorize", headers=headers).status_code == 429


@pytest.mark.parametrize(
    ("tier", "capacity"), [(Tier.STANDARD, 10), (Tier.UPGRADED, 10), (Tier.PARTNER, 100_000)], ids=str
)
def test_application_may_have_as_many_athletes_as_its_tier_allows(tier: Tier, capacity: int) -> None:
    assert tier.athlete_capacity == capacity
