"""When the lake's crawler last ran, for which schema, and whether it may start now."""

from __future__ import annotations

from include.clock import Clock
from include.errors import VersionConflict
from include.store.store import ABSENT, Key, Store

_KEY = Key("partitions", "crawl")
"""A row of the table of waiting partitions, because the crawler finds the partitions that no row names."""


class Crawls:
    """The right to start a crawl, which costs money: one row, written under a condition."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def take(self, schema: str, every_s: float, *, is_asked_for: bool) -> bool:
        """Whether the caller has to start the crawler now; False if another process takes it at the same time.

        A crawl is due when the last one is `every_s` old or was for another `schema`, or when `is_asked_for` is set.
        Effects: the crawl counts as started even if the process dies: the next one is then due `every_s` later.
        """
        item, now_epoch_s = self._store.get(_KEY), self._clock()
        is_due = (
            item is None or item.fields["schema"] != schema or item.fields["taken_at_epoch_s"] + every_s <= now_epoch_s
        )
        if not is_due and not is_asked_for:
            return False
        fields = {"schema": schema, "taken_at_epoch_s": now_epoch_s}
        try:
            self._store.put(_KEY, fields, expected_version=item.version if item else ABSENT)
        except VersionConflict:
            return False
        return True
