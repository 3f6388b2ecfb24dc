"""Adapters that count rows, objects and calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from flask import Flask

from include.clock import Clock
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.store.store import Item, Key, Store
from include.strava.http.response import Response
from include.strava.http.session import Call
from local.testbed.forwarding_store import ForwardingStore
from local.testbed.world import InProcessSession


class Kind(StrEnum):
    """What is counted."""

    STRAVA = "calls to Strava"
    ROWS_READ = "rows read"
    ROWS_WRITTEN = "rows written"
    OBJECTS_READ = "objects read"
    OBJECTS_WRITTEN = "objects written"
    KEYS_LISTED = "keys listed"
    TASKS = "task instances"


Counts = Counter[Kind]


class CountingStore(ForwardingStore):
    """A store that counts rows: a query that finds five has read five, one that finds none has read one."""

    def __init__(self, store: Store, counts: Counts) -> None:
        super().__init__(store)
        self._counts = counts

    def get(self, key: Key) -> Item | None:
        """As `Store.get`."""
        self._counts[Kind.ROWS_READ] += 1
        return super().get(key)

    def get_all(self, keys: Iterable[Key]) -> Mapping[Key, Item]:
        """As `Store.get_all`; a key without a row is read too."""
        asked = set(keys)
        self._counts[Kind.ROWS_READ] += len(asked)
        return super().get_all(asked)

    def query(self, table: str, partition: str, sort_prefix: str = "") -> Iterator[Item]:
        """As `Store.query`."""
        return self._counted(super().query(table, partition, sort_prefix))

    def find(self, table: str, index: str, value: str | int, **limits: Any) -> Iterator[Item]:
        """As `Store.find`."""
        return self._counted(super().find(table, index, value, **limits))

    def put(
        self, key: Key, fields: Mapping[str, Any], *, expected_version: int, expires_at_epoch_s: int | None = None
    ) -> int:
        """As `Store.put`."""
        self._counts[Kind.ROWS_WRITTEN] += 1
        return super().put(key, fields, expected_version=expected_version, expires_at_epoch_s=expires_at_epoch_s)

    def delete(self, key: Key, *, expected_version: int) -> None:
        """As `Store.delete`."""
        self._counts[Kind.ROWS_WRITTEN] += 1
        super().delete(key, expected_version=expected_version)

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        """As `Store.add`."""
        self._counts[Kind.ROWS_WRITTEN] += 1
        return super().add(key, increments, ceilings=ceilings, expires_at_epoch_s=expires_at_epoch_s)

    def _counted(self, items: Iterator[Item]) -> Iterator[Item]:
        found = 0
        for found, item in enumerate(items, start=1):  # noqa: B007 - it is used after the loop
            self._counts[Kind.ROWS_READ] += 1
            yield item
        if not found:
            self._counts[Kind.ROWS_READ] += 1


class CountingObjects:
    """An object store that counts objects, and the keys that are listed."""

    def __init__(self, objects: ObjectStore, counts: Counts) -> None:
        self._objects = objects
        self._counts = counts

    def get(self, key: str) -> StoredObject | None:
        """As `ObjectStore.get`."""
        self._counts[Kind.OBJECTS_READ] += 1
        return self._objects.get(key)

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        """As `ObjectStore.put`."""
        self._counts[Kind.OBJECTS_WRITTEN] += 1
        return self._objects.put(key, body, expected=expected)

    def delete(self, key: str, *, expected: str | Condition) -> None:
        """As `ObjectStore.delete`."""
        self._counts[Kind.OBJECTS_WRITTEN] += 1
        self._objects.delete(key, expected=expected)

    def list(self, prefix: str) -> Iterator[str]:
        """As `ObjectStore.list`."""
        for key in self._objects.list(prefix):
            self._counts[Kind.KEYS_LISTED] += 1
            yield key

    def prune(self, prefix: str) -> None:
        """As `ObjectStore.prune`."""
        self._objects.prune(prefix)

    def url(self, key: str) -> str:
        """As `ObjectStore.url`."""
        return self._objects.url(key)


class CountingSession(InProcessSession):
    """A session with the simulator that counts its calls."""

    def __init__(self, app: Flask, clock: Clock, counts: Counts) -> None:
        super().__init__(app, clock)
        self._counts = counts

    def send(self, base_url: str, call: Call, *, before: Callable[[], None] = lambda: None, **after: Any) -> Response:
        """As `StravaSession.send`; a repetition is a call of its own."""

        def counted() -> None:
            before()
            self._counts[Kind.STRAVA] += 1

        return super().send(base_url, call, before=counted, **after)
