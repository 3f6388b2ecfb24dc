"""The web edge on an AWS that takes connections and never answers, or that answers late: real clients of boto3."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from flask.testing import FlaskClient

from include import deadline
from include.aws import ANSWER, WORK, open_client
from include.clock import Clock
from include.crypto.backend import open_cipher
from include.deadline import ending_at, without_deadline
from include.errors import RetryLater
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.application.subscriptions import Subscriptions
from include.store.backend import open_store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId, Subscription
from webhook_api.app import PAGE_S, WEBHOOK_S, create_app
from webhook_api.edge import EXTENSION, Edge, wait_in_time

pytestmark = pytest.mark.network

OWNER_ID = 134815
EVENT = {
    "aspect_type": "create",
    "event_time": 1_516_126_040,
    "object_id": 5,
    "object_type": "activity",
    "owner_id": OWNER_ID,
    "subscription_id": 1,
    "updates": {},
}


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A server that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def settings(dynamodb_url: str, sqs_url: str, kms_url: str, clock: Clock) -> Settings:
    """The leaves of AWS, with one athlete connected."""
    store = open_store(dynamodb_url, clock)
    Subscriptions(store).save(Subscription(1, ""))
    grant = TokenGrant("a", "r", 1_760_021_600, Athlete(AthleteId(OWNER_ID), "Ada", "Byron"))
    Athletes(store, open_cipher(kms_url), clock).connect(grant, frozenset({"activity:read"}))
    store.close()
    given = {name: value for name, value in EXAMPLES.items() if name != "WEBHOOK_SIGNING_KEY"}
    return replace(Settings.from_environ(given), state_url=dynamodb_url, queue_url=sqs_url, key_url=kms_url)


@pytest.fixture
def browser(settings: Settings, clock: Clock) -> FlaskClient:
    return create_app(settings, clock).test_client()


def post(browser: FlaskClient, settings: Settings) -> tuple[int, float]:
    """The status of the answer to an event, and the seconds that it took."""
    began_s = time.monotonic()
    answer = browser.post(f"/webhook/{settings.webhook_path_secrets[0]}", data=json.dumps(EVENT))
    return answer.status_code, time.monotonic() - began_s


@pytest.mark.parametrize("service", ["DYNAMODB", "SQS"])
def test_warm_webhook_answers_503_within_two_seconds_when_a_service_is_silent(
    browser: FlaskClient, settings: Settings, silent_url: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = create_app(settings).test_client()
    assert post(other, settings)[0] == 200  # boto3 has read its models
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", silent_url)

    status, took_s = post(browser, settings)

    assert status == 503
    assert took_s < 2


def test_page_answers_503_within_eight_seconds_when_all_of_aws_is_silent(
    browser: FlaskClient, silent_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent_url)
    began_s = time.monotonic()

    answer = browser.get("/health")  # asks DynamoDB, then SQS, whatever became of the first

    assert (answer.status_code, answer.get_json()) == (503, {"status": "failing"})
    for name in ("store", "queue"):
        assert f"the {name} cannot be reached (RetryLater)" in caplog.text
    assert time.monotonic() - began_s < 8


@dataclass
class SlowAws:
    """Answers, or fails, after `takes_s` on a clock of its own, by which botocore waits too."""

    takes_s: float
    answers: bool
    now_s: float = 1000.0
    sent: int = 0
    waits_s: list[float] = field(default_factory=list)

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        self.sent += 1
        self.now_s += self.takes_s
        if not self.answers:
            raise ReadTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: iter([b"{}"])))

    def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        self.now_s += seconds


@pytest.fixture
def slow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[SlowAws]:
    slow = SlowAws(*request.param)
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: slow.now_s))
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=slow.sleep))
    session = boto3.DEFAULT_SESSION
    assert session is not None
    session.events.register("before-send", slow)
    yield slow
    session.events.unregister("before-send", slow)


SPEEDS = [
    pytest.param((takes_s, answers), id=f"{takes_s} s, {'answered' if answers else 'then nothing'}")
    for takes_s in (0.01, 0.3, 0.69, ANSWER.attempt_s)
    for answers in (True, False)
]


@pytest.mark.parametrize("longest_s", [WEBHOOK_S, PAGE_S])
@pytest.mark.parametrize("slow", SPEEDS, indirect=True)
def test_calls_end_by_the_deadline_whatever_aws_does(slow: SlowAws, longest_s: float) -> None:
    client = open_client("dynamodb", "STATE_URL", ANSWER)
    began_s = slow.now_s
    with ending_at(began_s + longest_s), suppress(RetryLater):
        for _ in range(1000):
            with suppress(ReadTimeoutError):
                client.list_tables()

    assert 0 < slow.sent < 1000
    assert slow.now_s - began_s <= longest_s


@pytest.mark.parametrize("slow", [pytest.param((0.5, True), id="slow")], indirect=True)
def test_call_is_made_after_the_deadline_when_it_is_worth_more(slow: SlowAws) -> None:
    client = open_client("dynamodb", "STATE_URL", ANSWER)
    with ending_at(slow.now_s - 1), without_deadline():
        client.list_tables()

    assert slow.sent == 1


@pytest.mark.parametrize("slow", [pytest.param((0.01, False), id="fails fast")], indirect=True)
def test_call_that_fails_fast_is_sent_again_within_the_webhooks_time(slow: SlowAws) -> None:
    client = open_client("dynamodb", "STATE_URL", ANSWER)

    with ending_at(slow.now_s + WEBHOOK_S), pytest.raises(ReadTimeoutError):
        client.list_tables()

    assert slow.sent == ANSWER.attempts
    assert max(slow.waits_s) < 0.5


@pytest.mark.parametrize("slow", [pytest.param((0.01, False), id="fails fast")], indirect=True)
def test_waits_are_botocores_own_without_a_deadline(slow: SlowAws) -> None:
    client = open_client("dynamodb", "STATE_URL")

    with pytest.raises(ReadTimeoutError):
        client.list_tables()

    assert slow.sent == WORK.attempts


def test_every_leaf_of_the_web_edge_waits_for_aws_only_as_long_as_an_answer_may(settings: Settings) -> None:
    edge: Edge = create_app(settings).extensions[EXTENSION]

    for leaf in (edge.store(), edge.queue(), edge.cipher()):
        config = leaf._client.meta.config  # type: ignore[union-attr]
        assert (config.connect_timeout, config.read_timeout) == (ANSWER.connect_s, ANSWER.read_s)


def test_page_waits_for_another_process_only_within_its_deadline() -> None:
    with ending_at(time.monotonic() + 0.05), pytest.raises(RetryLater):
        wait_in_time(0.1)
    with without_deadline():
        wait_in_time(0.001)
