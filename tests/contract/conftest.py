"""Where each implementation of the state, queue and cipher protocols is found.

A further implementation is a further parameter of `store_url`, `queue_url` or `cipher_url`;
one whose time cannot be set waits in `pass_time`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from include.clock import Clock
from include.state.dynamodb_tables import create_tables


@pytest.fixture(params=["sqlite", pytest.param("dynamodb", marks=pytest.mark.network)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "dynamodb":
        url: str = request.getfixturevalue("dynamodb_url")
        return url
    return f"sqlite://{tmp_path}/state/state.sqlite"


@pytest.fixture(params=["sqlite"])
def queue_url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/state/state.sqlite"


@pytest.fixture(params=["key_file", pytest.param("kms", marks=pytest.mark.network)])
def cipher_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "kms":
        url: str = request.getfixturevalue("kms_url")
        return url
    return f"file://{tmp_path}/keys/token.key"


@pytest.fixture
def hands() -> list[float]:
    """The hands of the test's clock."""
    return [1_700_000_000.0]


@pytest.fixture
def clock(hands: list[float]) -> Clock:
    return lambda: hands[0]


@pytest.fixture
def pass_time(hands: list[float]) -> Callable[[float], None]:
    """Let that many seconds pass."""

    def forward(seconds: float) -> None:
        hands[0] += seconds

    return forward


# --- AWS, as moto's server plays it --------------------------------------------------------------


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of one server for all tests of this process."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws_environment(moto_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which AWS is moto's server, also for processes that a test starts."""
    for variable in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def dynamodb_url(aws_environment: None) -> str:
    """Empty tables of this test alone."""
    prefix = f"test-{uuid.uuid4().hex}-"
    create_tables(boto3.session.Session().client("dynamodb"), prefix)
    return f"dynamodb://{prefix}"


@pytest.fixture
def kms_url(aws_environment: None) -> str:
    """A key of this test alone."""
    alias = f"alias/test-{uuid.uuid4().hex}"
    client = boto3.session.Session().client("kms")
    client.create_alias(AliasName=alias, TargetKeyId=client.create_key()["KeyMetadata"]["KeyId"])
    return f"kms://{alias}"
