from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from include.errors import (
    ApplicationInactive,
    BadRequest,
    CapacityReached,
    IngestError,
    QuotaSpent,
    TokenEndpointFault,
    TokenRefused,
)
from include.strava.http.session import StravaSession
from include.strava.oauth import OAuthClient, RevokeBy
from include.strava.scopes import ACTIVITY_READ, ACTIVITY_WRITE, READ, parse_scopes

SECRET = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
ACCESS = "feed0000face0000feed0000face0000feed0000"
REFRESH = "dead0000beef0000dead0000beef0000dead0000"
GRANTED = {
    "token_type": "Bearer",
    "access_token": "a" * 40,
    "refresh_token": "b" * 40,
    "expires_at": 1_700_021_600,
    "athlete": {"id": 7, "firstname": "Ann", "lastname": "Bee"},
}


@pytest.fixture
def oauth(strava: Any, session: StravaSession) -> OAuthClient:
    return OAuthClient(session, strava.url.replace("/api/v3", "/oauth"), "12345", SECRET)


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        pytest.param("", set(), id="empty"),
        pytest.param("read", {"read"}, id="one"),
        pytest.param("read,activity:read_all", {"read", "activity:read_all"}, id="commas"),
        pytest.param(" read activity:write ", {"read", "activity:write"}, id="spaces"),
        pytest.param("read,,read, activity:read", {"read", "activity:read"}, id="untidy"),
    ],
)
def test_parse_scopes_reads_what_was_granted(text: str, scopes: set[str]) -> None:
    assert parse_scopes(text) == scopes


@pytest.mark.parametrize(("force", "prompt"), [(False, "auto"), (True, "force")])
@pytest.mark.network
def test_authorize_url_names_everything_but_the_secret(oauth: OAuthClient, force: bool, prompt: str) -> None:
    url = oauth.authorize_url(
        redirect_uri="https://example.org/callback?a=b&c=d",
        scopes=[READ, ACTIVITY_READ, ACTIVITY_WRITE],
        state="s&t=1",
        force=force,
    )

    assert urlsplit(url).path == "/oauth/authorize"
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["12345"],
        "redirect_uri": ["https://example.org/callback?a=b&c=d"],
        "response_type": ["code"],
        "approval_prompt": [prompt],
        "scope": ["read,activity:read,activity:write"],
        "state": ["s&t=1"],
    }
    assert SECRET not in url


@pytest.mark.network
def test_exchange_gives_the_pair_and_the_athlete(strava: Any, reply: Any, oauth: OAuthClient) -> None:
    strava.will(reply(body=GRANTED))

    grant = oauth.exchange("the-code")

    assert (grant.access_token, grant.refresh_token, grant.expires_at_epoch_s) == ("a" * 40, "b" * 40, 1_700_021_600)
    assert grant.athlete is not None
    assert grant.athlete.athlete_id == 7
    request = strava.received[0]
    assert (request.method, request.path, request.query) == ("POST", "/oauth/token", {})
    assert request.form == {
        "client_id": "12345",
        "client_secret": SECRET,
        "grant_type": "authorization_code",
        "code": "the-code",
    }


@pytest.mark.network
def test_refresh_gives_the_pair_without_an_athlete(strava: Any, reply: Any, oauth: OAuthClient) -> None:
    strava.will(reply(body={name: value for name, value in GRANTED.items() if name != "athlete"}))

    grant = oauth.refresh(7, REFRESH)

    assert grant.athlete is None
    assert strava.received[0].form == {
        "client_id": "12345",
        "client_secret": SECRET,
        "grant_type": "refresh_token",
        "refresh_token": REFRESH,
    }


@pytest.mark.network
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("dblock-strava-ruby-client/oauth/token_refresh_token.json", id="ruby"),
        pytest.param("dblock-strava-ruby-client/oauth/token_authorization_code.json", id="ruby code"),
        pytest.param("loginov-rocks-Strava-Export/stravaApiTokenResponse.json", id="export code"),
        pytest.param("loginov-rocks-Strava-Export/stravaApiRefreshTokenResponse.json", id="export refresh"),
    ],
)
def test_refresh_reads_the_recording(
    strava: Any, reply: Any, oauth: OAuthClient, recording: Callable[[str], Any], path: str
) -> None:
    answer = recording(path)
    body = answer["response"]["body"] if "response" in answer else answer
    strava.will(reply(body=body))

    assert oauth.refresh(7, REFRESH).access_token == body["access_token"]


def refused(message: str, resource: str, field: str, code: str) -> dict[str, Any]:
    return {"message": message, "errors": [{"resource": resource, "field": field, "code": code}]}


@pytest.mark.network
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            {"status": 400, "body": refused("Bad Request", "RefreshToken", "refresh_token", "invalid")},
            TokenRefused,
            id="refresh token void",
        ),
        pytest.param(
            {"status": 401, "body": refused("Authorization Error", "Application", "", "invalid")},
            TokenEndpointFault,
            id="wrong secret",
        ),
        pytest.param(
            {"status": 403, "body": refused("Forbidden", "Application", "Status", "Inactive")},
            ApplicationInactive,
            id="inactive",
        ),
        pytest.param(
            {"status": 403, "body": {"message": "Limit of connected athletes exceeded"}},
            CapacityReached,
            id="capacity",
        ),
        pytest.param({"status": 503}, TokenEndpointFault, id="503"),
        pytest.param({"status": 502}, TokenEndpointFault, id="502"),
        pytest.param(
            {"status": 404, "body": {"message": "Record Not Found", "errors": []}}, TokenEndpointFault, id="404"
        ),
        pytest.param({"status": 404, "body": b"<html>"}, TokenEndpointFault, id="404 of a proxy"),
        pytest.param({"status": 410}, TokenEndpointFault, id="410"),
        pytest.param({"status": 400, "body": b"<html>"}, TokenEndpointFault, id="400 of a proxy"),
        pytest.param({"status": 401, "body": b"<html>"}, TokenEndpointFault, id="401 of a proxy"),
        pytest.param(
            {"status": 401, "body": refused("Authorization Error", "Athlete", "access_token", "invalid")},
            TokenEndpointFault,
            id="401 about an access token",
        ),
        pytest.param({"body": b"<html>"}, TokenEndpointFault, id="page"),
        pytest.param({"status": 429}, QuotaSpent, id="429"),
        pytest.param({"breaks": "dropped"}, TokenEndpointFault, id="dropped"),
        pytest.param({"breaks": "truncated", "body": b'{"access_token": "a'}, TokenEndpointFault, id="truncated"),
        pytest.param({"body": b'{"access_token": "a'}, TokenEndpointFault, id="unreadable"),
        pytest.param({"body": {"access_token": "a" * 40}}, TokenEndpointFault, id="half a pair"),
        pytest.param({"status": 302, "headers": {"Location": "/login"}}, TokenEndpointFault, id="redirect"),
    ],
)
def test_refresh_raises_what_the_answer_stands_for_and_is_sent_once(
    strava: Any, reply: Any, oauth: OAuthClient, answer: dict[str, Any], expected: type[IngestError]
) -> None:
    strava.will(reply(**answer))

    with pytest.raises(IngestError) as caught:
        oauth.refresh(7, REFRESH)
    assert type(caught.value) is expected
    assert "athlete 7" in str(caught.value)
    assert "the application" not in str(caught.value).partition(":")[0]
    assert len(strava.received) == 1


@pytest.mark.network
def test_exchange_says_bad_request_when_the_code_is_used(strava: Any, reply: Any, oauth: OAuthClient) -> None:
    strava.will(reply(400, refused("Bad Request", "AuthorizationCode", "code", "invalid")))

    with pytest.raises(BadRequest, match="for the athlete who came back from Strava: the authorization code"):
        oauth.exchange("used")


@pytest.mark.network
def test_exchange_takes_no_grant_without_an_access_token(strava: Any, reply: Any, oauth: OAuthClient) -> None:
    strava.will(reply(body=GRANTED | {"access_token": ""}))

    with pytest.raises(TokenEndpointFault, match="no access token at /oauth/token"):
        oauth.exchange("the-code")


@pytest.mark.network
def test_revoke_authenticates_the_application(strava: Any, reply: Any, oauth: OAuthClient) -> None:
    strava.will(reply(200, b""))

    oauth.revoke(7, ACCESS)

    request = strava.received[0]
    assert (request.method, request.path, request.query) == ("POST", "/oauth/revoke", {})
    assert request.form == {"token": ACCESS}
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == f"12345:{SECRET}"


@pytest.mark.network
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            {"status": 401, "body": {"message": "Authorization Error", "errors": []}}, TokenEndpointFault, id="401"
        ),
        pytest.param({"status": 503}, TokenEndpointFault, id="503"),
        pytest.param({"status": 404, "body": {}}, TokenEndpointFault, id="404"),
        pytest.param({"breaks": "dropped"}, TokenEndpointFault, id="dropped"),
    ],
)
def test_revoke_raises_what_the_answer_stands_for(
    strava: Any, reply: Any, oauth: OAuthClient, answer: dict[str, Any], expected: type[IngestError]
) -> None:
    strava.will(reply(**answer))

    with pytest.raises(expected, match="for athlete 7"):
        oauth.revoke(7, ACCESS)


@pytest.fixture
def legacy(strava: Any, session: StravaSession) -> OAuthClient:
    return OAuthClient(session, strava.url.replace("/api/v3", "/oauth"), "12345", SECRET, RevokeBy.LEGACY)


@pytest.mark.network
def test_legacy_revoke_authenticates_the_athlete(strava: Any, reply: Any, legacy: OAuthClient) -> None:
    strava.will(reply(200, {"access_token": ACCESS}))

    legacy.revoke(7, ACCESS)

    request = strava.received[0]
    assert (request.method, request.path, request.query, request.body) == ("POST", "/oauth/deauthorize", {}, b"")
    assert request.headers["authorization"] == f"Bearer {ACCESS}"


@pytest.mark.network
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            {"status": 401, "body": refused("Authorization Error", "Athlete", "access_token", "invalid")},
            TokenRefused,
            id="token unknown",
        ),
        pytest.param(
            {"status": 401, "body": refused("Authorization Error", "Application", "", "invalid")},
            TokenRefused,
            id="token unknown as in 2020",
        ),
        pytest.param(
            {"status": 403, "body": refused("Forbidden", "Application", "Status", "Inactive")},
            ApplicationInactive,
            id="inactive",
        ),
        pytest.param({"status": 429}, QuotaSpent, id="quota"),
        pytest.param({"status": 503}, TokenEndpointFault, id="503"),
    ],
)
def test_legacy_revoke_raises_what_the_answer_stands_for(
    strava: Any, reply: Any, legacy: OAuthClient, answer: dict[str, Any], expected: type[IngestError]
) -> None:
    strava.will(reply(**answer))

    with pytest.raises(IngestError) as caught:
        legacy.revoke(7, ACCESS)
    assert type(caught.value) is expected
    assert ACCESS not in str(caught.value)
