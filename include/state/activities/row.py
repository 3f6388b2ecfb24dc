"""The row of one activity: its entry, and the lease on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

from include.state.activities.entry import LedgerEntry
from include.store.codec import NOT_STORED, decode, encode
from include.store.store import ABSENT, Item, Key


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of the table `activities`; one that does not exist has no entry and the version `ABSENT`."""

    key: Key = field(metadata=NOT_STORED)
    entry: LedgerEntry | None = field(default=None, metadata=NOT_STORED)
    """Its fields are stored among the row's own."""
    fence: int = 0
    lease_until_epoch_s: float = 0.0
    dirty: bool = False
    """Whether the activity was requested while it was leased."""
    doubtful: bool = False
    """Whether an earlier lease was never released: its holder may have died, or may still write."""
    version: int = field(default=ABSENT, metadata=NOT_STORED)

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """The row as it was read."""
        entry = decode(LedgerEntry, item.fields) if "state" in item.fields else None
        return decode(cls, item.fields, key=item.key, entry=entry, version=item.version)

    def to_fields(self) -> dict[str, Any]:
        """The fields of the row."""
        return encode(self) | (self.entry.to_fields() if self.entry else {})

    def with_noted(self, entry: LedgerEntry) -> LedgerEntry:
        """The entry, with the object keys that are noted in this row too."""
        noted = self.entry.object_keys if self.entry else ()
        return replace(entry, object_keys=tuple(sorted({*noted, *entry.object_keys})))
