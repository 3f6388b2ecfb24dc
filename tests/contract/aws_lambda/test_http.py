"""The web edge on Lambda: the real runtime, AWS's leaves, its secrets in Secrets Manager."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from include.crypto.backend import open_cipher
from include.queue.content import Content
from include.queue.content import parse as parse_content
from include.state.accounts.athletes import Athletes
from include.state.application.subscriptions import Subscriptions
from include.store.backend import open_store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId, Subscription
from local.aws.lambda_runtime import LambdaFailed, LambdaProcess, lambda_process
from ops.package.http_event import http_event

pytestmark = pytest.mark.network

SECRETS = {
    "STRAVA_CLIENT_ID": "4711",
    "STRAVA_CLIENT_SECRET": "client-secret-that-nobody-may-see",
    "WEBHOOK_PATH_SECRET": "path-secret-that-nobody-may-see",
    "WEBHOOK_VERIFY_TOKEN": "verify-token-that-nobody-may-see",
    "COOKIE_KEY": "cookie-key-that-nobody-may-see",
}
WEBHOOK = f"/webhook/{SECRETS['WEBHOOK_PATH_SECRET']}"
HANDSHAKE = {"hub.mode": "subscribe", "hub.verify_token": SECRETS["WEBHOOK_VERIFY_TOKEN"], "hub.challenge": "15f7"}
ATHLETE_ID = 134815
SUBSCRIPTION_ID = 120475
HANDLER = "webhook_api.aws_lambda.http.handler"


@dataclass
class Edge:
    """A running Lambda, its environment, and the queue that it fills."""

    process: LambdaProcess
    environment: Mapping[str, str]
    sqs: Any

    def queued(self) -> list[Content]:
        url = self.environment["QUEUE_URL"]
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [parse_content(message["Body"]) for message in messages]


def event(**changes: Any) -> bytes:
    plain = {
        "aspect_type": "update",
        "event_time": 1_516_126_040,
        "object_id": 1_360_128_428,
        "object_type": "activity",
        "owner_id": ATHLETE_ID,
        "subscription_id": SUBSCRIPTION_ID,
        "updates": {"title": "Messy"},
    }
    return json.dumps({**plain, **changes}).encode()


@pytest.fixture(scope="module")
def environment(
    aws_environment: dict[str, str], aws_session: boto3.session.Session, dynamodb_tables: str
) -> dict[str, str]:
    """That of a Lambda: settings without secrets, and where the secrets are."""
    url, unique = aws_environment["AWS_ENDPOINT_URL"], uuid.uuid4().hex
    kms, sqs, secrets = (
        aws_session.client(name, endpoint_url=url)  # type: ignore[call-overload]
        for name in ("kms", "sqs", "secretsmanager")
    )
    kms.create_alias(AliasName=f"alias/{unique}", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    sqs.create_queue(QueueName=unique)
    connection = {"conn_type": "generic", "extra": SECRETS}
    secrets.create_secret(Name=f"airflow/connections/{unique}", SecretString=json.dumps(connection))
    return {
        **aws_environment,
        "PATH": os.environ["PATH"],
        "SECRET_ID": f"airflow/connections/{unique}",
        "PUBLIC_URL": "https://abc123.execute-api.eu-central-1.amazonaws.com",
        "OPERATOR_NAME": "Ann Example",
        "CONTACT": "privacy@example.org",
        "PRIVACY_URL": "https://example.org/privacy",
        "STATE_URL": f"dynamodb://{dynamodb_tables}",
        "LAKE_URL": "s3://test-lake/lake",
        "QUEUE_URL": f"https://sqs.eu-central-1.amazonaws.com/123456789012/{unique}",
        "KEY_URL": f"kms://alias/{unique}",
        "CATALOG_URL": "glue://strava/strava-crawler",
        "AIRFLOW_URL": "mwaa://ingest",
    }


@pytest.fixture(scope="module")
def edge(environment: dict[str, str], aws_session: boto3.session.Session) -> Iterator[Edge]:
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment.items():
            patch.setenv(variable, value)
        patch.setattr(boto3, "DEFAULT_SESSION", aws_session)
        store = open_store(environment["STATE_URL"], time.time)
        Subscriptions(store).save(Subscription(SUBSCRIPTION_ID, ""))
        athletes = Athletes(store, open_cipher(environment["KEY_URL"]), time.time)
        athlete = Athlete(AthleteId(ATHLETE_ID), "Ada", "Byron")
        athletes.connect(TokenGrant("a", "r", 1_760_021_600, athlete), frozenset({"activity:read"}))
        store.close()
    sqs = aws_session.client("sqs", endpoint_url=environment["AWS_ENDPOINT_URL"])
    with lambda_process(HANDLER, environment) as process:
        yield Edge(process, environment, sqs)


def test_handshake_is_answered_with_the_challenge(edge: Edge) -> None:
    answer = edge.process.invoke(http_event("GET", WEBHOOK, query=HANDSHAKE))

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"hub.challenge": "15f7"})


def test_event_waits_in_the_queue_when_it_is_answered(edge: Edge) -> None:
    answer = edge.process.invoke(http_event("POST", WEBHOOK, event()))

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "queued"})
    (queued,) = edge.queued()
    assert (queued.event.object_id, queued.event.owner_id) == (1_360_128_428, ATHLETE_ID)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/webhook/guess", event(), 404, id="forged-path"),
        pytest.param(WEBHOOK, event(title="x" * 9000), 413, id="oversize"),
        pytest.param(WEBHOOK, b"\xff\x00{", 400, id="binary"),
        pytest.param(WEBHOOK, b"", 400, id="empty"),
        pytest.param(WEBHOOK, event(owner_id=7), 200, id="unknown-athlete"),
        pytest.param(WEBHOOK, event(subscription_id=7), 200, id="other-subscription"),
    ],
)
def test_nothing_is_queued_when_the_event_is_none_of_ours(edge: Edge, path: str, body: bytes, status: int) -> None:
    assert edge.process.invoke(http_event("POST", path, body))["statusCode"] == status
    assert edge.queued() == []


def test_start_page_comes_as_text_with_its_headers(edge: Edge) -> None:
    answer = edge.process.invoke(http_event("GET", "/"))

    assert answer["statusCode"] == 200
    assert not answer["isBase64Encoded"]
    assert "</html>" in answer["body"]
    assert answer["headers"]["strict-transport-security"]


def test_connecting_leads_to_strava_with_a_state_that_only_this_browser_can_bring_back(edge: Edge) -> None:
    answer = edge.process.invoke(http_event("GET", "/connect", query={"private": "1"}))

    query = parse_qs(urlsplit(answer["headers"]["location"]).query)
    assert answer["statusCode"] == 303
    assert (query["client_id"], query["redirect_uri"]) == (["4711"], [f"{edge.environment['PUBLIC_URL']}/callback"])
    cookie = next(cookie for cookie in answer["cookies"] if cookie.startswith("__Host-sdi_connecting="))
    assert "Secure; HttpOnly" in cookie
    without_cookie = edge.process.invoke(
        http_event("GET", "/callback", query={"state": query["state"][0], "code": "c", "scope": "activity:read"})
    )
    assert without_cookie["statusCode"] == 400


def test_health_is_good_on_the_leaves_of_aws(edge: Edge) -> None:
    answer = edge.process.invoke(http_event("GET", "/health"))

    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "ok")


def test_log_is_json_with_counters_and_without_secrets(edge: Edge) -> None:
    edge.process.invoke(http_event("POST", WEBHOOK, event(object_id=8)))
    edge.process.invoke(http_event("POST", WEBHOOK, event(owner_id=9)))
    edge.process.invoke(http_event("GET", "/callback", query={"code": "code-that-nobody-may-see", "state": "x"}))
    edge.queued()
    edge.process.invoke(http_event("GET", "/"))  # by its answer everything before is written

    text = "\n".join(edge.process.log)
    lines = [json.loads(line) for line in edge.process.log]
    assert "nobody-may-see" not in text
    assert "Messy" not in text
    assert {line["level"] for line in lines} <= {"INFO", "WARNING"}
    assert all(line["request_id"] for line in lines if "/webhook/<secret>" in line["message"])
    assert {"EventsReceived", "EventsQueued"} <= {name for line in lines for name in line}
    (counted,) = [line for line in lines if line.get("EventsDropped") and "athlete 9:" in line["message"]]
    assert counted["FunctionName"] == "http"
    (directive,) = counted["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("StravaDataIngest", [["FunctionName"]])
    assert {metric["Name"] for metric in directive["Metrics"]} == {"EventsReceived", "EventsDropped"}


def test_process_does_not_start_and_says_what_is_missing_where_when_a_key_is(
    environment: dict[str, str], aws_session: boto3.session.Session
) -> None:
    secrets = aws_session.client("secretsmanager", endpoint_url=environment["AWS_ENDPOINT_URL"])
    extra = {name: value for name, value in SECRETS.items() if name != "COOKIE_KEY"}
    secret_id = f"airflow/connections/{uuid.uuid4().hex}"
    secrets.create_secret(Name=secret_id, SecretString=json.dumps({"extra": json.dumps(extra)}))

    with (
        lambda_process(HANDLER, {**environment, "SECRET_ID": secret_id}) as process,
        pytest.raises(LambdaFailed, match=f"COOKIE_KEY.*{secret_id}") as caught,
    ):
        process.invoke(http_event("GET", "/"))
    assert "nobody-may-see" not in str(caught.value)
