"""What the store on DynamoDB does when AWS throttles, fails or refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.errors import RetryLater, VersionConflict
from include.store.store import ABSENT, Store
from tests.contract.aws_faults.faults import FAULTS, KEY, fields_of

pytestmark = pytest.mark.network

ATTEMPTS = 4

Answer = tuple[int, str]

CALLS: list[Any] = [
    pytest.param(lambda store: store.get(KEY), id="get"),
    pytest.param(lambda store: store.get_all([KEY]), id="get_all"),
    pytest.param(lambda store: store.put(KEY, {}, expected_version=ABSENT), id="put"),
    pytest.param(lambda store: store.delete(KEY, expected_version=1), id="delete"),
    pytest.param(lambda store: list(store.query("links", "11")), id="query"),
    pytest.param(lambda store: list(store.find("links", "by_child", 22)), id="find"),
    pytest.param(lambda store: store.add(KEY, {"read": 1}), id="add"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_store_works_when_aws_fails_for_a_while(store: Store, proxy: Any, waits: list[float], fault: Answer) -> None:
    proxy.faults = [fault] * (ATTEMPTS - 1)
    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    proxy.faults = [fault] * (ATTEMPTS - 1)
    counted = store.add(KEY, {"read": 5})

    assert (version, counted, fields_of(store)) == (1, {"read": 5}, {"n": 1, "read": 5})
    assert len(waits) == 2 * (ATTEMPTS - 1)
    assert max(waits) <= 4


@pytest.mark.parametrize("call", CALLS)
def test_every_call_asks_to_come_back_when_aws_stays_throttled(
    store: Store, proxy: Any, call: Callable[[Store], object]
) -> None:
    proxy.always = (400, "ProvisionedThroughputExceededException")

    with pytest.raises(RetryLater, match=r"STATE_URL: AWS is throttling.*try again later"):
        call(store)

    assert proxy.requests == ATTEMPTS


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_written_when_aws_stays_failing(store: Store, proxy: Any, fault: Answer) -> None:
    proxy.always = fault
    with pytest.raises(RetryLater):
        store.put(KEY, {"n": 1}, expected_version=ABSENT)
    with pytest.raises(RetryLater):
        store.add(KEY, {"read": 5})
    proxy.always = None

    assert fields_of(store) is None


def test_conflict_is_told_at_once(store: Store, proxy: Any, waits: list[float]) -> None:
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
