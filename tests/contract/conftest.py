"""Where each implementation of the lake, queue and cipher protocols is found.

A further implementation is a further parameter of `lake_url`, `queue_url` or `cipher_url`;
one whose time cannot be set waits in `pass_time`.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb import dynamodb_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs import models as sqs_models
from waitress.server import create_server

from include.clock import Clock
from include.store.dynamodb_tables import create_tables
from local.testbed.manual_clock import ManualClock


@pytest.fixture(params=["files", pytest.param("s3", marks=pytest.mark.network)])
def lake_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        url: str = request.getfixturevalue("s3_url")
        return url
    return (tmp_path / "lake").as_uri()


@pytest.fixture(params=["sqlite", pytest.param("sqs", marks=pytest.mark.network)])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqs":
        url: str = request.getfixturevalue("sqs_url")
        return url
    return f"sqlite://{tmp_path}/state/state.sqlite"


@pytest.fixture(params=["key_file", pytest.param("kms", marks=pytest.mark.network)])
def cipher_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "kms":
        url: str = request.getfixturevalue("kms_url")
        return url
    return f"file://{tmp_path}/keys/token.key"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
def pass_time(clock: ManualClock) -> Callable[[float], None]:
    """Let that many seconds pass."""
    return clock.advance


# --- AWS, as moto's server plays it --------------------------------------------------------------


@pytest.fixture(scope="session")
def moto_url() -> str:
    """The address of one server for all tests of this process.

    It answers one request after the other: moto checks a condition and writes in two steps, between which its own
    threaded server lets other requests in, as DynamoDB does not.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = create_server(DomainDispatcherApplication(create_backend_app), sockets=[listener], threads=1)
    threading.Thread(target=server.run, name="moto", daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
def aws_session() -> boto3.session.Session:
    """Reads boto3's large models once for all tests; credentials are made up, so that none are looked for."""
    return boto3.session.Session("testing", "testing", region_name="eu-central-1")


@pytest.fixture(scope="session")
def dynamodb_tables(moto_url: str, aws_session: boto3.session.Session) -> str:
    """What the names of all tables start with; they are made once, because that takes longer than most tests."""
    create_tables(aws_session.client("dynamodb", endpoint_url=moto_url), "test-")
    return "test-"


@pytest.fixture(scope="session")
def aws_environment(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variables under which AWS is moto's server, also for the processes that a test starts."""
    nowhere = str(tmp_path_factory.mktemp("aws") / "none")
    return {
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        # Waitress waits for a body after `Expect: 100-continue` even where its length is 0, as S3 does not.
        "BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE": "true",
    }


@pytest.fixture
def aws(aws_environment: dict[str, str], aws_session: boto3.session.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment in which AWS is moto's server."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    for variable, value in aws_environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", aws_session)


@pytest.fixture
def dynamodb_url(aws: None, dynamodb_tables: str) -> str:
    """Empty tables, emptied behind moto's back because that takes no time."""
    for table in dynamodb_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].tables.values():
        table.items.clear()
    return f"dynamodb://{dynamodb_tables}"


@pytest.fixture
def kms_url(aws: None) -> str:
    """A key of this test alone."""
    client = boto3.client("kms")
    alias = f"alias/test-{uuid.uuid4().hex}"
    client.create_alias(AliasName=alias, TargetKeyId=client.create_key()["KeyMetadata"]["KeyId"])
    return f"kms://{alias}"


@pytest.fixture(scope="session")
def s3_bucket(moto_url: str, aws_session: boto3.session.Session) -> str:
    """One bucket for all tests, each of which has a prefix of its own."""
    client = aws_session.client("s3", endpoint_url=moto_url)
    client.create_bucket(Bucket="test-lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return "test-lake"


@pytest.fixture
def s3_url(aws: None, s3_bucket: str) -> str:
    """A prefix of this test alone, beside which others write."""
    return f"s3://{s3_bucket}/lakes/{uuid.uuid4().hex}"


@pytest.fixture
def sqs_url(aws: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> str:
    """A queue of this test alone, with a dead-letter queue, on the test's clock; the address is in AWS's own form.

    Moto shows a message only after the moment at which it is visible again: a look at its clock takes a millisecond.
    """
    looks = itertools.count()
    monkeypatch.setattr(sqs_models, "unix_time", lambda: clock() + next(looks) / 1000)
    monkeypatch.setattr(sqs_models, "unix_time_millis", lambda: clock() * 1000 + next(looks))
    client = boto3.client("sqs")
    name = f"events-{uuid.uuid4().hex}"
    dead = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})
    client.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})
    return f"https://sqs.eu-central-1.amazonaws.com/{DEFAULT_ACCOUNT_ID}/{name}"
