"""What the client uploads, and how it follows an upload."""

from __future__ import annotations

from email import message_from_bytes
from typing import Any

import pytest

from include.errors import (
    BadRequest,
    NotTheApi,
    OutcomeUnknown,
    ScopeMissing,
)
from include.strava.client import Bucket, Priority, StravaClient
from include.strava.models import UploadFile

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


def test_create_upload_sends_the_file_and_every_field(
    strava: Any, reply: Any, client: StravaClient, tokens: Any, gate: Any
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
    strava: Any, reply: Any, client: StravaClient, tokens: Any
) -> None:
    missing = [{"resource": "AccessToken", "field": "write_permission", "code": "missing"}]
    strava.will(reply(401, {"message": "Authorization Error", "errors": missing}))

    with pytest.raises(ScopeMissing) as caught:
        client.create_upload(9, FILE, lambda: None)
    assert caught.value.scope == "activity:write"
    assert tokens.rejected == []


def test_upload_polls_as_a_read(strava: Any, reply: Any, client: StravaClient, tokens: Any, gate: Any) -> None:
    ready = {"id": 11, "status": "Your activity is ready.", "error": None, "activity_id": 12, "external_id": "a.gpx"}
    strava.will(reply(body=ready))

    upload = client.upload(9, 11)

    assert (upload.activity_id, upload.external_id) == (12, "a.gpx")
    assert strava.received[0].path == "/api/v3/uploads/11"
    assert tokens.scopes == [(9, "activity:write")]
    assert gate.reserved == [(Bucket.READ, Priority.LIVE)]


def test_upload_is_sent_again_whole_when_the_first_token_is_refused(
    strava: Any, reply: Any, client: StravaClient
) -> None:
    strava.will(reply(401, UNAUTHORISED), reply(201, PROCESSING))

    client.create_upload(9, FILE, lambda: None)

    assert [FILE.content in request.body for request in strava.received] == [True, True]
