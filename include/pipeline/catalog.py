"""`strava_catalog`: the catalogue is made to agree with the lake about every partition that waits."""

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
"""How many partitions are looked at before their rows go: what a run that dies has done stays done."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """How many partitions the catalogue names, and how many it names no more, of those that waited."""

    registered: int = 0
    removed: int = 0

    def __add__(self, other: Agreed) -> Agreed:
        return Agreed(self.registered + other.registered, self.removed + other.removed)

    def to_json(self) -> dict[str, int]:
        """The numbers, as XCom carries them."""
        return asdict(self)


def register_waiting(services: UsesLake) -> Agreed:
    """Register each partition that waits and holds something, and let the catalogue forget each that holds nothing.

    What a partition holds is asked of the lake, never of who noted it: so the rows of an erased athlete's partitions,
    also of a late worker's, bring nothing back.
    Errors: `RetryLater`; what was agreed upon before stays so.
    Effects: a row goes once its partition was seen to hold something, or nothing when its change must be over; until
    then a later run looks again. Safe to repeat, to run twice at once, and beside any writer.
    """
    agreed, waiting = Agreed(), list(services.lake.partitions.waiting())
    services.lake.catalog.register(())  # views follow the lake even where nothing waits
    for start in range(0, len(waiting), AT_ONCE):
        agreed += _agree(services, waiting[start : start + AT_ONCE])
    return agreed


def is_crawl_due(services: UsesLake, settings: Settings, *, is_asked_for: bool) -> bool:
    """Whether the caller is to start the crawler: once in `CRAWL_EVERY_H`, and at once where a table has changed.

    Effects: the turn is taken; see `Crawls.take`.
    """
    return services.lake.crawls.take(schema_digest(), int(settings.crawl_every_h) * HOUR_S, is_asked_for=is_asked_for)


def _agree(services: UsesLake, waiting: Sequence[Waiting]) -> Agreed:
    held = [each for each in waiting if _holds_something(services, each.partition)]
    empty = [each for each in waiting if each not in held]
    services.lake.catalog.register(each.partition for each in held)
    services.lake.catalog.unregister(each.partition for each in empty)
    undone = list(_gone(services, held))
    services.lake.catalog.unregister(undone)
    for each in (*held, *(each for each in empty if each.is_settled(services.clock()))):
        services.lake.partitions.remove(each)
    return Agreed(len(held) - len(undone), len(empty) + len(undone))


def _gone(services: UsesLake, registered: Sequence[Waiting]) -> Iterator[Partition]:
    """Those that were emptied while they were registered, by an erasure that took their rows too."""
    for each in registered:
        if not services.lake.partitions.is_there(each) and not _holds_something(services, each.partition):
            yield each.partition


def _holds_something(services: UsesLake, partition: Partition) -> bool:
    return next(services.lake.objects.list(partition_prefix(partition)), None) is not None
