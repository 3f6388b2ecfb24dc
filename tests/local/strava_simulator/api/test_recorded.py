"""Answers compared with those recorded from Strava: same keys, same texts, same headers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.strava_simulator.api import answers
from local.strava_simulator.world.simulation import DuplicateText, Rules


@pytest.fixture
def answered(recorded: Path) -> Any:
    """The response recorded in a file, or an entry of the documented ones by name."""
    documented = {entry["name"]: entry for entry in json.loads((recorded / "documented/errors.json").read_text())}

    def load(name: str) -> Any:
        if name in documented:
            return documented[name]
        return json.loads((recorded / f"dblock-strava-ruby-client/{name}.json").read_text())["response"]

    return load


@pytest.mark.parametrize(
    ("refusal", "name"),
    [
        pytest.param(answers.bad_request("Application", "client_id"), "oauth/token_invalid_client", id="client"),
        pytest.param(answers.bad_request("RefreshToken", "refresh_token"), "token_refresh_invalid", id="refresh"),
        pytest.param(answers.bad_request("AuthorizationCode", "code"), "token_code_invalid_current", id="code"),
        pytest.param(answers.wrong_secret(), "token_wrong_secret", id="secret"),
        pytest.param(answers.wrong_token(), "access_token_invalid", id="token"),
        pytest.param(answers.scope_missing("activity:read_permission"), "read_scope_missing", id="scope"),
        pytest.param(answers.application_inactive(), "application_inactive", id="inactive"),
        pytest.param(answers.limit_exceeded("rate limit"), "rate_limit_exceeded_structured", id="limit"),
        pytest.param(answers.no_streams(), "streams_not_found", id="streams"),
        pytest.param(
            answers.bad_request("PushSubscription", "", "already exists"),
            "push_subscription_already_exists",
            id="second subscription",
        ),
        pytest.param(
            answers.bad_request("PushSubscription", "callback url", "not verifiable"),
            "push_subscription_callback_not_verifiable",
            id="callback",
        ),
    ],
)
def test_refusals_read_as_stravas(answered: Any, refusal: answers.Refusal, name: str) -> None:
    assert (refusal.status, refusal.body) == (answered(name)["status"], answered(name)["body"])


def test_write_scope_refusal_reads_as_recorded(recorded: Path) -> None:
    response = json.loads((recorded / "strava-go.strava/upload_create_unauthorized.json").read_text())["response"]
    refusal = answers.scope_missing("write_permission")
    assert (refusal.status, refusal.body) == (response["status"], response["body"])


def test_exchange_has_the_recorded_keys_and_the_scope(world: Any, answered: Any) -> None:
    expected = answered("oauth/token_authorization_code")["body"]
    body = world.connect(world.athlete())
    assert set(body) == {*expected, "scope"}
    assert set(expected["athlete"]) <= set(body["athlete"])


def test_refresh_has_the_recorded_keys(world: Any, answered: Any) -> None:
    pair = world.connect(world.athlete())
    body = world.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]).get_json()
    assert set(body) == set(answered("oauth/token_refresh_token")["body"])


def test_athlete_has_the_recorded_keys(world: Any, answered: Any) -> None:
    body = world.get("athlete", world.bearer(world.athlete())).get_json()
    assert set(body) == set(answered("client/athlete")["body"])


def test_subscription_has_the_recorded_keys(world: Any, answered: Any) -> None:
    assert set(world.subscribe().get_json()) == set(answered("webhooks/create_push_subscription")["body"])


def test_webhook_has_the_documented_keys(world: Any, answered: Any) -> None:
    world.subscribe()
    athlete_id = world.athlete()
    world.connect(athlete_id)
    world.control("PATCH", f"activities/{world.finish(athlete_id, announce=False)}", name="Messy")
    world.work()
    (event,) = world.receiver.events
    expected = answered("webhook_event_update")["body"]
    assert set(event) == set(expected)
    assert {key: type(value) for key, value in event.items()} == {key: type(expected[key]) for key in event}
    assert event["updates"] == expected["updates"]


def test_summaries_made_of_recorded_details_have_the_keys_of_recorded_lists(
    world: Any, answered: Any, recorded: Path
) -> None:
    athlete_id = world.athlete()
    detail = answered("client/activity")["body"]
    world.control("POST", f"athletes/{athlete_id}/activities", detail=detail, streams=None)
    (summary,) = world.get("athlete/activities", world.bearer(athlete_id)).get_json()
    lists = [
        *answered("client/athlete_activities")["body"],
        *json.loads((recorded / "tudormobile-Strava/activities.json").read_text()),
    ]
    ever = {key for activity in lists for key in activity}
    always = set.intersection(*(set(activity) for activity in lists))
    assert always <= set(summary) <= ever
    assert set(summary["map"]) == set(lists[0]["map"])


def test_recorded_detail_and_streams_come_back_unchanged(world: Any, answered: Any) -> None:
    athlete_id = world.athlete()
    detail, streams = answered("client/activity")["body"], answered("client/activity_streams")["body"]
    world.control("POST", f"athletes/{athlete_id}/activities", detail=detail, streams=streams)
    headers = world.bearer(athlete_id)
    expected = {**detail, "athlete": {"id": athlete_id, "resource_state": 1}}
    assert world.get(f"activities/{detail['id']}", headers).get_json() == expected
    assert world.get(f"activities/{detail['id']}/streams", headers, key_by_type="true").get_json() == streams


@pytest.mark.parametrize(
    ("name", "carries"),
    [
        pytest.param("client/athlete", True, id="athlete"),
        pytest.param("client/activity_streams", False, id="streams"),
        pytest.param("client/authorization_error", False, id="401"),
        pytest.param("oauth/token_authorization_code", False, id="token"),
    ],
)
def test_usage_headers_come_where_recorded(world: Any, answered: Any, name: str, carries: bool) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    ours = {
        "client/athlete": lambda: world.get("athlete", headers),
        "client/activity_streams": lambda: world.get(f"activities/{world.finish(athlete_id)}/streams", headers),
        "client/authorization_error": lambda: world.get("athlete", {"Authorization": "Bearer x"}),
        "oauth/token_authorization_code": lambda: world.token(
            grant_type="authorization_code", code=world.code(athlete_id)
        ),
    }[name]()
    theirs = answered(name)
    named = [
        {key.lower() for key in response if "ratelimit" in key.lower()}
        for response in (dict(ours.headers), theirs["headers"])
    ]
    assert named[0] == named[1]
    assert bool(named[0]) is carries
    assert ours.status_code == theirs["status"]
    assert ours.headers["Content-Type"].lower() == theirs["headers"]["Content-Type"].lower()


@pytest.mark.parametrize("form", list(DuplicateText))
def test_recorded_upload_goes_the_recorded_way(
    make_world: Any, answered: Any, recorded: Path, form: DuplicateText
) -> None:
    """The very file that was uploaded when the answers were recorded, and then again."""
    world = make_world(rules=Rules(duplicate_text=form))
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    file = recorded / "dblock-strava-ruby-client/files/17611540601.tcx"

    def upload() -> tuple[Any, Any]:
        with file.open("rb") as content:
            data = {"file": (content, file.name), "data_type": "tcx", "name": "Uploaded Activity"}
            taken = world.client.post("/api/v3/uploads", headers=headers, data=data)
        world.pass_time(2)
        return taken, world.get(f"uploads/{taken.get_json()['id']}", headers)

    def without_ids(body: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in body.items() if key not in ("id", "id_str", "activity_id")}

    taken, ready = upload()
    for response, name in ((taken, "client/create_upload.01"), (ready, "client/create_upload.03")):
        theirs = answered(name)
        assert response.status_code == theirs["status"]
        assert without_ids(response.get_json()) == without_ids(theirs["body"])
    activity_id = ready.get_json()["activity_id"]
    _, duplicate = upload()
    theirs = answered("client/create_upload_file_with_error.03")["body"]
    if form is DuplicateText.PLAIN:
        expected = {**theirs, "error": re.sub(r"\d+$", str(activity_id), theirs["error"])}
    else:
        link = f"<a href='/activities/{activity_id}' target='_blank'>Uploaded Activity</a>"
        expected = {**theirs, "error": f"17611540601.tcx duplicate of {link}"}
    assert without_ids(duplicate.get_json()) == without_ids(expected)
    streams = world.control("GET", f"activities/{activity_id}").get_json()["streams"]
    points = file.read_text().count("<Trackpoint>")
    assert len(streams["latlng"]["data"]) == len(streams["heartrate"]["data"]) == points
