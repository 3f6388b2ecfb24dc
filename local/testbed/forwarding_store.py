"""A store that forwards to another one, for proofs that observe single operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from include.store.store import Item, Key, Store


class ForwardingStore:
    """Forwards every operation; a proof's subclass overrides the operations that it observes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: Key) -> Item | None:
        """As `Store.get`."""
        return self._store.get(key)

    def get_all(self, keys: Iterable[Key]) -> Mapping[Key, Item]:
        """As `Store.get_all`."""
        return self._store.get_all(keys)

    def put(
        self, key: Key, fields: Mapping[str, Any], *, expected_version: int, expires_at_epoch_s: int | None = None
    ) -> int:
        """As `Store.put`."""
        return self._store.put(key, fields, expected_version=expected_version, expires_at_epoch_s=expires_at_epoch_s)

    def delete(self, key: Key, *, expected_version: int) -> None:
        """As `Store.delete`."""
        self._store.delete(key, expected_version=expected_version)

    def query(self, table: str, partition: str, sort_prefix: str = "") -> Iterator[Item]:
        """As `Store.query`."""
        return self._store.query(table, partition, sort_prefix)

    def find(self, table: str, index: str, value: str | int, **limits: Any) -> Iterator[Item]:
        """As `Store.find`."""
        return self._store.find(table, index, value, **limits)

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        """As `Store.add`."""
        return self._store.add(key, increments, ceilings=ceilings, expires_at_epoch_s=expires_at_epoch_s)

    def close(self) -> None:
        """As `Store.close`."""
        self._store.close()
