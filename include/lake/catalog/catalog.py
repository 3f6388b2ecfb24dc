"""The protocol of the lake's catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from include.state.partitions import Partition


class Catalog(Protocol):
    """The catalogue of the lake's tables. Every implementation passes `tests/contract/test_catalog.py` unchanged."""

    def register(self, partitions: Iterable[Partition]) -> None:
        """Make the partitions queryable; safe to repeat, also for unknown or registered ones."""
        ...

    def unregister(self, partitions: Iterable[Partition]) -> None:
        """Remove empty partitions from the catalogue; safe to repeat, also for unknown ones."""
        ...

    def of_athlete(self, athlete_id: int) -> list[Partition]:
        """The athlete's partitions in the catalogue, empty ones included."""
        ...
