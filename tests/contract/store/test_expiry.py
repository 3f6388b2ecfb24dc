"""What every `Store` does with a row that has expired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.clock import Clock
from include.errors import CeilingReached, VersionConflict
from include.store.store import ABSENT, Key, Store

KEY = Key("links", "11", "22")
COUNTERS = Key("quota", "2026-11-22")


def link(child_id: int, **fields: Any) -> dict[str, Any]:
    return {"child_id": child_id, **fields}


def expiring(clock: Clock, in_s: int) -> int:
    return int(clock()) + in_s


def test_row_reads_as_absent_when_it_has_expired(
    store: Store, clock: Clock, pass_time: Callable[[float], None], life_s: int
) -> None:
    store.put(KEY, link(22), expected_version=ABSENT, expires_at_epoch_s=expiring(clock, life_s))
    pass_time(life_s - 3)  # nothing of a short life: a busy machine takes the rest of it to ask
    before = store.get(KEY), len(list(store.query("links", "11"))), len(list(store.find("links", "by_child", 22)))
    pass_time(3)

    assert before[0] is not None
    assert before[1:] == (1, 1)
    assert store.get(KEY) is None
    assert store.get_all([KEY]) == {}
    assert list(store.query("links", "11")) == []
    assert list(store.find("links", "by_child", 22)) == []


def test_expired_row_is_written_like_an_absent_one(
    store: Store, clock: Clock, pass_time: Callable[[float], None], life_s: int
) -> None:
    version = store.put(KEY, link(22), expected_version=ABSENT, expires_at_epoch_s=expiring(clock, life_s))
    pass_time(life_s)

    with pytest.raises(VersionConflict):
        store.put(KEY, link(23), expected_version=version)
    store.delete(KEY, expected_version=version + 5)
    store.put(KEY, link(24), expected_version=ABSENT)

    item = store.get(KEY)
    assert item is not None
    assert (item.fields, item.expires_at_epoch_s) == (link(24), None)
    assert list(store.find("links", "by_child", 22)) == []


def test_add_starts_again_when_the_row_has_expired(
    store: Store, clock: Clock, pass_time: Callable[[float], None], life_s: int
) -> None:
    store.add(COUNTERS, {"read": 5, "total": 5}, expires_at_epoch_s=expiring(clock, life_s))
    pass_time(life_s)

    with pytest.raises(CeilingReached, match="read would reach 6, its ceiling is 5"):
        store.add(COUNTERS, {"read": 6}, ceilings={"read": 5})
    assert store.get(COUNTERS) is None
    assert store.add(COUNTERS, {"read": 5}, ceilings={"read": 5}, expires_at_epoch_s=expiring(clock, life_s)) == {
        "read": 5
    }

    item = store.get(COUNTERS)
    assert item is not None
    assert item.fields == {"read": 5}
    pass_time(life_s)
    assert store.get(COUNTERS) is None


def test_add_keeps_the_expiry_when_it_names_none(
    store: Store, clock: Clock, pass_time: Callable[[float], None], life_s: int
) -> None:
    store.add(COUNTERS, {"read": 1}, expires_at_epoch_s=expiring(clock, life_s))
    store.add(COUNTERS, {"read": 1})
    pass_time(life_s)

    assert store.get(COUNTERS) is None
