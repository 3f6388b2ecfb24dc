"""The lake's partitions that wait for the catalogue: a row from just before a change until it is registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from include.clock import Clock
from include.store.codec import FLAT, NOT_STORED, decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store

_WAITING = "waiting"

NOTED_S = 300
"""Within this time a noted partition is not noted again: no row younger than `SETTLED_S` is removed."""

SETTLED_S = 900
"""After this time a noted change has happened or never will: no writer takes longer from the note to the write."""


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One partition of a lake table; `athlete_id` is None for `copies`, which is partitioned by year alone."""

    table: str
    athlete_id: int | None
    year: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A partition that waits for the catalogue, and the row that says so."""

    partition: Partition = field(metadata=FLAT)
    noted_at_epoch_s: float
    """When a writer was last about to change it."""
    version: int = field(metadata=NOT_STORED)

    def is_settled(self, now_epoch_s: float) -> bool:
        """Whether the noted change has happened or never will."""
        return now_epoch_s - self.noted_at_epoch_s >= SETTLED_S


class Partitions:
    """The waiting partitions; any number of processes may note, read and remove them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @retry_on_conflict
    def note(self, partition: Partition) -> None:
        """Note that the catalogue has to check the partition; call it before the change, so that a crash leaves no gap.

        Effects: safe to repeat; a partition that was noted a short while ago is left as it is.
        """
        key, now_epoch_s = _key(partition), self._clock()
        item = self._store.get(key)
        if item is not None and 0 <= now_epoch_s - item.fields["noted_at_epoch_s"] < NOTED_S:
            return
        waiting = Waiting(partition, now_epoch_s, item.version if item else ABSENT)
        self._store.put(key, encode(waiting), expected_version=waiting.version)

    def waiting(self) -> Iterator[Waiting]:
        """Every partition that waits, by athlete."""
        return map(_waiting, self._store.query("partitions", _WAITING))

    def of_athlete(self, athlete_id: int) -> list[Partition]:
        """The athlete's partitions that wait."""
        items = self._store.query("partitions", _WAITING, f"{athlete_id}/")
        return [_waiting(item).partition for item in items]

    def waits_since(self, waited_s: float) -> bool:
        """Whether a partition has waited for that long."""
        before = self._clock() - waited_s
        return any(waiting.noted_at_epoch_s <= before for waiting in self.waiting())

    def is_there(self, waiting: Waiting) -> bool:
        """Whether the row still exists, noted again or not."""
        return self._store.get(_key(waiting.partition)) is not None

    @retry_on_conflict
    def remove(self, waiting: Waiting) -> None:
        """Remove a partition that the catalogue agrees with. Effects: none if it was noted again since it was read."""
        item = self._store.get(_key(waiting.partition))
        if item is not None and _waiting(item) == waiting:
            self._store.delete(item.key, expected_version=item.version)

    @retry_on_conflict
    def forget(self, partition: Partition) -> None:
        """Remove the partition of an erased athlete. Effects: safe to repeat."""
        item = self._store.get(_key(partition))
        if item is not None:
            self._store.delete(item.key, expected_version=item.version)


def _waiting(item: Item) -> Waiting:
    return decode(Waiting, item.fields, version=item.version)


def _key(partition: Partition) -> Key:
    owner = "-" if partition.athlete_id is None else partition.athlete_id
    return Key("partitions", _WAITING, f"{owner}/{partition.table}/{partition.year}")
