"""The athlete, the list of activities, one activity, its streams."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application

NOT_FOUND = {"message": "Record Not Found", "errors": []}
READ_MISSING = {
    "message": "Authorization Error",
    "errors": [{"resource": "AccessToken", "field": "activity:read_permission", "code": "missing"}],
}


def at(minutes: int) -> str:
    return f"{datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def ids(response: Any) -> list[int]:
    return [activity["id"] for activity in response.get_json()]


@pytest.mark.parametrize(
    ("scope", "state"), [pytest.param("read", 2, id="summary"), pytest.param("profile:read_all", 3, id="detail")]
)
def test_athlete_is_detailed_only_with_profile_scope(world: Any, scope: str, state: int) -> None:
    body = world.get("athlete", world.bearer(world.athlete(firstname="Ann"), scope)).get_json()
    assert (body["resource_state"], body["firstname"]) == (state, "Ann")
    assert ("follower_count" in body) is (state == 3)


@pytest.mark.parametrize("count", [0, 1, 29, 30, 31, 61])
def test_pages_together_hold_every_activity_once_and_newest_first(world: Any, count: int) -> None:
    athlete_id = world.athlete()
    made = [world.finish(athlete_id, at=at(index), announce=False) for index in range(count)]
    headers = world.bearer(athlete_id)
    found, page = [], 1
    while listed := ids(world.get("athlete/activities", headers, page=page)):
        assert len(listed) <= 30
        found += listed
        page += 1
    assert found == made[::-1]


def test_list_keeps_an_order_when_activities_start_together(world: Any) -> None:
    athlete_id = world.athlete()
    made = [world.finish(athlete_id, at=at(0)) for _ in range(5)]
    headers = world.bearer(athlete_id)
    found = [ids(world.get("athlete/activities", headers, page=page, per_page=2)) for page in (1, 2, 3, 4)]
    assert [activity for page in found for activity in page] == made[::-1]


@pytest.mark.parametrize("before", range(-1, 5))
def test_before_and_after_are_exclusive(world: Any, before: int) -> None:
    athlete_id = world.athlete()
    made = [world.finish(athlete_id, at=at(index)) for index in range(4)]
    headers = world.bearer(athlete_id)
    epoch_s = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())
    for after in range(-1, 5):
        query = {"before": epoch_s + before * 60, "after": epoch_s + after * 60}
        expected = [activity_id for index, activity_id in enumerate(made) if after < index < before]
        assert ids(world.get("athlete/activities", headers, **query)) == expected[::-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("per_page", "201", id="more than 200 a page"),
        pytest.param("per_page", "0", id="none a page"),
        pytest.param("page", "0", id="page 0"),
        pytest.param("page", "-1", id="negative page"),
        pytest.param("page", "9" * 30, id="huge page"),
        pytest.param("before", "yesterday", id="before is text"),
        pytest.param("after", "1.5", id="after is a fraction"),
        pytest.param("after", "٣", id="foreign digit"),
    ],
)
def test_list_is_refused_when_a_parameter_is_wrong(world: Any, name: str, value: str) -> None:
    response = world.get("athlete/activities", world.bearer(world.athlete()), **{name: value})
    assert response.status_code == 400
    assert response.get_json()["errors"] == [{"resource": "Application", "field": name, "code": "invalid"}]


def test_list_takes_200_a_page(world: Any) -> None:
    assert world.get("athlete/activities", world.bearer(world.athlete()), per_page=200).status_code == 200


def test_list_shows_summaries(world: Any) -> None:
    athlete_id = world.athlete()
    activity_id = world.finish(athlete_id)
    (summary,) = world.get("athlete/activities", world.bearer(athlete_id)).get_json()
    assert summary["id"] == activity_id
    assert summary["resource_state"] == 2
    assert summary["athlete"] == {"id": athlete_id, "resource_state": 1}
    assert summary["map"] == {"id": "a1", "summary_polyline": "ab", "resource_state": 2}
    assert not {"description", "laps"} & set(summary)


def test_detail_shows_everything(world: Any) -> None:
    athlete_id = world.athlete()
    activity_id = world.finish(athlete_id)
    detail = world.get(f"activities/{activity_id}", world.bearer(athlete_id)).get_json()
    assert (detail["id"], detail["resource_state"], detail["description"]) == (activity_id, 3, "Felt good")
    assert detail["map"]["polyline"] == "abc"


@pytest.mark.parametrize(
    ("scope", "is_shown"),
    [pytest.param("activity:read", False, id="read"), pytest.param("activity:read_all", True, id="read_all")],
)
@pytest.mark.parametrize(
    "private",
    [
        pytest.param({"visibility": "only_me", "private": True}, id="visibility"),
        pytest.param({"visibility": None, "private": True}, id="old recording without visibility"),
    ],
)
def test_only_me_is_shown_only_with_read_all(world: Any, scope: str, is_shown: bool, private: dict[str, Any]) -> None:
    athlete_id = world.athlete()
    detail = {key: value for key, value in private.items() if value is not None}
    body = {"name": "Secret", "start_date": at(0), "sport_type": "Run", **detail}
    made = world.control("POST", f"athletes/{athlete_id}/activities", detail=body, streams=None).get_json()
    headers = world.bearer(athlete_id, scope)
    assert ids(world.get("athlete/activities", headers)) == ([made["activity_id"]] if is_shown else [])
    response = world.get(f"activities/{made['activity_id']}", headers)
    assert response.status_code == (200 if is_shown else 404)
    if not is_shown:
        assert response.get_json() == NOT_FOUND


@pytest.mark.parametrize("path", ["athlete/activities", "activities/{}", "activities/{}/streams"])
def test_activities_need_a_read_scope(world: Any, path: str) -> None:
    athlete_id = world.athlete()
    path = path.format(world.finish(athlete_id))
    response = world.get(path, world.bearer(athlete_id, "read_all,activity:write"))
    assert (response.status_code, response.get_json()) == (401, READ_MISSING)


@pytest.mark.parametrize("path", ["activities/{}", "activities/{}/streams"])
def test_nothing_of_another_athlete_is_found(world: Any, path: str) -> None:
    path = path.format(world.finish(world.athlete()))
    response = world.get(path, world.bearer(world.athlete()))
    assert (response.status_code, response.get_json()) == (404, NOT_FOUND)
    assert "X-RateLimit-Usage" not in response.headers


@pytest.mark.parametrize("path", ["activities/1", "activities/1/streams", f"activities/{2**63 - 1}"])
def test_unknown_activity_is_not_found(world: Any, path: str) -> None:
    response = world.get(path, world.bearer(world.athlete()))
    assert (response.status_code, response.get_json()) == (404, NOT_FOUND)


def test_deleted_activity_is_nowhere(world: Any) -> None:
    athlete_id = world.athlete()
    activity_id = world.finish(athlete_id)
    headers = world.bearer(athlete_id)
    assert world.control("DELETE", f"activities/{activity_id}").status_code == 204
    assert ids(world.get("athlete/activities", headers)) == []
    assert world.get(f"activities/{activity_id}", headers).status_code == 404
    assert world.get(f"activities/{activity_id}/streams", headers, keys="time").status_code == 404


@pytest.mark.parametrize(
    "path", ["segments/1", "activities/abc", "activities/-1", f"activities/{2**63}", "athletes/1/stats", "uploads"]
)
def test_unknown_path_is_not_found_in_json(world: Any, path: str) -> None:
    response = world.get(path, world.bearer(world.athlete()))
    assert response.status_code == 404
    assert response.get_json()["errors"] == [{"resource": "resource", "field": "path", "code": "invalid"}]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param("time,heartrate", ["time", "distance", "heartrate"], id="distance comes along"),
        pytest.param("time,watts", ["time", "distance"], id="one is not there"),
        pytest.param("heart_rate", ["distance"], id="unknown"),
        pytest.param("", ["distance"], id="empty"),
        pytest.param(None, ["distance"], id="missing"),
    ],
)
def test_streams_are_those_asked_for_and_distance(world: Any, keys: str | None, expected: list[str]) -> None:
    athlete_id = world.athlete()
    path = f"activities/{world.finish(athlete_id)}/streams"
    query = {} if keys is None else {"keys": keys}
    headers = world.bearer(athlete_id)
    keyed = world.get(path, headers, key_by_type="true", **query).get_json()
    array = world.get(path, headers, **query).get_json()
    assert list(keyed) == expected
    assert [stream.pop("type") for stream in array] == expected
    assert array == list(keyed.values())


def test_streams_are_as_kept_and_come_without_usage_headers_but_count(world: Any) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    path = f"activities/{world.finish(athlete_id)}/streams"
    response = world.get(path, headers, keys="heartrate", key_by_type="True")
    assert response.get_json()["heartrate"] == {
        "data": [100, 110, None, 130],
        "series_type": "distance",
        "original_size": 4,
        "resolution": "high",
    }
    assert not [name for name, _ in response.headers if "ratelimit" in name.lower()]
    assert world.get("athlete", headers).headers["X-RateLimit-Usage"] == "2,2"


def test_streams_are_not_found_when_activity_has_none(world: Any) -> None:
    athlete_id = world.athlete()
    detail = {"name": "Swim", "start_date": at(0), "sport_type": "Swim", "manual": True}
    made = world.control("POST", f"athletes/{athlete_id}/activities", detail=detail, streams=None).get_json()
    response = world.get(f"activities/{made['activity_id']}/streams", world.bearer(athlete_id), keys="time")
    assert (response.status_code, response.get_json()) == (404, {"message": "Resource Not Found", "errors": []})


def test_streams_are_an_empty_object_when_none_asked_for_is_there(world: Any) -> None:
    athlete_id = world.athlete()
    streams = {"altitude": {"data": [1.0], "series_type": "distance", "original_size": 1, "resolution": "high"}}
    detail = {"name": "Indoors", "start_date": at(0), "sport_type": "Workout"}
    made = world.control("POST", f"athletes/{athlete_id}/activities", detail=detail, streams=streams).get_json()
    path = f"activities/{made['activity_id']}/streams"
    assert world.get(path, world.bearer(athlete_id), keys="time", key_by_type="true").get_json() == {}


def test_token_of_another_application_counts_apart(world: Any) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    world.get("athlete", headers)
    with world.simulation.state.transaction() as db:
        applications.register(db, Application(20_002, "other"))
    world.application = Application(20_002, "other")
    response = world.get("athlete", world.bearer(athlete_id))
    assert response.headers["X-RateLimit-Usage"] == "1,1"
