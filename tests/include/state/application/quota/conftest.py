"""A quota on a store, and a clock set by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

import pytest

from include.errors import CeilingReached, QuotaSpent, VersionConflict
from include.state.application.quota import Quota
from include.store.sqlite import SqliteStore
from include.store.store import ABSENT, Item, Key, Store
from include.strava.client import Bucket, Priority
from local.testbed.manual_clock import ManualClock

NOON = datetime(2026, 11, 22, 12, 7, tzinfo=UTC).timestamp()


class MemoryStore:
    """The part of `Store` that the quota uses, in a dict."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.rows: dict[Key, Item] = {}
        self._clock = clock
        self._lock = RLock()

    def get(self, key: Key) -> Item | None:
        row = self.rows.get(key)
        expired = row and row.expires_at_epoch_s is not None and row.expires_at_epoch_s <= self._clock()
        return None if expired else row

    def put(
        self, key: Key, fields: Mapping[str, Any], *, expected_version: int, expires_at_epoch_s: int | None = None
    ) -> int:
        with self._lock:
            row = self.get(key)
            if (row.version if row else ABSENT) != expected_version:
                raise VersionConflict("another version")
            self.rows[key] = Item(key, dict(fields), expected_version + 1, expires_at_epoch_s)
            return expected_version + 1

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        with self._lock:
            row = self.get(key)
            before = row.fields if row else {}
            after = {field: before.get(field, 0) + step for field, step in increments.items()}
            for field, value in after.items():
                if increments[field] > 0 and ceilings and value > ceilings.get(field, value):
                    raise CeilingReached(f"{field} is full", field=field)
            self.rows[key] = Item(key, {**before, **after}, row.version if row else 1, expires_at_epoch_s)
            return after


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(clock)  # type: ignore[misc]  # the part that the quota uses
        return
    sqlite = SqliteStore(tmp_path / "state.sqlite", clock)
    yield sqlite
    sqlite.close()


@pytest.fixture
def quota(store: Store, clock: ManualClock) -> Quota:
    return Quota(store, clock)


@pytest.fixture
def spend() -> Callable[..., int]:
    """How many calls the quota grants before it refuses."""

    def spend(quota: Quota, bucket: Bucket, priority: Priority) -> int:
        granted = 0
        while True:
            try:
                quota.reserve(bucket, priority)
            except QuotaSpent:
                return granted
            granted += 1

    return spend


@pytest.fixture(scope="session")
def new_memory_store() -> Callable[[], tuple[Any, Any]]:
    """A store in memory and the clock, set by hand, that it reads."""

    def new() -> tuple[MemoryStore, ManualClock]:
        clock = ManualClock(NOON)
        return MemoryStore(clock), clock

    return new
