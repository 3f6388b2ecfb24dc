"""What the stores and ciphers on AWS do when AWS throttles, fails, refuses, or its answer is lost."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from include.clock import Clock
from include.crypto.backend import open_cipher
from include.crypto.cipher import Cipher
from include.errors import CipherError, IngestError, RetryLater, SettingsError, VersionConflict
from include.queue.backend import open_queue
from include.queue.queue import Queue
from include.store.backend import open_store
from include.store.store import ABSENT, Key, Store

pytestmark = pytest.mark.network

KEY = Key("links", "11", "22")
CONTEXT = {"app": "strava-data-ingest", "athlete_id": "42"}
ATTEMPTS = 4

Answer = tuple[int, str]
Fault = Answer | str | Callable[[], object] | None
LOST: Fault = "the request is carried out and the connection closed"

THROTTLED = pytest.param((400, "ProvisionedThroughputExceededException"), id="table throttled")
FAULTS = [
    THROTTLED,
    pytest.param((400, "ThrottlingException"), id="throttled"),
    pytest.param((400, "RequestLimitExceeded"), id="account throttled"),
    pytest.param((500, "InternalServerError"), id="internal error"),
    pytest.param((503, ""), id="unavailable"),
]
CALLS: list[Any] = [
    pytest.param(lambda store: store.get(KEY), id="get"),
    pytest.param(lambda store: store.put(KEY, {}, expected_version=ABSENT), id="put"),
    pytest.param(lambda store: store.delete(KEY, expected_version=1), id="delete"),
    pytest.param(lambda store: list(store.query("links", "11")), id="query"),
    pytest.param(lambda store: list(store.find("links", "by_child", 22)), id="find"),
    pytest.param(lambda store: store.add(KEY, {"read": 1}), id="add"),
]


class Proxy:
    """Stands between a client and moto.

    `faults` are what it does with the next requests: answer them itself, lose moto's answer, or (None) pass them on;
    what can be called is called before the request is passed on.
    """

    def __init__(self, moto_url: str) -> None:
        self.url = ""
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        self.requests = 0
        self._moto = urlsplit(moto_url).netloc

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; None to close the connection without a word."""
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else self.always
        if isinstance(fault, tuple):
            status, code = fault
            return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps({"__type": code}).encode()
        if callable(fault):
            fault()
        connection = http.client.HTTPConnection(self._moto)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        passed_on = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return None if fault is LOST else passed_on


@pytest.fixture
def proxy(moto_url: str) -> Iterator[Proxy]:
    proxy = Proxy(moto_url)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = proxy.answer(self.path, dict(self.headers), body)
            if answer is not None:
                status, headers, text = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield proxy
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited before each further attempt."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append))
    return waits


@pytest.fixture
def direct(dynamodb_url: str, clock: Clock) -> Iterator[Store]:
    """The store without a proxy in between: another worker."""
    store = open_store(dynamodb_url, clock)
    yield store
    store.close()


@pytest.fixture
def store(
    direct: Store, dynamodb_url: str, proxy: Proxy, waits: list[float], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    store = open_store(dynamodb_url, clock)
    yield store
    store.close()


@pytest.fixture
def cipher(kms_url: str, proxy: Proxy, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> Cipher:
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    return open_cipher(kms_url)


@pytest.fixture
def queue(sqs_url: str, proxy: Proxy, waits: list[float], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    return open_queue(sqs_url, clock, keep_days=28)


def fields_of(store: Store) -> Any:
    item = store.get(KEY)
    return item and item.fields


# --- throttled and failing -----------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_store_works_when_aws_fails_for_a_while(store: Store, proxy: Proxy, waits: list[float], fault: Answer) -> None:
    proxy.faults = [fault] * (ATTEMPTS - 1)
    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    proxy.faults = [fault] * (ATTEMPTS - 1)
    counted = store.add(KEY, {"read": 5})

    assert (version, counted, fields_of(store)) == (1, {"read": 5}, {"n": 1, "read": 5})
    assert len(waits) == 2 * (ATTEMPTS - 1)
    assert max(waits) <= 4


@pytest.mark.parametrize("call", CALLS)
def test_every_call_asks_to_come_back_when_aws_stays_throttled(
    store: Store, proxy: Proxy, call: Callable[[Store], object]
) -> None:
    proxy.always = (400, "ProvisionedThroughputExceededException")

    with pytest.raises(RetryLater, match=r"STATE_URL: AWS is throttling.*try again later"):
        call(store)

    assert proxy.requests == ATTEMPTS


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_written_when_aws_stays_failing(store: Store, proxy: Proxy, fault: Answer) -> None:
    proxy.always = fault
    with pytest.raises(RetryLater):
        store.put(KEY, {"n": 1}, expected_version=ABSENT)
    with pytest.raises(RetryLater):
        store.add(KEY, {"read": 5})
    proxy.always = None

    assert fields_of(store) is None


def test_conflict_is_told_at_once(store: Store, proxy: Proxy, waits: list[float]) -> None:
    store.put(KEY, {}, expected_version=ABSENT)
    proxy.requests = 0

    with pytest.raises(VersionConflict, match="has version 1, not 0: read it again"):
        store.put(KEY, {}, expected_version=ABSENT)
    with pytest.raises(VersionConflict, match="has version 1, not 7"):
        store.delete(KEY, expected_version=7)

    assert (proxy.requests, waits) == (2, [])


def test_every_call_has_timeouts(aws: None) -> None:
    from include.aws import open_client

    config = open_client("dynamodb", "STATE_URL").meta.config

    assert (config.connect_timeout, config.read_timeout, config.retries) == (
        2,
        5,
        {"mode": "standard", "total_max_attempts": ATTEMPTS},
    )


# --- lost answers --------------------------------------------------------------------------------


def test_row_is_created_once_when_the_answer_is_lost(store: Store, proxy: Proxy) -> None:
    proxy.faults = [LOST, LOST]

    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)

    assert (version, fields_of(store)) == (1, {"n": 1})
    assert store.put(KEY, {"n": 2}, expected_version=version) == 2


def test_row_is_replaced_when_the_answer_is_lost(store: Store, proxy: Proxy) -> None:
    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    proxy.faults = [LOST]

    assert store.put(KEY, {"n": 2}, expected_version=version) == version + 1
    assert fields_of(store) == {"n": 2}


def test_row_is_deleted_when_the_answer_is_lost(store: Store, proxy: Proxy) -> None:
    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    proxy.faults = [LOST]

    store.delete(KEY, expected_version=version)

    assert fields_of(store) is None


@pytest.mark.parametrize(
    ("before", "ceilings", "after"),
    [
        pytest.param(None, {}, {"read": 2}, id="first count"),
        pytest.param(None, {"read": 2}, {"read": 2}, id="first count up to the ceiling"),
        pytest.param({"read": 3, "other": 1}, {}, {"read": 5, "other": 1}, id="later count"),
        pytest.param({"read": 3}, {"read": 5}, {"read": 5}, id="later count up to the ceiling"),
    ],
)
def test_counters_are_raised_once_when_the_answer_is_lost(
    store: Store, proxy: Proxy, before: dict[str, int] | None, ceilings: dict[str, int], after: dict[str, int]
) -> None:
    if before is not None:
        store.add(KEY, before)
    proxy.faults = [LOST, LOST]

    assert store.add(KEY, {"read": 2}, ceilings=ceilings) == {"read": after["read"]}
    assert fields_of(store) == after


def test_expired_counters_begin_again_once_when_the_answer_is_lost(
    store: Store, proxy: Proxy, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    store.add(KEY, {"read": 9}, expires_at_epoch_s=int(clock()) + 60)
    pass_time(60)
    proxy.faults = [None, LOST]  # the first request learns that the row has expired, the second replaces it

    assert store.add(KEY, {"read": 2}, expires_at_epoch_s=int(clock()) + 60) == {"read": 2}
    assert fields_of(store) == {"read": 2}


def test_expired_counters_are_not_lost_when_another_worker_begins_again_first(
    store: Store, direct: Store, proxy: Proxy, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    store.add(KEY, {"read": 9}, expires_at_epoch_s=int(clock()) + 60)
    pass_time(60)
    proxy.faults = [None, lambda: direct.add(KEY, {"read": 5}, expires_at_epoch_s=int(clock()) + 60)]

    store.add(KEY, {"read": 2}, expires_at_epoch_s=int(clock()) + 60)

    assert fields_of(store) == {"read": 7}


def test_put_is_refused_when_another_worker_wrote_before_it_was_sent_again(
    store: Store, direct: Store, proxy: Proxy
) -> None:
    proxy.faults = [LOST, lambda: direct.put(KEY, {"n": 2}, expected_version=1)]

    with pytest.raises(VersionConflict):
        store.put(KEY, {"n": 1}, expected_version=ABSENT)

    assert fields_of(store) == {"n": 2}


def test_outcome_is_unknown_when_every_answer_is_lost(store: Store, proxy: Proxy) -> None:
    proxy.always = LOST

    with pytest.raises(RetryLater, match="whether it acted is not known"):
        store.put(KEY, {"n": 1}, expected_version=ABSENT)


# --- KMS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS[1:])
def test_cipher_works_when_aws_fails_for_a_while_and_asks_to_come_back_when_it_stays(
    cipher: Cipher, proxy: Proxy, fault: Answer
) -> None:
    proxy.faults = [fault] * (ATTEMPTS - 1)
    text = cipher.sealer(CONTEXT)(b"secret")
    proxy.faults = [fault] * (ATTEMPTS - 1)
    opened = cipher.decrypt(text, CONTEXT)
    proxy.always = fault

    assert opened == b"secret"
    with pytest.raises(RetryLater, match="KEY_URL"):
        cipher.sealer(CONTEXT)(b"secret")
    with pytest.raises(RetryLater, match="KEY_URL"):
        cipher.decrypt(text, CONTEXT)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("AccessDeniedException", id="not permitted or key of another account"),
        pytest.param("DisabledException", id="key disabled"),
        pytest.param("KMSInvalidStateException", id="key to be deleted"),
        pytest.param("NotFoundException", id="key gone"),
    ],
)
def test_refusal_opens_nothing_and_names_the_setting_when_sealing(cipher: Cipher, proxy: Proxy, code: str) -> None:
    text = cipher.sealer(CONTEXT)(b"secret")
    proxy.always = (400, code)

    with pytest.raises(CipherError, match=code):
        cipher.decrypt(text, CONTEXT)
    with pytest.raises(SettingsError, match=rf"KEY_URL: AWS refuses GenerateDataKey \({code}"):
        cipher.sealer(CONTEXT)(b"secret")


def test_sealing_asks_nobody_once_the_sealer_is_there(cipher: Cipher, proxy: Proxy) -> None:
    seal = cipher.sealer(CONTEXT)
    proxy.always = (400, "DisabledException")
    text = seal(b"a pair that nobody else has")
    proxy.always = None

    assert cipher.decrypt(text, CONTEXT) == b"a pair that nobody else has"


def test_old_texts_open_when_the_alias_names_another_key(kms_url: str) -> None:
    cipher = open_cipher(kms_url)
    text = cipher.sealer(CONTEXT)(b"old")
    client = boto3.client("kms")
    another = client.create_key()["KeyMetadata"]["KeyId"]
    client.update_alias(AliasName=kms_url.removeprefix("kms://"), TargetKeyId=another)

    assert [cipher.decrypt(sealed, CONTEXT) for sealed in (text, cipher.sealer(CONTEXT)(b"new"))] == [b"old", b"new"]


def test_setting_is_named_when_there_is_no_such_key(aws: None) -> None:
    with pytest.raises(SettingsError, match=r"KEY_URL: AWS refuses GenerateDataKey \(NotFoundException.*alias/none"):
        open_cipher("kms://alias/none").sealer(CONTEXT)


# --- the environment -----------------------------------------------------------------------------


def test_setting_is_named_when_there_are_no_such_tables(aws: None, clock: Clock) -> None:
    with pytest.raises(SettingsError, match=r"STATE_URL: AWS refuses GetItem \(ResourceNotFoundException"):
        open_store("dynamodb://others-", clock).get(KEY)


@pytest.mark.parametrize(
    ("variable", "value", "error"),
    [
        pytest.param("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "AWS did not answer", id="nothing listens"),
        pytest.param(
            "AWS_ENDPOINT_URL", "somewhere", "STATE_URL needs AWS, .*ENDPOINT_URL", id="endpoint is no address"
        ),
        pytest.param("AWS_ACCESS_KEY_ID", None, "STATE_URL needs AWS credentials", id="no credentials"),
        pytest.param("AWS_SECRET_ACCESS_KEY", None, "STATE_URL needs AWS credentials", id="half of the credentials"),
        pytest.param("AWS_PROFILE", "none", "STATE_URL needs AWS credentials", id="unknown profile"),
        pytest.param("AWS_DEFAULT_REGION", None, "STATE_URL needs an AWS region", id="no region"),
        pytest.param("AWS_DEFAULT_REGION", "eu central", "STATE_URL needs AWS, .*REGION", id="no such region"),
    ],
)
def test_message_says_what_the_environment_lacks(
    aws: None,
    waits: list[float],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str | None,
    error: str,
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # or the environment is not read again
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)

    with pytest.raises(IngestError, match=error) as caught:
        open_store("dynamodb://test-", clock).get(KEY)

    assert isinstance(caught.value, RetryLater if error == "AWS did not answer" else SettingsError)


# --- the queue -----------------------------------------------------------------------------------


QUEUE_CALLS: list[Any] = [
    pytest.param(lambda queue, message: queue.send("y"), id="send"),
    pytest.param(lambda queue, message: queue.receive(1, visibility_s=30), id="receive"),
    pytest.param(lambda queue, message: queue.delete(message), id="delete"),
    pytest.param(lambda queue, message: queue.release(message, delay_s=1), id="release"),
    pytest.param(lambda queue, message: queue.bury(message, "why"), id="bury"),
    pytest.param(lambda queue, message: queue.depth(), id="depth"),
    pytest.param(lambda queue, message: queue.dead(), id="dead"),
]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((403, "RequestThrottled"), id="throttled"),
        pytest.param((400, "OverLimit"), id="too many in flight"),
        pytest.param((500, "InternalError"), id="internal error"),
        pytest.param((503, ""), id="unavailable"),
    ],
)
@pytest.mark.parametrize("call", QUEUE_CALLS)
def test_queue_asks_for_another_try_and_loses_nothing_when_sqs_keeps_failing(
    queue: Queue, proxy: Proxy, call: Callable[[Queue, Any], object], fault: Answer, pass_time: Callable[[float], None]
) -> None:
    queue.send("x")
    (message,) = queue.receive(1, visibility_s=30)
    proxy.always = fault
    with pytest.raises(RetryLater, match=r"^QUEUE_URL: "):
        call(queue, message)

    proxy.always = None
    pass_time(31)
    assert [again.body for again in queue.receive(10, visibility_s=30)] == ["x"]


def test_queue_answers_when_sqs_was_throttled_for_a_moment(queue: Queue, proxy: Proxy, waits: list[float]) -> None:
    proxy.faults = [(403, "RequestThrottled"), (503, "ServiceUnavailable")]
    queue.send("x")

    assert queue.depth() == 1
    assert len(waits) == 2


def test_setting_is_named_when_the_queue_does_not_exist(queue: Queue, sqs_url: str, clock: Clock) -> None:
    with pytest.raises(SettingsError, match=r"^QUEUE_URL: .*exists"):
        open_queue(f"{sqs_url}-missing", clock, keep_days=28).send("x")


def test_setting_is_named_when_the_queue_has_no_dead_letters(queue: Queue, sqs_url: str, clock: Clock) -> None:
    bare = open_queue(f"{sqs_url}-dead", clock, keep_days=28)
    bare.send("x")
    (message,) = bare.receive(1, visibility_s=30)

    with pytest.raises(SettingsError, match=r"^QUEUE_URL: .*redrive policy"):
        bare.bury(message, "why")
