"""What the client reads: the athlete, an activity, its streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from include.errors import (
    Gone,
    NotTheApi,
    UnexpectedShape,
)
from include.strava.client import Bucket, Priority, StravaClient
from include.strava.stream_types import BY_KEY

pytestmark = pytest.mark.network


def summary(activity_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": activity_id,
        "athlete": {"id": 7},
        "name": "Morning Run",
        "sport_type": "Run",
        "start_date": "2025-10-18T06:00:00Z",
        "resource_state": 2,
    } | changes


def test_athlete_asks_for_the_profile(strava: Any, reply: Any, client: StravaClient, tokens: Any) -> None:
    strava.will(reply(body={"id": 7, "firstname": "Ann", "lastname": None}))

    athlete = client.athlete(7)

    assert (athlete.athlete_id, athlete.firstname, athlete.lastname) == (7, "Ann", "")
    assert strava.received[0].path == "/api/v3/athlete"
    assert strava.received[0].headers["authorization"] == "Bearer first"
    assert tokens.scopes == [(7, "activity:read")]


def test_activity_keeps_the_bytes_as_they_came(strava: Any, reply: Any, client: StravaClient, gate: Any) -> None:
    body = json.dumps(summary(5, resource_state=3), indent=1).encode()
    strava.will(reply(body=body, headers={"X-RateLimit-Usage": "1,2"}))

    activity = client.activity(7, 5)

    assert (activity.activity_id, activity.is_detail, activity.body) == (5, True, body)
    assert strava.received[0].path == "/api/v3/activities/5"
    assert strava.received[0].query == {"include_all_efforts": "false"}
    assert gate.reserved == [(Bucket.READ, Priority.LIVE)]
    assert gate.observed[0]["X-RateLimit-Usage"] == "1,2"


def test_activity_reads_the_recording(
    strava: Any, reply: Any, client: StravaClient, recording: Callable[[str], Any]
) -> None:
    body = recording("dblock-strava-ruby-client/client/activity.json")["response"]["body"]
    strava.will(reply(body=body))

    activity = client.activity(7, 5)

    assert activity.sport_type == body["sport_type"] == "Run"
    assert activity.elapsed_s == body["elapsed_time"] > 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[]", id="array"),
        pytest.param(summary("5"), id="id as text"),
        pytest.param(summary(5, start_date="yesterday"), id="no date"),
        pytest.param(summary(5, start_date="2026-01-01T00:00:00"), id="no time zone"),
        pytest.param(json.dumps(summary(5, elapsed_time=7)).replace("7}", "NaN}").encode(), id="not a number"),
    ],
)
def test_activity_says_unexpected_shape_when_the_answer_is_unreadable(
    strava: Any, reply: Any, client: StravaClient, body: Any
) -> None:
    strava.will(reply(body=body))

    with pytest.raises(UnexpectedShape):
        client.activity(7, 5)


def test_streams_asks_for_every_key(strava: Any, reply: Any, client: StravaClient, gate: Any) -> None:
    body = b'{"time": {"data": [0, 1, null]}, "latlng": {"data": [[1.5, 2.5], null]}}'
    strava.will(reply(body=body))

    streams = client.streams(7, 5)

    assert streams.channels == {"time": [0, 1, None], "latlng": [[1.5, 2.5], None]}
    assert streams.body == body
    assert strava.received[0].path == "/api/v3/activities/5/streams"
    assert strava.received[0].query == {"keys": ",".join(BY_KEY), "key_by_type": "true"}
    assert gate.reserved == [(Bucket.READ, Priority.LIVE)]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status": 404, "body": {"message": "Resource Not Found", "errors": []}}, id="404"),
        pytest.param({"body": b"{}\n"}, id="empty object"),
        pytest.param({"body": b"[]"}, id="empty array"),
    ],
)
def test_streams_says_gone_when_there_are_none(
    strava: Any, reply: Any, client: StravaClient, answer: dict[str, Any]
) -> None:
    strava.will(reply(**answer))

    with pytest.raises(Gone):
        client.streams(7, 5)


@pytest.mark.parametrize("body", [b'{"time": {"data": [0', b"<html>", b"[" * 50_000, b" "])
def test_reading_says_not_the_api_when_the_answer_is_no_json(
    strava: Any, reply: Any, client: StravaClient, body: bytes
) -> None:
    strava.will(reply(body=body))

    for ask in (
        lambda: client.streams(7, 5),
        lambda: client.activity(7, 5),
        lambda: client.athlete(7),
        lambda: list(client.activities(7)),
        lambda: client.upload(7, 5),
    ):
        with pytest.raises(NotTheApi, match="athlete 7"):
            ask()


def test_streams_come_without_the_odd_channel_which_the_log_names(
    strava: Any, reply: Any, client: StravaClient, caplog: pytest.LogCaptureFixture
) -> None:
    strava.will(reply(body={"time": {"data": [0, 1]}, "heartrate": None, "watts": {"data": [True, 5]}}))

    assert client.streams(7, 5).channels == {"time": [0, 1], "watts": [None, 5]}
    assert "activity 5 of athlete 7" in caplog.text
    assert "heartrate, watts" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"time": {"data": 7}}', id="no samples"),
        pytest.param(b'{"message": "partial"}', id="a word"),
        pytest.param(b"7", id="number"),
    ],
)
def test_streams_says_unexpected_shape_when_unreadable(
    strava: Any, reply: Any, client: StravaClient, body: bytes
) -> None:
    strava.will(reply(body=body))

    with pytest.raises(UnexpectedShape):
        client.streams(7, 5)
