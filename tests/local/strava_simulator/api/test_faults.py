"""Faults that can be switched on for an application while the simulator runs."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.strava_simulator.api.faults import Faults, SeededChances
from local.strava_simulator.world.quota import Limits
from local.strava_simulator.world.simulation import Rules

ROOMY = Rules(limits=Limits(10_000, 10_000, 10_000, 10_000))
INACTIVE = {"message": "Forbidden", "errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}


def connected(world: Any) -> int:
    world.subscribe()
    athlete_id: int = world.athlete()
    world.connect(athlete_id)
    return athlete_id


def test_all_faults_are_off_by_default_and_a_switch_replaces_them(world: Any) -> None:
    path = f"applications/{world.application.client_id}/faults"
    assert world.control("GET", path).get_json() == Faults().to_json()
    world.switch(error_rate=0.5)
    world.switch(fresh_404s=2)
    assert world.control("GET", path).get_json() == Faults(fresh_404s=2).to_json()


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param({"eror_rate": 0.1}, id="unknown name"),
        pytest.param({"error_rate": 1.1}, id="rate above one"),
        pytest.param({"error_rate": -0.1}, id="negative rate"),
        pytest.param({"latency_s": "1"}, id="text"),
        pytest.param({"latency_s": True}, id="true is no number"),
        pytest.param({"latency_s": float("nan")}, id="no number"),
        pytest.param({"fresh_404s": 1.5}, id="fraction"),
        pytest.param({"inactive": 1}, id="one is not true"),
    ],
)
def test_wrong_faults_are_refused_whole(world: Any, faults: dict[str, Any]) -> None:
    path = f"applications/{world.application.client_id}/faults"
    assert world.control("PUT", path, webhook_lose_rate=1.0, **faults).status_code == 400
    assert world.control("GET", path).get_json() == Faults().to_json()


def test_faults_of_an_unknown_application_are_not_found(world: Any) -> None:
    assert world.control("GET", "applications/77/faults").status_code == 404
    assert world.control("PUT", "applications/77/faults", inactive=True).status_code == 404


@given(seed=st.integers(), rate=st.floats(0, 1), client_id=st.integers(1, 10**6))
def test_dice_fall_the_same_for_the_same_seed(seed: int, rate: float, client_id: int) -> None:
    one, other = SeededChances(seed), SeededChances(seed)
    other.falls(client_id + 1, 0.5)
    throws = [one.falls(client_id, rate) for _ in range(20)]
    assert throws == [other.falls(client_id, rate) for _ in range(20)]
    assert (rate > 0) or not any(throws)
    assert (rate < 1) or all(throws)


def test_latency_delays_every_call_of_the_application(world: Any) -> None:
    headers = world.bearer(world.athlete())
    world.switch(latency_s=1.5)
    world.get("athlete", headers)
    world.token(grant_type="refresh_token", refresh_token="x")
    world.control("GET", "health")
    assert world.slept == [1.5, 1.5]


def test_errors_come_at_their_rate_in_different_shapes(make_world: Any) -> None:
    world = make_world(rules=ROOMY)
    headers = world.bearer(world.athlete())
    world.switch(error_rate=0.3)
    responses = [world.get("athlete", headers) for _ in range(200)]
    broken = [response for response in responses if response.status_code != 200]
    assert 35 < len(broken) < 90
    assert {response.status_code for response in broken} == {500, 502, 503}
    assert {response.is_json for response in broken} == {True, False}


def test_errors_are_the_same_ones_in_every_run(make_world: Any) -> None:
    def statuses() -> list[int]:
        world = make_world(rules=ROOMY)
        headers = world.bearer(world.athlete())
        world.switch(error_rate=0.5)
        return [world.get("athlete", headers).status_code for _ in range(30)]

    assert statuses() == statuses()


def test_refresh_that_breaks_down_rotates_nothing(world: Any) -> None:
    pair = world.connect(world.athlete())
    world.pass_time(20_000)
    world.switch(error_rate=1.0)
    assert world.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code >= 500
    world.switch()
    assert world.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 200


def test_uploads_break_down_before_or_after_they_were_taken_in(make_world: Any) -> None:
    world = make_world(rules=ROOMY)
    headers = world.bearer(world.athlete())
    world.switch(error_rate=1.0)
    for _ in range(40):
        data = {"file": (io.BytesIO(b"<gpx/>"), "a.gpx"), "data_type": "gpx"}
        assert world.client.post("/api/v3/uploads", headers=headers, data=data).status_code >= 500
    with world.simulation.state.transaction() as db:
        taken_in = db.execute("SELECT COUNT(*) FROM uploads").fetchone()[0]
    assert 5 < taken_in < 35


def test_fresh_activity_is_not_found_the_first_times_and_then_its_streams_are_not(world: Any) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    world.switch(fresh_404s=2)
    activity_id = world.finish(athlete_id)
    for path in (f"activities/{activity_id}", f"activities/{activity_id}/streams"):
        assert [world.get(path, headers).status_code for _ in range(4)] == [404, 404, 200, 200]


def test_history_is_never_late(world: Any) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    world.switch(fresh_404s=2)
    activity_id = world.finish(athlete_id, announce=False)
    assert world.get(f"activities/{activity_id}", headers).status_code == 200


def test_inactive_application_is_refused_everywhere_but_at_oauth(world: Any) -> None:
    pair = world.connect(world.athlete())
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    world.switch(inactive=True)
    credentials = {"client_id": world.application.client_id, "client_secret": world.application.client_secret}
    refused = [
        world.get("athlete", headers),
        world.get("athlete/activities", headers),
        world.get("activities/1/streams", headers),
        world.get("push_subscriptions", **credentials),
        world.subscribe(),
    ]
    assert [(response.status_code, response.get_json()) for response in refused] == [(403, INACTIVE)] * 5
    assert world.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 200


def test_lost_webhooks_are_never_delivered(world: Any) -> None:
    athlete_id = connected(world)
    world.switch(webhook_lose_rate=1.0)
    world.finish(athlete_id)
    world.pass_time(3600)
    assert world.received() == []
    assert world.control("GET", "deliveries").get_json() == {"deliveries": [], "pending": 0}


def test_duplicated_webhooks_are_delivered_twice(world: Any) -> None:
    athlete_id = connected(world)
    world.switch(webhook_duplicate_rate=1.0)
    world.finish(athlete_id)
    world.work()
    first, second = world.receiver.events
    assert first == second


def test_reordered_webhooks_are_overtaken(world: Any) -> None:
    athlete_id = connected(world)
    world.switch(webhook_reorder_rate=1.0, webhook_reorder_delay_s=3.0)
    first = world.finish(athlete_id)
    world.switch()
    second = world.finish(athlete_id, at="2026-06-01T10:00:00Z")
    world.work()
    world.pass_time(3)
    world.work()
    assert [event["object_id"] for event in world.receiver.events] == [second, first]
