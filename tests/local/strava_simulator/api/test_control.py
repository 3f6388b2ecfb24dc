"""The simulator's own API: what athletes do, and the truth about it."""

from __future__ import annotations

from typing import Any

import pytest

DETAIL = {"name": "Run", "start_date": "2026-06-01T08:00:00Z", "sport_type": "Run"}


def truth(world: Any, activity_id: int) -> Any:
    return world.control("GET", f"activities/{activity_id}").get_json()


def test_health_tells_the_simulators_time(world: Any) -> None:
    assert world.control("GET", "health").get_json() == {"status": "ok", "time_epoch_s": world.clock.now_epoch_s}


def test_athletes_are_created_with_the_values_given_or_defaults(world: Any) -> None:
    world.athlete(athlete_id=42, firstname="Ann", lastname="Other")
    generated = world.athlete()
    profiles = world.control("GET", "athletes").get_json()
    assert [(profile["id"], profile["firstname"]) for profile in profiles] == [(42, "Ann"), (generated, "Athlete")]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        pytest.param({"athlete_id": 42}, 409, id="taken"),
        pytest.param({"athlete_id": "43"}, 400, id="text"),
        pytest.param({"athlete_id": 0}, 400, id="zero"),
        pytest.param({"athlete_id": 2**63}, 400, id="past 64 bits"),
        pytest.param({"nickname": "Ann"}, 400, id="unknown key"),
    ],
)
def test_athlete_is_refused(world: Any, values: dict[str, Any], status: int) -> None:
    world.athlete(athlete_id=42)
    response = world.control("POST", "athletes", **values)
    assert response.status_code == status
    assert response.get_json()["error"]


def test_activity_given_in_full_is_kept_as_given(world: Any) -> None:
    athlete_id = world.athlete()
    streams = {"time": {"data": [0, None, 2], "series_type": "distance", "original_size": 3, "resolution": "high"}}
    detail = {**DETAIL, "id": 77, "athlete": {"id": 1}, "extra": [1, {"a": None}], "visibility": "followers_only"}
    response = world.control("POST", f"athletes/{athlete_id}/activities", detail=detail, streams=streams)
    assert (response.status_code, response.get_json()) == (201, {"activity_id": 77})
    assert truth(world, 77) == {
        "detail": {**detail, "athlete": {"id": athlete_id, "resource_state": 1}},
        "streams": streams,
        "deleted": False,
        "upload": None,
    }


def test_activity_is_generated_from_kind_and_seed(world: Any) -> None:
    athlete_id = world.athlete()
    order = {"kind": "ride", "seed": 3, "start_at": "2026-05-01T08:00:00+02:00", "name": "Tour", "points": 20}
    ids = [
        world.control("POST", f"athletes/{athlete_id}/activities", **order).get_json()["activity_id"] for _ in range(2)
    ]
    first, second = (truth(world, activity_id) for activity_id in ids)
    assert first["detail"]["id"] == ids[0] != ids[1] == second["detail"]["id"]
    assert (first["detail"]["name"], first["detail"]["start_date"]) == ("Tour", "2026-05-01T06:00:00Z")
    assert len(first["streams"]["time"]["data"]) == 20
    assert first["streams"] == second["streams"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({}, 400, id="nothing"),
        pytest.param({"detail": {"name": "Run"}, "streams": None}, 400, id="detail lacks its start"),
        pytest.param({"detail": {**DETAIL, "start_date": "noon"}, "streams": None}, 400, id="start is no date"),
        pytest.param({"detail": {**DETAIL, "id": "77"}, "streams": None}, 400, id="id is text"),
        pytest.param({"detail": {**DETAIL, "id": 2**63}, "streams": None}, 400, id="id past 64 bits"),
        pytest.param({"detail": DETAIL, "streams": []}, 400, id="streams in a list"),
        pytest.param({"detail": DETAIL, "streams": None, "announce": "no"}, 400, id="announce is text"),
        pytest.param({"kind": "flight", "start_at": "2026-05-01T08:00:00Z"}, 400, id="unknown kind"),
        pytest.param({"kind": "run"}, 400, id="no start"),
        pytest.param({"kind": "run", "start_at": "2026-05-01T08:00:00"}, 400, id="start without zone"),
        pytest.param({"kind": "run", "start_at": "2026-05-01T08:00:00Z", "points": 0}, 400, id="no points"),
        pytest.param({"detail": {**DETAIL, "id": 76}, "streams": None}, 409, id="taken id"),
    ],
)
def test_activity_is_refused(world: Any, body: dict[str, Any], status: int) -> None:
    athlete_id = world.athlete()
    world.finish(athlete_id, detail={"id": 76})
    response = world.control("POST", f"athletes/{athlete_id}/activities", **body)
    assert response.status_code == status
    assert response.get_json()["error"]
    assert world.control("GET", f"athletes/{athlete_id}/activities").get_json() == {"activity_ids": [76]}


def test_id_of_a_deleted_activity_stays_taken(world: Any) -> None:
    athlete_id = world.athlete()
    activity_id = world.finish(athlete_id)
    world.control("DELETE", f"activities/{activity_id}")
    body = {"detail": {**DETAIL, "id": activity_id}, "streams": None}
    assert world.control("POST", f"athletes/{athlete_id}/activities", **body).status_code == 409
    assert truth(world, activity_id)["deleted"] is True
    assert world.finish(athlete_id) == activity_id + 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "athletes/1/activities", id="activities of nobody"),
        pytest.param("POST", "athletes/1/activities", id="new activity of nobody"),
        pytest.param("DELETE", "athletes/1/connections/10001", id="connection of nobody"),
        pytest.param("GET", "activities/1", id="truth"),
        pytest.param("PATCH", "activities/1", id="edit"),
        pytest.param("POST", "activities/1/crop", id="crop"),
        pytest.param("DELETE", "activities/1", id="delete"),
        pytest.param("GET", "nothing", id="path"),
    ],
)
def test_what_does_not_exist_is_not_found(world: Any, method: str, path: str) -> None:
    body = {"name": "New"} if method == "PATCH" else {"detail": DETAIL} if path.startswith("athletes") else {}
    response = world.control(method, path, **body)
    assert response.status_code == 404
    assert response.get_json()["error"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "POST"])
def test_deleted_activity_can_be_changed_no_more(world: Any, method: str) -> None:
    activity_id = world.finish(world.athlete())
    world.control("DELETE", f"activities/{activity_id}")
    path = f"activities/{activity_id}" + ("/crop" if method == "POST" else "")
    assert world.control(method, path, **({"name": "New"} if method == "PATCH" else {})).status_code == 404


def test_edits_change_what_strava_answers(world: Any) -> None:
    athlete_id = world.athlete()
    activity_id = world.finish(athlete_id)
    edit = {"name": "Run with Rex", "sport_type": "TrailRun", "visibility": "only_me"}
    assert world.control("PATCH", f"activities/{activity_id}", **edit).status_code == 204
    detail = world.get(f"activities/{activity_id}", world.bearer(athlete_id)).get_json()
    expected = {**edit, "type": "Run", "private": True}
    assert {key: detail[key] for key in expected} == expected
    streams = world.get(f"activities/{activity_id}/streams", world.bearer(athlete_id), keys="time", key_by_type="true")
    assert streams.get_json()["time"]["data"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"name": None}, id="no text"),
        pytest.param({"sport_type": "Flying"}, id="unknown sport"),
        pytest.param({"visibility": "friends"}, id="unknown visibility"),
        pytest.param({"name": "New", "distance": "1"}, id="not for athletes to change"),
        pytest.param({"name": "New", "visibility": "friends"}, id="one good, one bad"),
    ],
)
def test_wrong_edit_is_refused_whole(world: Any, edit: dict[str, Any]) -> None:
    world.subscribe()
    athlete_id = world.athlete()
    world.connect(athlete_id)
    activity_id = world.finish(athlete_id, announce=False)
    before = truth(world, activity_id)
    assert world.control("PATCH", f"activities/{activity_id}", **edit).status_code == 400
    assert truth(world, activity_id) == before
    assert world.received() == []


def test_crop_begins_anew_and_measures_again(world: Any) -> None:
    activity_id = world.finish(world.athlete(), detail={"visibility": "followers_only"})
    assert world.control("POST", f"activities/{activity_id}/crop", first=1, last=1).status_code == 204
    cropped = truth(world, activity_id)
    assert cropped["streams"]["time"]["data"] == [0, 1]
    assert cropped["streams"]["distance"]["data"] == [0.0, 3.0]
    assert cropped["streams"]["heartrate"]["data"] == [110, None]
    assert {stream["original_size"] for stream in cropped["streams"].values()} == {2}
    expected = {
        "start_date": "2026-06-01T08:00:01Z",
        "elapsed_time": 1,
        "moving_time": 1,
        "distance": 3.0,
        "average_heartrate": 110.0,
        "name": "Morning Run",
        "visibility": "followers_only",
        "kudos_count": 4,
        "description": "Felt good",
    }
    assert {key: cropped["detail"][key] for key in expected} == expected


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param({"first": 3}, id="one sample left"),
        pytest.param({"first": 2, "last": 2}, id="none left"),
        pytest.param({"first": -1}, id="negative"),
        pytest.param({"last": "1"}, id="text"),
    ],
)
def test_wrong_crop_is_refused(world: Any, cut: dict[str, Any]) -> None:
    activity_id = world.finish(world.athlete())
    before = truth(world, activity_id)
    assert world.control("POST", f"activities/{activity_id}/crop", **cut).status_code == 400
    assert truth(world, activity_id) == before


def test_crop_needs_streams(world: Any) -> None:
    body = {"detail": {**DETAIL, "id": 5}, "streams": None}
    world.control("POST", f"athletes/{world.athlete()}/activities", **body)
    assert world.control("POST", "activities/5/crop", first=1).status_code == 400


def test_tokens_lists_every_token_ever_issued(world: Any) -> None:
    athlete_id = world.athlete()
    first = world.connect(athlete_id)
    world.pass_time(20_000)
    second = world.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).get_json()
    world.control("DELETE", f"athletes/{athlete_id}/connections/{world.application.client_id}")
    expected = [pair[kind] for pair in (first, second) for kind in ("access_token", "refresh_token")]
    assert world.control("GET", "tokens").get_json() == expected


def test_calls_are_counted_by_route_and_status(world: Any) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    activity_id = world.finish(athlete_id)
    for path in (f"activities/{activity_id}", "activities/1", "activities/2", "nothing"):
        world.get(path, headers)
    calls = {(entry["route"], entry["status"]): entry["count"] for entry in world.control("GET", "calls").get_json()}
    assert calls == {
        ("POST /oauth/authorize", 302): 1,
        ("POST /oauth/token", 200): 1,
        ("GET /api/v3/activities/<activity_id>", 200): 1,
        ("GET /api/v3/activities/<activity_id>", 404): 2,
        ("GET unknown", 404): 1,
    }


def test_body_that_is_no_json_object_is_refused(world: Any) -> None:
    for data in (b"", b"{", b"[]"):
        assert world.client.post("/simulator/athletes", data=data).status_code == 400


def test_home_page_shows_athletes_and_activities(world: Any) -> None:
    assert "There are no athletes yet" in world.client.get("/").text
    athlete_id = world.athlete(firstname="Ann", lastname="<script>")
    assert "No activities" in world.client.get("/").text
    activity_id = world.finish(athlete_id, name="Run & <Rex>", detail={"visibility": "only_me"})
    page = world.client.get("/").text
    assert "Ann &lt;script&gt;" in page
    assert "Run &amp; &lt;Rex&gt;" in page
    assert str(activity_id) in page


def test_control_paths_are_not_answered_as_strava(world: Any) -> None:
    answer = world.client.get("/simulator/nothing")

    assert answer.get_json() == {"error": "the simulator has no GET /simulator/nothing"}
