"""The protocol of the lake's catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from include.state.partitions import Partition


class Catalog(Protocol):
    """Where analysts find the tables. Every implementation passes `tests/contract/test_catalog.py` unchanged."""

    def register(self, partitions: Iterable[Partition]) -> None:
        """Make the partitions queryable; safe to repeat, unknown or already registered ones included."""
        ...

    def unregister(self, partitions: Iterable[Partition]) -> None:
        """Name the partitions no more, which hold nothing; safe to repeat, unknown ones included."""
        ...

    def of_athlete(self, athlete_id: int) -> list[Partition]:
        """The athlete's partitions that the catalogue names, whether they hold anything or not."""
        ...
