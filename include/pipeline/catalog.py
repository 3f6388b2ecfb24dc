"""`strava_catalog`: makes the catalogue agree with the lake for every partition that waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from include.lake.keys import partition_prefix
from include.lake.schemas import schema_digest
from include.pipeline.uses import UsesLake
from include.settings import Settings
from include.state.partitions import Partition, Waiting

HOUR_S = 3600

AT_ONCE = 100
"""How many partitions are registered before their rows are removed: a run that dies repeats at most that many."""


@dataclass(frozen=True, slots=True)
class PartitionCounts:
    """How many waiting partitions were registered, and how many unregistered."""

    registered: int = 0
    removed: int = 0

    def __add__(self, other: PartitionCounts) -> PartitionCounts:
        return PartitionCounts(self.registered + other.registered, self.removed + other.removed)

    def to_json(self) -> dict[str, int]:
        """The numbers, as XCom carries them."""
        return asdict(self)


def register_waiting(services: UsesLake) -> PartitionCounts:
    """Register each waiting partition that holds objects, and unregister each that holds none.

    The lake's keys decide what a partition holds, not the waiting row: so rows of an erased athlete's partitions, or of
    a late worker's, register nothing.
    Errors: `RetryLater`; partitions handled before stay handled.
    Effects: a row is removed once its partition holds objects, or is empty after the time in which its change must have
    ended; until then a later run checks again. Safe to repeat, to run twice at once, and to run beside any writer.
    """
    counts, waiting = PartitionCounts(), list(services.lake.partitions.waiting())
    services.lake.catalog.register(())  # updates the local views even where no partition waits
    for start in range(0, len(waiting), AT_ONCE):
        counts += _register_or_remove(services, waiting[start : start + AT_ONCE])
    return counts


def is_crawl_due(services: UsesLake, settings: Settings, *, is_asked_for: bool) -> bool:
    """Whether the caller has to start the crawler: once in `CRAWL_EVERY_H`, and at once when a table has changed.

    Effects: records the crawl; see `Crawls.take`.
    """
    return services.lake.crawls.take(schema_digest(), int(settings.crawl_every_h) * HOUR_S, is_asked_for=is_asked_for)


def _register_or_remove(services: UsesLake, waiting: Sequence[Waiting]) -> PartitionCounts:
    held = [each for each in waiting if _holds_something(services, each.partition)]
    empty = [each for each in waiting if each not in held]
    services.lake.catalog.register(each.partition for each in held)
    services.lake.catalog.unregister(each.partition for each in empty)
    undone = list(_gone(services, held))
    services.lake.catalog.unregister(undone)
    for each in (*held, *(each for each in empty if each.is_settled(services.clock()))):
        services.lake.partitions.remove(each)
    return PartitionCounts(len(held) - len(undone), len(empty) + len(undone))


def _gone(services: UsesLake, registered: Sequence[Waiting]) -> Iterator[Partition]:
    """Partitions that an erasure emptied, with their rows, while they were being registered."""
    for each in registered:
        if not services.lake.partitions.is_there(each) and not _holds_something(services, each.partition):
            yield each.partition


def _holds_something(services: UsesLake, partition: Partition) -> bool:
    return next(services.lake.objects.list(partition_prefix(partition)), None) is not None
