"""A store in which another process acts between a read and the write that follows it."""

from __future__ import annotations

from collections.abc import Callable

from include.store.store import Item, Key, Store
from local.testbed.forwarding_store import ForwardingStore


class Meanwhile(ForwardingStore):
    """Lets each of the others act once, in their order, after a read of a row of that table."""

    def __init__(self, store: Store, table: str, *others: Callable[[], object]) -> None:
        super().__init__(store)
        self._table = table
        self._others = list(others)

    def get(self, key: Key) -> Item | None:
        """The row as it was before the next of the others acted."""
        found = super().get(key)
        if key.table == self._table and self._others:
            self._others.pop(0)()
        return found
