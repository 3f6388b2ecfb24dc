"""What the store on DynamoDB does when an answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.clock import Clock
from include.errors import RetryLater, VersionConflict
from include.store.store import ABSENT, Store
from tests.contract.aws_faults.faults import KEY, fields_of

pytestmark = pytest.mark.network


Answer = tuple[int, str]
Fault = Answer | str | Callable[[], object] | None
LOST: Fault = "the request is carried out and the connection closed"


def test_row_is_created_once_when_the_answer_is_lost(store: Store, proxy: Any) -> None:
    proxy.faults = [LOST, LOST]

    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)

    assert (version, fields_of(store)) == (1, {"n": 1})
    assert store.put(KEY, {"n": 2}, expected_version=version) == 2


def test_row_is_replaced_when_the_answer_is_lost(store: Store, proxy: Any) -> None:
    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    proxy.faults = [LOST]

    assert store.put(KEY, {"n": 2}, expected_version=version) == version + 1
    assert fields_of(store) == {"n": 2}


def test_row_is_deleted_when_the_answer_is_lost(store: Store, proxy: Any) -> None:
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
    store: Store, proxy: Any, before: dict[str, int] | None, ceilings: dict[str, int], after: dict[str, int]
) -> None:
    if before is not None:
        store.add(KEY, before)
    proxy.faults = [LOST, LOST]

    assert store.add(KEY, {"read": 2}, ceilings=ceilings) == {"read": after["read"]}
    assert fields_of(store) == after


def test_expired_counters_begin_again_once_when_the_answer_is_lost(
    store: Store, proxy: Any, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    store.add(KEY, {"read": 9}, expires_at_epoch_s=int(clock()) + 60)
    pass_time(60)
    proxy.faults = [None, LOST]  # the first request learns that the row has expired, the second replaces it

    assert store.add(KEY, {"read": 2}, expires_at_epoch_s=int(clock()) + 60) == {"read": 2}
    assert fields_of(store) == {"read": 2}


def test_expired_counters_are_not_lost_when_another_worker_begins_again_first(
    store: Store, direct: Store, proxy: Any, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    store.add(KEY, {"read": 9}, expires_at_epoch_s=int(clock()) + 60)
    pass_time(60)
    proxy.faults = [None, lambda: direct.add(KEY, {"read": 5}, expires_at_epoch_s=int(clock()) + 60)]

    store.add(KEY, {"read": 2}, expires_at_epoch_s=int(clock()) + 60)

    assert fields_of(store) == {"read": 7}


def test_put_is_refused_when_another_worker_wrote_before_it_was_sent_again(
    store: Store, direct: Store, proxy: Any
) -> None:
    proxy.faults = [LOST, lambda: direct.put(KEY, {"n": 2}, expected_version=1)]

    with pytest.raises(VersionConflict):
        store.put(KEY, {"n": 1}, expected_version=ABSENT)

    assert fields_of(store) == {"n": 2}


def test_outcome_is_unknown_when_every_answer_is_lost(store: Store, proxy: Any) -> None:
    proxy.always = LOST

    with pytest.raises(RetryLater, match="whether it acted is not known"):
        store.put(KEY, {"n": 1}, expected_version=ABSENT)
