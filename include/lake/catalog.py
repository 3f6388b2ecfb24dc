"""The protocol of the lake's catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One partition of a lake table; `athlete_id` is None for `copies`, which is partitioned by year alone."""

    table: str
    athlete_id: int | None
    year: int

    def to_json(self) -> list[str | int | None]:
        """The partition as XCom and asset events carry it: `Partition(*value)` reads it."""
        return [self.table, self.athlete_id, self.year]


class Catalog(Protocol):
    """Where analysts find the tables. Every implementation passes `tests/contract/test_catalog.py` unchanged."""

    def register(self, partitions: Iterable[Partition]) -> None:
        """Make the partitions queryable; safe to repeat, unknown or already registered ones included."""
        ...
