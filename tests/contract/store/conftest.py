"""Each implementation of `Store`, empty; that for DynamoDB on moto, and on AWS's own DynamoDB Local where that is.

A further implementation is a further parameter of `store_url`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from include.clock import Clock
from include.store.backend import open_store
from include.store.dynamodb_tables import create_tables
from include.store.store import TABLES, Store
from local.aws.dynamodb_local.server import missing, shared_server
from local.testbed.manual_clock import ManualClock

DYNAMODB_LOCAL = [] if missing() else [pytest.param("dynamodb_local", marks=pytest.mark.network)]


@pytest.fixture(params=["sqlite", pytest.param("dynamodb", marks=pytest.mark.network), *DYNAMODB_LOCAL])
def store_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/state/state.sqlite"


@pytest.fixture(scope="session")
def dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one server for all processes of this run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with shared_server(folder) as address:
        yield address


@pytest.fixture(scope="session")
def dynamodb_local_tables(dynamodb_local: str, aws_session: boto3.session.Session) -> str:
    """What the names of this process's tables start with; they are made once, because that takes half a second."""
    prefix = f"test-{os.getpid()}-"
    create_tables(aws_session.client("dynamodb", endpoint_url=dynamodb_local), prefix)
    return prefix


@pytest.fixture
def dynamodb_local_url(
    aws: None, dynamodb_local: str, dynamodb_local_tables: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Empty tables."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", dynamodb_local)
    client = boto3.client("dynamodb")
    for table in TABLES:
        name = f"{dynamodb_local_tables}{table}"
        for page in client.get_paginator("scan").paginate(TableName=name):
            for row in page["Items"]:
                client.delete_item(TableName=name, Key={field: row[field] for field in ("partition", "sort")})
    return f"dynamodb://{dynamodb_local_tables}"


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Clock:
    """DynamoDB Local deletes expired rows by its own clock, which cannot be set: there it is the machine's."""
    is_own = request.node.callspec.params.get("store_url") == "dynamodb_local"
    return time.time if is_own else ManualClock(1_700_000_000.0)


@pytest.fixture
def pass_time(clock: Clock) -> Callable[[float], None]:
    """Let that many seconds pass, or wait for them where the clock cannot be set."""
    return clock.advance if isinstance(clock, ManualClock) else time.sleep


@pytest.fixture
def life_s(clock: Clock) -> int:
    """How long a row lives: a minute, or as short as a busy machine allows where it is waited for."""
    return 60 if isinstance(clock, ManualClock) else 3


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[Store]:
    store = open_store(store_url, clock)
    yield store
    store.close()
