"""Which events raise webhooks, for whom, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from local.strava_simulator.world import applications
from local.strava_simulator.world.applications import Application

READ = "activity:read"
READ_ALL = "activity:read_all"
BOTH = "activity:read,activity:read_all"
CREATE = ("activity", "create", {})
DELETE = ("activity", "delete", {})


def updated(**updates: str) -> tuple[str, str, dict[str, str]]:
    return ("activity", "update", updates)


def change(world: Any, activity_id: int, **values: str) -> None:
    assert world.control("PATCH", f"activities/{activity_id}", **values).status_code == 204


def connected(world: Any, scope: str = BOTH) -> int:
    world.subscribe()
    athlete_id: int = world.athlete()
    world.connect(athlete_id, scope)
    return athlete_id


def hidden(world: Any, athlete_id: int) -> int:
    activity_id: int = world.finish(athlete_id, detail={"visibility": "only_me", "private": True}, announce=False)
    return activity_id


def test_event_has_stravas_shape(world: Any) -> None:
    athlete_id = connected(world)
    activity_id = world.finish(athlete_id)
    world.work()
    assert world.receiver.events == [
        {
            "aspect_type": "create",
            "event_time": 1780315200,
            "object_id": activity_id,
            "object_type": "activity",
            "owner_id": athlete_id,
            "subscription_id": 131300,
            "updates": {},
        }
    ]


def test_edits_raise_events_with_text_values_in_order(world: Any) -> None:
    activity_id = world.finish(connected(world))
    change(world, activity_id, name="Run with Rex", sport_type="TrailRun")
    change(world, activity_id, visibility="only_me")
    change(world, activity_id, visibility="everyone")
    world.control("DELETE", f"activities/{activity_id}")
    assert world.received() == [
        CREATE,
        updated(title="Run with Rex"),
        updated(type="TrailRun"),
        updated(private="true"),
        updated(private="false"),
        DELETE,
    ]


def test_history_raises_nothing(world: Any) -> None:
    world.finish(connected(world), announce=False)
    assert world.received() == []


@pytest.mark.parametrize("scope", ["read", "activity:write", READ_ALL])
def test_nothing_is_heard_without_activity_read(world: Any, scope: str) -> None:
    activity_id = world.finish(connected(world, scope))
    change(world, activity_id, name="New")
    change(world, activity_id, visibility="only_me")
    assert world.received() == []


def test_nothing_is_heard_without_connection_or_subscription(world: Any) -> None:
    world.finish(world.athlete())
    connected_id = world.athlete()
    world.connect(connected_id)
    world.finish(connected_id)
    world.subscribe()
    assert world.received() == []


@pytest.mark.parametrize(
    ("scope", "hide", "show"),
    [
        pytest.param(READ, DELETE, CREATE, id="read: it is gone, and new again"),
        pytest.param(BOTH, updated(private="true"), updated(private="false"), id="read_all: it is updated"),
    ],
)
def test_hiding_is_told_by_what_the_token_may_see(world: Any, scope: str, hide: Any, show: Any) -> None:
    activity_id = world.finish(connected(world, scope), announce=False)
    change(world, activity_id, visibility="only_me")
    change(world, activity_id, visibility="followers_only")
    assert world.received() == [hide, show]


@pytest.mark.parametrize("scope", [READ, BOTH])
def test_visibility_between_followers_and_everyone_raises_nothing(world: Any, scope: str) -> None:
    activity_id = world.finish(connected(world, scope))
    world.received()
    for visibility in ("followers_only", "everyone", "everyone"):
        change(world, activity_id, visibility=visibility)
    assert world.received() == [CREATE]


@pytest.mark.parametrize(
    ("scope", "is_heard"), [pytest.param(READ, False, id="read"), pytest.param(BOTH, True, id="read_all")]
)
@pytest.mark.parametrize("what", ["create", "rename", "sport", "delete"])
def test_hidden_activities_are_heard_of_only_with_read_all(world: Any, scope: str, is_heard: bool, what: str) -> None:
    athlete_id = connected(world, scope)
    if what == "create":
        world.finish(athlete_id, detail={"visibility": "only_me"})
    else:
        activity_id = hidden(world, athlete_id)
        if what == "delete":
            world.control("DELETE", f"activities/{activity_id}")
        else:
            change(world, activity_id, **({"name": "New"} if what == "rename" else {"sport_type": "Ride"}))
    assert bool(world.received()) is is_heard


def test_crop_raises_nothing(world: Any) -> None:
    activity_id = world.finish(connected(world), announce=False)
    assert world.control("POST", f"activities/{activity_id}/crop", first=1, last=1).status_code == 204
    assert world.received() == []


@pytest.mark.parametrize("way", ["settings page", "revoke", "deauthorize"])
@pytest.mark.parametrize("scope", ["read", BOTH])
def test_disconnecting_tells_the_application_once(world: Any, way: str, scope: str) -> None:
    world.subscribe()
    athlete_id = world.athlete()
    token = world.connect(athlete_id, scope)["access_token"]
    application = world.application
    for _ in range(2):
        if way == "settings page":
            world.control("DELETE", f"athletes/{athlete_id}/connections/{application.client_id}")
        elif way == "revoke":
            auth = (str(application.client_id), application.client_secret)
            world.client.post("/oauth/revoke", auth=auth, data={"token": token})
        else:
            world.client.post("/oauth/deauthorize", headers={"Authorization": f"Bearer {token}"})
    assert world.received() == [("athlete", "update", {"authorized": "false"})]
    (event,) = world.receiver.events
    assert (event["object_id"], event["owner_id"]) == (athlete_id, athlete_id)


def test_nothing_is_heard_after_disconnecting(world: Any) -> None:
    athlete_id = connected(world)
    world.control("DELETE", f"athletes/{athlete_id}/connections/{world.application.client_id}")
    world.received()
    world.finish(athlete_id)
    assert len(world.received()) == 1


def test_every_application_hears_by_its_own_grant(world: Any) -> None:
    world.subscribe()
    athlete_id = world.athlete()
    world.connect(athlete_id, BOTH)
    world.application = Application(20_002, "other")
    with world.simulation.state.transaction() as db:
        applications.register(db, world.application)
    other = world.subscribe(callback_url="http://callback.test/other").get_json()["id"]
    world.connect(athlete_id, READ)
    activity_id = world.finish(athlete_id, announce=False)
    change(world, activity_id, visibility="only_me")
    world.work()
    heard = [(event["subscription_id"], event["aspect_type"]) for event in world.receiver.events]
    assert heard == [(131300, "update"), (other, "delete")]
