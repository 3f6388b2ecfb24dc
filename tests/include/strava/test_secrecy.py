"""No token, secret or code comes out of this package in an error, a log line, a repr or a URL."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from include.errors import IngestError
from include.strava.client import Bucket, Priority, StravaClient
from include.strava.http.session import StravaSession
from include.strava.models import UploadFile
from include.strava.oauth import OAuthClient
from include.strava.subscriptions import PushSubscriptions

pytestmark = pytest.mark.network

ACCESS = "acce5500acce5500acce5500acce5500acce5500"
REFRESH = "4ef4e5004ef4e5004ef4e5004ef4e5004ef4e500"
CODE = "c0dec0dec0dec0dec0dec0dec0dec0dec0dec0de"
SECRET = "5ec4e7005ec4e7005ec4e7005ec4e7005ec4e700"
VERIFY = "7e41f9007e41f9007e41f9007e41f9007e41f900"
CALLBACK = "https://example.org/webhook/hush-hush"
SECRETS = (ACCESS, REFRESH, CODE, SECRET, VERIFY, "hush-hush", "Private Title")
UPLOAD = UploadFile("sdi-5-9", "gpx", b"<gpx/>", "Private Title", "Run")
ECHO = {
    "message": f"{ACCESS} {REFRESH}",
    "error": SECRET,
    "errors": [{"resource": CODE, "field": VERIFY, "code": ACCESS}],
    "access_token": ACCESS,
    "refresh_token": REFRESH,
    "name": "Private Title",
}


class Tokens:
    def access_token(self, athlete_id: int, *, scope: str) -> str:
        return ACCESS

    def reject(self, athlete_id: int, access_token: str) -> None:
        pass


class Gate:
    def reserve(self, bucket: Bucket, priority: Priority) -> None:
        pass

    def observe(self, headers: Mapping[str, str]) -> None:
        pass


def calls(session: StravaSession, api_url: str) -> dict[str, Callable[[], object]]:
    client = StravaClient(session, api_url, Tokens(), Gate(), Priority.LIVE)
    oauth = OAuthClient(session, api_url, "12345", SECRET)
    subscriptions = PushSubscriptions(session, api_url, "12345", SECRET)
    return {
        "athlete": lambda: client.athlete(7),
        "activity": lambda: client.activity(7, 5),
        "activities": lambda: list(client.activities(7)),
        "streams": lambda: client.streams(7, 5),
        "create_upload": lambda: client.create_upload(7, UPLOAD, lambda: None),
        "upload": lambda: client.upload(7, 11),
        "exchange": lambda: oauth.exchange(CODE),
        "refresh": lambda: oauth.refresh(7, REFRESH),
        "revoke": lambda: oauth.revoke(7, REFRESH),
        "create": lambda: subscriptions.create(CALLBACK, VERIFY),
        "current": subscriptions.current,
        "delete": lambda: subscriptions.delete(5),
    }


def everything_said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """The traceback with its whole chain, shown or suppressed, and every log record with its arguments."""
    said = []
    chain: BaseException | None = error
    while chain is not None:
        said += [str(chain), repr(chain), repr(chain.args), *traceback.format_exception(chain)]
        chain = chain.__cause__ or chain.__context__
    return "\n".join([*said, caplog.text, *(repr(record.args) for record in caplog.records)])


FAULTS = {
    **{str(status): {"status": status, "body": ECHO} for status in (302, 400, 401, 403, 404, 418, 429, 500, 503)},
    "unreadable": {"status": 200, "body": json.dumps(ECHO).encode()[:-1]},
    "wrong shape": {"status": 200, "body": ECHO | {"id": ACCESS, "expires_at": SECRET}},
    "dropped": {"breaks": "dropped"},
    "truncated": {"breaks": "truncated", "body": ECHO},
}
CALLS = (
    *("athlete", "activity", "activities", "streams", "create_upload", "upload"),
    *("exchange", "refresh", "revoke", "create", "current", "delete"),
)


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in FAULTS.items()])
@pytest.mark.parametrize("name", CALLS)
def test_nothing_secret_is_said_when_a_call_fails(
    strava: Any,
    reply: Any,
    session: StravaSession,
    caplog: pytest.LogCaptureFixture,
    name: str,
    fault: Mapping[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    strava.will(reply(**fault))

    try:
        answer = calls(session, strava.url)[name]()
    except IngestError as error:
        said = everything_said(error, caplog)
    else:
        said = everything_said(Exception(), caplog) + (repr(answer) if name != "create_upload" else "")

    assert [secret for secret in SECRETS if secret in said] == []


@pytest.mark.parametrize("name", CALLS)
def test_nothing_secret_is_said_when_nobody_listens(
    closed_url: str, session: StravaSession, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(IngestError) as caught:
        calls(session, closed_url)[name]()

    assert [secret for secret in SECRETS if secret in everything_said(caught.value, caplog)] == []
