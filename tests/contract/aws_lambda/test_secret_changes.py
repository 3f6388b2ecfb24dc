"""A secret that changes while the web edge's Lambda runs: what is new is accepted, what is old no longer."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from types import SimpleNamespace

import boto3
import pytest

from include.clock import Clock
from include.crypto.backend import open_cipher
from include.secret import CACHED_S, CachedSettings
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.store.backend import open_store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from ops.package.http_event import http_event
from webhook_api.app import create_app
from webhook_api.aws_lambda import http as lambda_http
from webhook_api.aws_lambda.logs import JsonFormatter
from webhook_api.session import begin_session

pytestmark = pytest.mark.network

SECRETS = ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "WEBHOOK_VERIFY_TOKEN", "COOKIE_KEY")
ATHLETE_ID = 134815
OLD_TOKEN = "old-token"


@dataclass
class Edge:
    """The handler in this process, its secret, and the cookie of an athlete who has signed in."""

    secret_id: str
    cookie: str
    pass_time: Callable[[float], None]

    def change(self, **values: str) -> None:
        """Replace values of the secret; the handler keeps the one before for `CACHED_S`."""
        client = boto3.client("secretsmanager")
        stored = json.loads(client.get_secret_value(SecretId=self.secret_id)["SecretString"])
        stored["extra"] |= values
        client.put_secret_value(SecretId=self.secret_id, SecretString=json.dumps(stored))

    def status(self, path: str, *cookies: str, **query: str) -> int:
        context = SimpleNamespace(aws_request_id="1")
        return int(lambda_http.handler(http_event("GET", path, query=query, cookies=cookies), context)["statusCode"])

    def shakes_hands(self, path_secret: str, token: str = OLD_TOKEN) -> bool:
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "c"}
        return self.status(f"/webhook/{path_secret}", **query) == 200

    def is_signed_in(self) -> bool:
        return self.status("/me", self.cookie) == 200


def cookie_of(settings: Settings, clock: Clock) -> str:
    """The cookie of a session that these settings sign."""
    app = create_app(settings, clock)
    with app.test_request_context("/"):
        athlete = Athletes(open_store(settings.state_url, clock), open_cipher(settings.key_url), clock).get(ATHLETE_ID)
        begin_session(athlete)
        set_cookie = app.process_response(app.response_class()).headers["Set-Cookie"]
    return "; ".join(f"{morsel.key}={morsel.value}" for morsel in SimpleCookie(set_cookie).values())


@pytest.fixture
def edge(
    dynamodb_url: str,
    sqs_url: str,
    kms_url: str,
    clock: Clock,
    pass_time: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Edge:
    secret_id = f"airflow/connections/{uuid.uuid4().hex}"
    extra = {
        **{name: EXAMPLES[name] for name in SECRETS},
        "WEBHOOK_PATH_SECRET": "old",
        "WEBHOOK_VERIFY_TOKEN": OLD_TOKEN,
    }
    extra["COOKIE_KEY"] = "old-key"
    boto3.client("secretsmanager").create_secret(
        Name=secret_id, SecretString=json.dumps({"conn_type": "generic", "extra": extra})
    )
    plain = {name: value for name, value in EXAMPLES.items() if name not in {*SECRETS, "WEBHOOK_SIGNING_KEY"}}
    places = {"STATE_URL": dynamodb_url, "QUEUE_URL": sqs_url, "KEY_URL": kms_url}
    kept = CachedSettings({**plain, **places, "SECRET_ID": secret_id}, clock)
    grant = TokenGrant("a", "r", 1_760_021_600, Athlete(AthleteId(ATHLETE_ID), "Ada", "Byron"))
    Athletes(open_store(dynamodb_url, clock), open_cipher(kms_url), clock).connect(grant, frozenset({"activity:read"}))
    monkeypatch.setattr(lambda_http, "_logs", lambda: JsonFormatter("test"))
    monkeypatch.setattr(lambda_http, "_kept", lambda: kept)
    monkeypatch.setattr(lambda_http, "create_app", lambda settings: create_app(settings, clock))
    lambda_http._answering.cache_clear()
    return Edge(secret_id, cookie_of(kept.current(), clock), pass_time)


def test_old_path_and_cookies_are_refused_five_minutes_after_the_secret_changed(edge: Edge) -> None:
    edge.change(WEBHOOK_PATH_SECRET="new", COOKIE_KEY="new-key")
    assert (edge.shakes_hands("old"), edge.shakes_hands("new"), edge.is_signed_in()) == (True, False, True)

    edge.pass_time(CACHED_S)

    assert (edge.shakes_hands("old"), edge.shakes_hands("new"), edge.is_signed_in()) == (False, True, False)


def test_old_path_and_cookies_are_accepted_while_they_stand_behind_the_new_ones(edge: Edge) -> None:
    edge.change(WEBHOOK_PATH_SECRET="new old", COOKIE_KEY="new-key old-key")
    edge.pass_time(CACHED_S)
    assert (edge.shakes_hands("old"), edge.shakes_hands("new"), edge.is_signed_in()) == (True, True, True)

    edge.change(WEBHOOK_PATH_SECRET="new", COOKIE_KEY="new-key")
    edge.pass_time(CACHED_S)

    assert (edge.shakes_hands("old"), edge.shakes_hands("new"), edge.is_signed_in()) == (False, True, False)


def test_verify_token_is_the_new_one_after_five_minutes(edge: Edge) -> None:
    edge.change(WEBHOOK_VERIFY_TOKEN="new-token")
    edge.pass_time(CACHED_S)

    assert not edge.shakes_hands("old")
    assert edge.shakes_hands("old", "new-token")


def test_webhook_answers_in_time_with_the_old_secret_when_secrets_manager_is_silent(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edge.shakes_hands("old")
    edge.pass_time(CACHED_S)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began_s = time.monotonic()
        assert edge.shakes_hands("old")

    assert time.monotonic() - began_s < 2
