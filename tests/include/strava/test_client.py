from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email import message_from_bytes
from typing import Any

import pytest

from include.errors import (
    BadRequest,
    Gone,
    NotConnected,
    NotTheApi,
    OutcomeUnknown,
    QuotaSpent,
    ScopeMissing,
    StravaUnavailable,
    TokenRefused,
    UnexpectedShape,
)
from include.strava.client import Bucket, Priority, StravaClient, Unreadable
from include.strava.http.session import StravaSession
from include.strava.models import UploadFile
from include.strava.stream_types import BY_KEY

pytestmark = pytest.mark.network

UNAUTHORISED = {
    "message": "Authorization Error",
    "errors": [{"resource": "Athlete", "field": "access_token", "code": "invalid"}],
}
FILE = UploadFile(
    external_id="sdi-5-9",
    data_type="gpx",
    content=b"<gpx>\r\n--\xff</gpx>",
    name="Läufchen \u201cmit\u201d Rex\r\nContent-Disposition: form-data",
    sport_type="TrailRun",
    description="one\ntwo",
    commute=True,
)
PROCESSING = {"id": 11, "status": "Your activity is still being processed.", "error": None, "activity_id": None}


class Tokens:
    """Hands out `tokens` in order, the next one after each rejection."""

    def __init__(self) -> None:
        self.tokens = ["first", "second"]
        self.scopes: list[tuple[int, str]] = []
        self.rejected: list[tuple[int, str]] = []

    def access_token(self, athlete_id: int, *, scope: str) -> str:
        self.scopes.append((athlete_id, scope))
        if not self.tokens:
            raise NotConnected(f"athlete {athlete_id} has to connect again")
        return self.tokens[0]

    def reject(self, athlete_id: int, access_token: str) -> None:
        self.rejected.append((athlete_id, access_token))
        self.tokens.pop(0)


class Gate:
    """Counts what is reserved and observed; refuses when `room` is used up."""

    def __init__(self) -> None:
        self.room = 1000
        self.reserved: list[tuple[Bucket, Priority]] = []
        self.observed: list[Mapping[str, str]] = []

    def reserve(self, bucket: Bucket, priority: Priority) -> None:
        if len(self.reserved) >= self.room:
            raise QuotaSpent("spent", until_epoch_s=1_700_001_000.0)
        self.reserved.append((bucket, priority))

    def observe(self, headers: Mapping[str, str]) -> None:
        self.observed.append(headers)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def client(strava: Any, session: StravaSession, tokens: Tokens, gate: Gate) -> StravaClient:
    return StravaClient(session, strava.url, tokens, gate, Priority.LIVE)


def summary(activity_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": activity_id,
        "athlete": {"id": 7},
        "name": "Morning Run",
        "sport_type": "Run",
        "start_date": "2025-10-18T06:00:00Z",
        "resource_state": 2,
    } | changes


def test_athlete_asks_for_the_profile(strava: Any, reply: Any, client: StravaClient, tokens: Tokens) -> None:
    strava.will(reply(body={"id": 7, "firstname": "Ann", "lastname": None}))

    athlete = client.athlete(7)

    assert (athlete.athlete_id, athlete.firstname, athlete.lastname) == (7, "Ann", "")
    assert strava.received[0].path == "/api/v3/athlete"
    assert strava.received[0].headers["authorization"] == "Bearer first"
    assert tokens.scopes == [(7, "activity:read")]


def test_activity_keeps_the_bytes_as_they_came(strava: Any, reply: Any, client: StravaClient, gate: Gate) -> None:
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


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([], id="none"),
        pytest.param([1], id="one"),
        pytest.param([200], id="exactly full"),
        pytest.param([200, 1], id="full and one"),
        pytest.param([200, 199, 200, 3], id="a short page in between"),
    ],
)
def test_activities_lists_every_activity_until_an_empty_page(
    strava: Any, reply: Any, client: StravaClient, gate: Gate, sizes: list[int]
) -> None:
    ids = iter(range(1, 10_000))
    pages = [[summary(next(ids)) for _ in range(size)] for size in sizes]
    strava.will(*(reply(body=page) for page in [*pages, []]))

    listed = list(client.activities(7, after_epoch_s=0, before_epoch_s=99))

    assert [[activity.activity_id for activity in page] for page in listed] == [
        [entry["id"] for entry in page] for page in pages
    ]
    assert [request.query for request in strava.received] == [
        {"after": "0", "before": "99", "per_page": "200", "page": str(page)} for page in range(1, len(sizes) + 2)
    ]
    assert len(gate.reserved) == len(sizes) + 1


def test_activities_fetches_a_page_only_when_it_is_asked_for(strava: Any, reply: Any, client: StravaClient) -> None:
    strava.will(reply(body=[summary(1)]))

    next(client.activities(7))

    assert [request.query for request in strava.received] == [{"per_page": "200", "page": "1"}]


def test_activities_drops_what_an_earlier_page_had(strava: Any, reply: Any, client: StravaClient) -> None:
    strava.will(reply(body=[summary(2), summary(1)]), reply(body=[summary(1), summary(9)]), reply(body=[]))

    assert [[activity.activity_id for activity in page] for page in client.activities(7)] == [[2, 1], [9]]


def test_activities_stops_when_a_page_only_repeats(strava: Any, reply: Any, client: StravaClient) -> None:
    strava.will(reply(body=[summary(1)]))

    with pytest.raises(UnexpectedShape, match="page 2"):
        list(client.activities(7))
    assert len(strava.received) == 2


BROKEN_ROWS = [
    pytest.param(summary(2, start_date="yesterday"), 2, id="a date that is none"),
    pytest.param(summary(2, athlete=None), 2, id="no athlete"),
    pytest.param({"id": True}, None, id="an id that is none"),
    pytest.param({}, None, id="nothing in it"),
    pytest.param(None, None, id="null"),
    pytest.param("2", None, id="text"),
    pytest.param([2], None, id="a list"),
]


@pytest.mark.parametrize(("row", "activity_id"), BROKEN_ROWS)
def test_activities_reports_a_row_that_cannot_be_read_and_yields_the_others(
    strava: Any, reply: Any, client: StravaClient, row: Any, activity_id: int | None
) -> None:
    strava.will(reply(body=[summary(1), row, summary(3)]), reply(body=[]))
    reported: list[Unreadable] = []

    pages = list(client.activities(7, unreadable=reported.append))
    assert [[activity.activity_id for activity in page] for page in pages] == [[1, 3]]
    assert [(broken.athlete_id, broken.activity_id) for broken in reported] == [(7, activity_id)]
    assert reported[0].reason


def test_activities_goes_on_after_a_page_without_one_readable_row(
    strava: Any, reply: Any, client: StravaClient
) -> None:
    strava.will(reply(body=[summary(1, athlete=None)]), reply(body=[summary(2)]), reply(body=[]))

    pages = list(client.activities(7, unreadable=lambda _: None))

    assert [[activity.activity_id for activity in page] for page in pages] == [[], [2]]


@pytest.mark.parametrize(("row", "activity_id"), BROKEN_ROWS)
def test_activities_refuses_a_row_that_cannot_be_read_where_nobody_wants_to_know(
    strava: Any, reply: Any, client: StravaClient, row: Any, activity_id: int | None
) -> None:
    strava.will(reply(body=[summary(1), row]), reply(body=[]))

    with pytest.raises(UnexpectedShape, match="athlete 7"):
        list(client.activities(7))


def test_activities_reads_the_recorded_pages(
    strava: Any, reply: Any, client: StravaClient, recording: Callable[[str], Any]
) -> None:
    pages = ["all_athlete_activities.01", "all_athlete_activities.02", "all_athlete_activities.39"]
    bodies = [recording(f"dblock-strava-ruby-client/client/{page}.json")["response"]["body"] for page in pages]
    strava.will(*(reply(body=body) for body in bodies))

    assert [len(page) for page in client.activities(7)] == [30, 30]


def test_streams_asks_for_every_key(strava: Any, reply: Any, client: StravaClient, gate: Gate) -> None:
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


def test_create_upload_sends_the_file_and_every_field(
    strava: Any, reply: Any, client: StravaClient, tokens: Tokens, gate: Gate
) -> None:
    strava.will(reply(201, PROCESSING))

    upload = client.create_upload(9, FILE, lambda: None)

    request = strava.received[0]
    assert (upload.upload_id, upload.error, upload.activity_id) == (11, None, None)
    assert (request.method, request.path, request.query) == ("POST", "/api/v3/uploads", {})
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts = {part.get_param("name", header="Content-Disposition"): part for part in parts_of(head + request.body)}
    assert {name: part.get_payload(decode=True) for name, part in parts.items()} == {
        "data_type": b"gpx",
        "external_id": b"sdi-5-9",
        "name": FILE.name.encode(),
        "sport_type": b"TrailRun",
        "description": b"one\ntwo",
        "commute": b"1",
        "file": FILE.content,
    }
    assert parts["file"].get_filename() == "sdi-5-9.gpx"
    assert tokens.scopes == [(9, "activity:write")]
    assert gate.reserved == [(Bucket.UPLOAD, Priority.LIVE)]


def parts_of(body: bytes) -> list[Any]:
    message = message_from_bytes(body)
    assert message.is_multipart()
    return list(message.get_payload())


@pytest.mark.parametrize(
    ("body", "error", "upload_id"),
    [
        pytest.param(
            {"id": 11, "error": "a.gpx duplicate of <a href='/activities/18' target='_blank'>Cycle</a>"},
            "a.gpx duplicate of <a href='/activities/18' target='_blank'>Cycle</a>",
            11,
            id="html",
        ),
        pytest.param(
            {"error": "a.gpx duplicate of &lt;a href=&#39;&#x2F;activities/18&#39;&gt;"},
            "a.gpx duplicate of <a href='/activities/18'>",
            0,
            id="escaped, without id",
        ),
    ],
)
def test_create_upload_gives_stravas_reason_when_the_file_is_refused(
    strava: Any, reply: Any, client: StravaClient, body: dict[str, Any], error: str, upload_id: int
) -> None:
    strava.will(reply(400, body))

    upload = client.create_upload(9, FILE, lambda: None)

    assert (upload.error, upload.upload_id, upload.activity_id) == (error, upload_id, None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param({"status": 400, "body": b"random"}, NotTheApi, id="400 that is no JSON"),
        pytest.param({"status": 404, "body": {"message": "Record Not Found", "errors": []}}, NotTheApi, id="404"),
        pytest.param({"status": 403, "body": b"<html>blocked</html>"}, NotTheApi, id="403 of a firewall"),
        pytest.param({"status": 400, "body": {"message": "Bad Request", "errors": []}}, BadRequest, id="400 plain"),
        pytest.param({"status": 201, "body": b"{"}, OutcomeUnknown, id="unreadable 201"),
        pytest.param({"status": 201, "body": b""}, OutcomeUnknown, id="empty 201"),
        pytest.param({"status": 201, "body": {"id": "5"}}, OutcomeUnknown, id="201 of another shape"),
        pytest.param({"status": 201, "body": {"id": 5, "error": [1]}}, OutcomeUnknown, id="201 with an odd error"),
        pytest.param({"status": 520, "body": b"<html>"}, OutcomeUnknown, id="520"),
        pytest.param({"breaks": "dropped"}, OutcomeUnknown, id="dropped"),
        pytest.param({"status": 500}, OutcomeUnknown, id="500"),
    ],
)
def test_create_upload_is_sent_once_when_it_fails(
    strava: Any, reply: Any, client: StravaClient, answer: dict[str, Any], expected: type[Exception]
) -> None:
    strava.will(reply(**answer))

    with pytest.raises(expected):
        client.create_upload(9, FILE, lambda: None)
    assert len(strava.received) == 1


def test_create_upload_names_the_scope_when_write_was_not_granted(
    strava: Any, reply: Any, client: StravaClient, tokens: Tokens
) -> None:
    missing = [{"resource": "AccessToken", "field": "write_permission", "code": "missing"}]
    strava.will(reply(401, {"message": "Authorization Error", "errors": missing}))

    with pytest.raises(ScopeMissing) as caught:
        client.create_upload(9, FILE, lambda: None)
    assert caught.value.scope == "activity:write"
    assert tokens.rejected == []


def test_upload_polls_as_a_read(strava: Any, reply: Any, client: StravaClient, tokens: Tokens, gate: Gate) -> None:
    ready = {"id": 11, "status": "Your activity is ready.", "error": None, "activity_id": 12, "external_id": "a.gpx"}
    strava.will(reply(body=ready))

    upload = client.upload(9, 11)

    assert (upload.activity_id, upload.external_id) == (12, "a.gpx")
    assert strava.received[0].path == "/api/v3/uploads/11"
    assert tokens.scopes == [(9, "activity:write")]
    assert gate.reserved == [(Bucket.READ, Priority.LIVE)]


def test_call_is_repeated_with_a_fresh_token_when_the_first_is_refused(
    strava: Any, reply: Any, client: StravaClient, tokens: Tokens, gate: Gate
) -> None:
    strava.will(reply(401, UNAUTHORISED), reply(body={"id": 7}))

    assert client.athlete(7).athlete_id == 7
    assert tokens.rejected == [(7, "first")]
    assert [request.headers["authorization"] for request in strava.received] == ["Bearer first", "Bearer second"]
    assert len(gate.reserved) == len(gate.observed) == 2


def test_upload_is_sent_again_whole_when_the_first_token_is_refused(
    strava: Any, reply: Any, client: StravaClient
) -> None:
    strava.will(reply(401, UNAUTHORISED), reply(201, PROCESSING))

    client.create_upload(9, FILE, lambda: None)

    assert [FILE.content in request.body for request in strava.received] == [True, True]


def test_call_raises_token_refused_when_the_fresh_token_is_refused_too(
    strava: Any, reply: Any, client: StravaClient, tokens: Tokens
) -> None:
    strava.will(reply(401, UNAUTHORISED))

    with pytest.raises(TokenRefused):
        client.athlete(7)
    assert len(strava.received) == 2
    assert tokens.rejected == [(7, "first")]


def test_call_is_not_repeated_when_the_renewal_gives_the_same_token(
    strava: Any, reply: Any, client: StravaClient, tokens: Tokens
) -> None:
    tokens.tokens = ["same", "same"]
    strava.will(reply(401, UNAUTHORISED))

    with pytest.raises(TokenRefused):
        client.athlete(7)
    assert len(strava.received) == 1


def test_call_raises_what_the_renewal_raises(strava: Any, reply: Any, client: StravaClient, tokens: Tokens) -> None:
    tokens.tokens = ["only"]
    strava.will(reply(401, UNAUTHORISED))

    with pytest.raises(NotConnected):
        client.athlete(7)


def test_call_is_not_made_when_the_budget_is_spent(strava: Any, reply: Any, client: StravaClient, gate: Gate) -> None:
    gate.room = 0
    strava.will(reply())

    with pytest.raises(QuotaSpent):
        client.athlete(7)
    assert strava.received == []


def test_every_attempt_is_counted_when_strava_fails(
    strava: Any, reply: Any, client: StravaClient, gate: Gate, pauses: list[float]
) -> None:
    strava.will(reply(500))

    with pytest.raises(StravaUnavailable):
        client.athlete(7)
    assert (len(gate.reserved), len(gate.observed), len(pauses)) == (2, 2, 1)


def test_headers_are_observed_when_strava_says_too_many(
    strava: Any, reply: Any, client: StravaClient, gate: Gate
) -> None:
    headers = {"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "201,2000"}
    strava.will(reply(429, {"errors": "Rate Limit Exceeded"}, headers))

    with pytest.raises(QuotaSpent) as caught:
        client.athlete(7)
    assert caught.value.until_epoch_s == 1_700_006_400.0
    assert gate.observed[0]["X-RateLimit-Usage"] == "201,2000"
