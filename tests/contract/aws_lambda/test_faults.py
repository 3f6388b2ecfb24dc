"""From the webhook to MWAA while DynamoDB, SQS and MWAA throttle, fail, stall and lose answers at random."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from apig_wsgi import make_lambda_handler
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from include.clock import Clock
from include.crypto.backend import open_cipher
from include.queue.backend import open_queue
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.application.subscriptions import Subscriptions
from include.store.backend import open_store
from include.strava.events import WebhookEvent
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId, Subscription
from include.trigger.mwaa import MwaaApi
from include.trigger.trigger import AirflowTrigger
from local.aws import mwaa_stub
from ops.package.http_event import http_event
from webhook_api.app import create_app
from webhook_api.aws_lambda import dispatcher as lambda_dispatcher
from webhook_api.aws_lambda import http as lambda_http
from webhook_api.aws_lambda.logs import JsonFormatter

pytestmark = pytest.mark.network

EVENTS = 24
LEAVING = (52, 53)
ATHLETES = (134815, *LEAVING)
CONTEXT = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 100_000)


class Body(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@dataclass
class Faults:
    """What becomes of each request to AWS: answered at once with an error, never answered, or passed on."""

    chances: random.Random
    rates: Mapping[str, float]
    """How often a request fails, by service."""
    lost: float
    """How often a request that was carried out is never answered."""
    met: Counter[str] = field(default_factory=Counter)

    def __call__(self, request: AWSRequest, event_name: str, **_: Any) -> AWSResponse | None:
        service = event_name.split(".")[1]
        rate = self.rates.get(service, 0.0)
        if self.chances.random() < rate:
            self.met[service] += 1
            return self._fail(request, service)
        if rate and self.chances.random() < self.lost:
            self.met[f"{service} lost"] += 1
            URLLib3Session().send(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        return None

    def _fail(self, request: AWSRequest, service: str) -> AWSResponse:
        answers = [(400, "ThrottlingException"), (500, "InternalServerError"), (503, "")]
        if service == "mwaa":
            answers += [(400, "RestApiServerException"), (400, "RestApiClientException")]
        status, code = self.chances.choice([*answers, (0, "slow")])
        if not status:
            raise ReadTimeoutError(endpoint_url=request.url)
        document = {"__type": code}
        if code.startswith("RestApi"):
            document |= {"RestApiStatusCode": 502 if "Server" in code else 404, "RestApiResponse": {}}  # type: ignore[dict-item]
        return AWSResponse(request.url, status, {"x-amzn-ErrorType": code}, Body(json.dumps(document).encode()))


@dataclass
class Airflow:
    """Which runs there are, and how often each activity was named by one."""

    runs: dict[tuple[str, str], Any] = field(default_factory=dict)
    repeated: int = 0

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"is_paused": False}
        run = path.split("/")[2], body["dag_run_id"]
        if run in self.runs:
            self.repeated += 1
            return 409, {"detail": {}}
        self.runs[run] = body["conf"]
        return 200, {"dag_run_id": body["dag_run_id"]}

    def ingested(self) -> Counter[int]:
        confs = [conf for (dag_id, _), conf in self.runs.items() if dag_id == "strava_ingest"]
        return Counter(event["object_id"] for conf in confs for event in conf["events"])

    def erased(self) -> Counter[int]:
        return Counter(conf["athlete"] for (dag_id, _), conf in self.runs.items() if dag_id == "strava_erase")


@pytest.fixture
def settings(dynamodb_url: str, sqs_url: str, kms_url: str, clock: Clock) -> Settings:
    """The leaves of AWS, with three athletes connected."""
    store = open_store(dynamodb_url, clock)
    Subscriptions(store).save(Subscription(1, ""))
    for athlete_id in ATHLETES:
        grant = TokenGrant("a", "r", 1_760_021_600, Athlete(AthleteId(athlete_id), "Ada", "Byron"))
        Athletes(store, open_cipher(kms_url), clock).connect(grant, frozenset({"activity:read"}))
    store.close()
    return replace(
        Settings.from_environ({name: value for name, value in EXAMPLES.items() if name != "WEBHOOK_SIGNING_KEY"}),
        **{"state_url": dynamodb_url, "queue_url": sqs_url, "key_url": kms_url, "airflow_url": "mwaa://ingest"},
    )


@pytest.fixture
def airflow(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch, pass_time: Callable[[float], None]
) -> Iterator[Airflow]:
    """Both handlers on these settings, in this process, in front of an Airflow that forgets nothing."""
    airflow = Airflow()
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(lambda_dispatcher, "time", SimpleNamespace(time=clock))
    with mwaa_stub.serving(lambda *request: mwaa_stub.invoke(airflow, "ingest", *request)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MWAA", url)
        monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        answering = make_lambda_handler(create_app(settings, clock))
        # Opened when first used, after the faults have begun.
        leaves = cache(
            lambda: (
                open_queue(settings.queue_url, clock, keep_days=28),
                AirflowTrigger(MwaaApi("ingest", clock=clock, wait=pass_time), clock),
                open_store(settings.state_url, clock),
            )
        )
        for module in (lambda_http, lambda_dispatcher):
            monkeypatch.setattr(module, "_logs", lambda: JsonFormatter("test"))
        monkeypatch.setattr(lambda_http, "_kept", lambda: SimpleNamespace(current=lambda: settings))
        monkeypatch.setattr(lambda_http, "_answering", lambda _settings: answering)
        monkeypatch.setattr(lambda_dispatcher, "_leaves", leaves)
        yield airflow


def events(chances: random.Random) -> list[WebhookEvent]:
    def event(object_id: int, **changes: Any) -> WebhookEvent:
        return replace(WebhookEvent("activity", object_id, "create", ATHLETES[0], 1, 1_516_126_040, {}), **changes)

    leaving = [event(one, object_type="athlete", owner_id=one, updates={"authorized": "false"}) for one in LEAVING]
    mixed = [event(number) for number in range(1, EVENTS + 1)] + leaving
    chances.shuffle(mixed)
    return mixed


def post(event: WebhookEvent, path: str) -> bool:
    """Deliver an event as Strava does, which tries again until it is told 200; whether it is told so now."""
    body = json.dumps(event.to_conf()).encode()
    return bool(lambda_http.handler(http_event("POST", path, body), CONTEXT)["statusCode"] == 200)


def poll(sqs: Any, url: str, most: int) -> None:
    """One turn of Lambda's event source, which receives, invokes and deletes; its own calls never fail here."""
    found = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=most, VisibilityTimeout=300, MessageSystemAttributeNames=["All"]
    ).get("Messages", [])
    if not found:
        return
    records = [{name[0].lower() + name[1:]: value for name, value in message.items()} for message in found]
    failed = lambda_dispatcher.handler({"Records": records}, CONTEXT)["batchItemFailures"]
    returning = {failure["itemIdentifier"] for failure in failed}
    for message in found:
        if message["MessageId"] not in returning:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def play(settings: Settings, faults: Faults, sqs: Any, pass_time: Callable[[float], None]) -> None:
    """All events arrive, some again and again, while the dispatcher works; then it works until nothing is left."""
    path = f"/webhook/{settings.webhook_path_secrets[0]}"
    waiting = events(faults.chances)
    while waiting:
        event = waiting.pop(0)
        if not post(event, path):
            waiting.append(event)
        if faults.chances.random() < 0.3:
            poll(sqs, settings.queue_url, faults.chances.randint(1, 10))
        pass_time(1)
    while waiting_in(sqs, settings.queue_url):
        poll(sqs, settings.queue_url, 10)
        pass_time(60)


def waiting_in(sqs: Any, url: str) -> int:
    """How many messages wait or are in flight."""
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])


@pytest.fixture
def break_aws(aws_session: boto3.session.Session, airflow: Airflow) -> Iterator[Callable[[Faults], None]]:
    """Let these faults happen to every client that is made from now on."""
    registered: list[Faults] = []

    def start(faults: Faults) -> None:
        aws_session.events.register("before-send", faults)
        registered.append(faults)

    yield start
    for faults in registered:
        aws_session.events.unregister("before-send", faults)


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed-{seed}") for seed in range(2)])
@pytest.mark.parametrize(
    ("lost", "exactly_once"),
    [pytest.param(0.0, True, id="refused"), pytest.param(0.1, False, id="lost-answers")],
)
def test_no_event_is_lost_and_no_run_starts_twice(
    settings: Settings,
    airflow: Airflow,
    break_aws: Callable[[Faults], None],
    aws_session: boto3.session.Session,
    pass_time: Callable[[float], None],
    caplog: pytest.LogCaptureFixture,
    *,
    lost: float,
    exactly_once: bool,
    seed: int,
) -> None:
    caplog.set_level(logging.CRITICAL)
    sqs = boto3.client("sqs")  # Lambda's own, made before anything breaks
    rates = {"dynamodb": 0.0 if exactly_once else 0.5, "sqs": 0.4, "mwaa": 0.5}
    faults = Faults(random.Random(seed), rates, lost)
    break_aws(faults)

    play(settings, faults, sqs, pass_time)

    assert min(faults.met[service] for service, rate in rates.items() if rate) > 0
    assert set(airflow.ingested()) == set(range(1, EVENTS + 1))
    assert set(airflow.erased()) == set(LEAVING)
    assert waiting_in(sqs, f"{settings.queue_url}-dead") == 0
    if exactly_once:
        assert max(airflow.ingested().values()) == max(airflow.erased().values()) == 1
