"""The chunks that a run maps over: Airflow limits how many items a task is mapped over, and chunks stay below it."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Generic, TypeVar

from include.errors import IngestError, NotConnected, QuotaSpent, RetryLater, ScopeMissing, TokenRefused, WorkBroken

log = logging.getLogger(__name__)

MAX_CHUNKS = 500
"""How many chunks a run maps over: half of what Airflow takes (`max_map_length`)."""

ACTIVITIES = 20
"""How many activities a task works on: few enough for a 2 GB worker, enough to share a month's object."""

AT_ONCE = 4
"""How many tasks an ingest run has before its tasks grow: about as many as a worker runs at once."""

COPIED_AT_ONCE = 4
"""How many activities of a chunk are copied at once: most of a copy's time is spent waiting for Strava."""

ATHLETES = 50
"""How many athletes a task of `strava_retention` checks."""

K = TypeVar("K")
R = TypeVar("R")


def in_chunks(
    keys: Iterable[K], size: int, *, owner: Callable[[K], Hashable] = lambda _: None, turn: int = 0
) -> list[list[K]]:
    """The keys in at most `MAX_CHUNKS` chunks of at most `size`; every mapped task is mapped over such chunks.

    Shape: an owner with enough keys for a chunk gets chunks of its own; the remainders of all owners share chunks, in
    order. More keys than one run can take are cut into equal parts: run number `turn` takes one part, the next run the
    next part.
    """
    keys = list(keys)
    parts = max(1, ceil(len(keys) / (MAX_CHUNKS * size)))
    if parts > 1:
        part = ceil(len(keys) / parts)
        start = turn % parts * part
        log.warning(
            "This run takes %s of %s, from number %s on: a run has at most %s chunks of %s. The next run continues.",
            *(min(part, len(keys) - start), len(keys), start + 1, MAX_CHUNKS, size),
        )
        keys = keys[start : start + part]
    by_owner: dict[Hashable, list[K]] = defaultdict(list)
    for key in keys:
        by_owner[owner(key)].append(key)
    full = [chunk for owned in by_owner.values() for chunk in _cut(owned, size) if len(chunk) == size]
    left = [key for owned in by_owner.values() for key in owned[len(owned) - len(owned) % size :]]
    return [*full, *_cut(left, size)]


def size_for(activities: int) -> int:
    """How many of a run's activities share a task: one in quiet times, many under load."""
    return min(ACTIVITIES, max(1, ceil(activities / AT_ONCE)))


@dataclass(frozen=True, slots=True)
class ChunkOutcome(Generic[K, R]):
    """The outcome of a chunk, by key."""

    done: Mapping[K, R]
    faults: Mapping[K, Exception]

    @property
    def waiting(self) -> tuple[str, ...]:
        """What each unfinished key waits for."""
        return tuple(map(waits_for, self.faults.values()))

    def confirm(self) -> None:
        """Raise the chunk's defect, if any; call it when all results are stored.

        Errors: `WorkBroken` that names the keys whose work raised anything but an error of this project.
        """
        defects = {key: fault for key, fault in self.faults.items() if not isinstance(fault, IngestError)}
        if defects:
            named = "; ".join(f"{key} ({type(fault).__name__})" for key, fault in defects.items())
            raise WorkBroken(
                f"A defect broke the work on {len(defects)} of {len(self.done) + len(self.faults)}: {named}. "
                "The others are done; these become due again by the ledger. Report the traceback in the log above."
            ) from next(iter(defects.values()))


def process_each(keys: Iterable[K], work: Callable[[K], R], *, at_once: int = 1) -> ChunkOutcome[K, R]:
    """Do the work of every key; a key that fails stops no other, and becomes due again by its own row.

    With `at_once` above 1 that many threads work in parallel, for work that mostly waits; the results keep the order.

    Errors: the first fault, if every key failed: then a retry of the chunk repeats nothing. A defect is no such fault,
    since a retry does not mend it: `ChunkOutcome.confirm` raises it.
    """
    done, faults = dict[K, R](), dict[K, Exception]()
    with closing(_outcomes(keys, work, at_once)) as outcomes:
        for key, outcome in outcomes:
            try:
                done[key] = outcome()
            except Exception as fault:
                log.error("%s: %s The others of this chunk continue.", type(fault).__name__, fault, exc_info=fault)
                faults[key] = fault
    if faults and not done and all(isinstance(fault, IngestError) for fault in faults.values()):
        raise next(iter(faults.values()))
    return ChunkOutcome(done, faults)


def _outcomes(
    keys: Iterable[K], work: Callable[[K], R], at_once: int
) -> Generator[tuple[K, Callable[[], R]], None, None]:
    """Each key with a function that returns its result or raises. Effects: after a close no further key is started."""
    if at_once == 1:
        yield from ((key, partial(work, key)) for key in keys)
        return
    with ThreadPoolExecutor(at_once) as pool:
        try:
            yield from [(key, pool.submit(work, key).result) for key in keys]
        finally:
            pool.shutdown(cancel_futures=True)


def label(names: Sequence[object], noun: str, waiting: Iterable[str] = ()) -> str:
    """A chunk's label in the Airflow UI: its first name, how many names it has, and what waits."""
    parts = [str(name) for name in names[:1]]
    if len(names) > 1:
        parts.append(f"{len(names)} {noun}")
    for what, count in sorted(Counter(waiting).items()):
        parts.append(f"{count} {'waits' if count == 1 else 'wait'}: {what}")
    return " · ".join(parts)


def waits_for(fault: Exception) -> str:
    """What the work waits for, in a word or two."""
    if isinstance(fault, QuotaSpent):
        return "quota"
    if isinstance(fault, TokenRefused | NotConnected | ScopeMissing):
        return "access"
    return "a temporary fault" if isinstance(fault, RetryLater) else type(fault).__name__


def _cut(keys: Sequence[K], size: int) -> Iterator[list[K]]:
    for start in range(0, len(keys), size):
        yield list(keys[start : start + size])
