"""Rebuilds the lake's tables from the raw zone, without a call: after a change of the transforms, or a loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from include.errors import LeaseLost, UnexpectedShape
from include.lake import keys
from include.lake.rows.synced import ActivityRows, build_rows
from include.pipeline.copying.copies_due import with_undecided_copies
from include.pipeline.ingest.sync import describe
from include.pipeline.uses import UsesLake, UsesStorage
from include.state.activities.ledger import ActivityState, Lease, LedgerEntry
from include.state.state import UsesState
from include.strava.models import Activity

CHUNK = 60
"""How many activities of a month are written at once: few enough for the memory and for the length of a lease."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_GONE = (ActivityState.REMOVED, ActivityState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Activities of one athlete and month, which share their table objects."""

    athlete_id: int
    activity_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a chunk; results of chunks can be added."""

    activities: int = 0
    """Rebuilt; in a dry run, readable."""
    rows: int = 0
    busy: int = 0
    """Skipped: another worker holds them, and writes them from an answer that is at least as new."""
    unreadable: tuple[str, ...] = ()
    """Objects that could not be read, each with the reason; the rows of their activities are unchanged."""

    def __add__(self, other: Replayed) -> Replayed:
        return Replayed(
            self.activities + other.activities,
            self.rows + other.rows,
            self.busy + other.busy,
            self.unreadable + other.unreadable,
        )


def plan(services: UsesState, athlete_id: int, first_start_at: datetime | None = None) -> list[Chunk]:
    """The activities to rebuild: every activity that has rows by the ledger, and quarantined ones.

    Shape: oldest first, at most `CHUNK` in each. Only activities that started at `first_start_at` or later, if given.
    """
    first_start_epoch_s = first_start_at.timestamp() if first_start_at else float("-inf")
    entries = [
        entry
        for entry in services.state.activities.of_athlete(athlete_id)
        if _has_rows(entry) and (entry.start_at_epoch_s is None or entry.start_at_epoch_s >= first_start_epoch_s)
    ]
    entries.sort(key=lambda entry: (_month(entry), entry.activity_id))
    chunks = []
    for _, month in groupby(entries, key=_month):
        ids = [int(entry.activity_id) for entry in month]
        chunks += [Chunk(athlete_id, tuple(ids[start : start + CHUNK])) for start in range(0, len(ids), CHUNK)]
    return chunks


def replay(services: UsesStorage, chunk: Chunk, *, dry_run: bool = False) -> Replayed:
    """Rebuild the rows of these activities from their raw objects, writing each table object once.

    Unchanged rows are not written, so the bytes stay. Lost rows get the time of the last fetch as `updated_at`; a
    detailed answer counts as brought by a webhook, a list row as brought by a backfill.

    It is safe beside live work: each activity is leased, so no other worker writes it between the read of its raw
    objects and the write of its rows, and a run that wants it meanwhile marks it, so that reconcile queues it. An
    activity that another worker holds is left to that worker, which is not asked to fetch again. The ledger keeps its
    fingerprints and next tries: a replay is not an answer from Strava, so due work stays due. After a crash the leases
    run out, and reconcile queues their activities, at one call each.

    Errors: `ObjectConflict`, `RetryLater`: repeat it. Effects: safe to repeat; makes no call to Strava.
    """
    if dry_run:
        return _dry(services, chunk)
    with _leased(services, chunk) as leases:
        busy = len(chunk.activity_ids) - len(leases)
        entries = [lease.entry for lease in leases.values()]
        rebuilt, unreadable = _rebuild(services, chunk.athlete_id, entries)
        try:
            written = _write(services, leases, rebuilt)
        except UnexpectedShape as error:
            return Replayed(busy=busy, unreadable=(*unreadable, str(error)))
        except LeaseLost:
            return Replayed(busy=busy + len(rebuilt), unreadable=unreadable)
    return replace(written, busy=busy, unreadable=unreadable)


@contextmanager
def _leased(services: UsesState, chunk: Chunk) -> Iterator[Mapping[int, Lease]]:
    """The leases by activity; at the end unsettled ones are released, their rows unchanged.

    Noted object keys stay: an interrupted write may have left rows in them.
    """
    leases: dict[int, Lease] = {}
    with ExitStack() as held:
        for activity_id in chunk.activity_ids:
            lease = held.enter_context(services.state.activities.held(chunk.athlete_id, activity_id))
            if lease is not None:
                leases[activity_id] = lease
        yield leases


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    """An activity's rows from its raw objects, and the ledger's entry once they are written."""

    rows: ActivityRows
    entry: LedgerEntry
    activity: Activity


def _rebuild(
    services: UsesStorage, athlete_id: int, entries: Iterable[LedgerEntry | None]
) -> tuple[list[_Rebuilt], tuple[str, ...]]:
    """The rows that can be rebuilt, and the objects that cannot be read."""
    rebuilt, unreadable = [], []
    made = services.state.copies.made_for(athlete_id)
    for entry in entries:
        if entry is not None and _has_rows(entry):
            try:
                again = _rebuilt(services, entry, made)
            except UnexpectedShape as error:
                unreadable.append(str(error))
            else:
                rebuilt += [again] if again else []
    return rebuilt, tuple(unreadable)


def _rebuilt(services: UsesLake, entry: LedgerEntry, made: Mapping[int, int]) -> _Rebuilt | None:
    """The rebuilt activity; None for a quarantined one without a raw object.

    Errors: `UnexpectedShape` that names the object.
    """
    athlete_id, activity_id = entry.athlete_id, entry.activity_id
    fetched_at_epoch_s = entry.fetched_at_epoch_s or 0.0
    with _named(keys.raw_detail_key(athlete_id, activity_id)):
        activity = services.lake.raw.detail(athlete_id, activity_id)
        if activity is None and not entry.object_keys:
            return None
        if activity is None:
            raise UnexpectedShape("there is no such object, although the lake has rows of the activity")
        if (activity.athlete_id, activity.activity_id) != (athlete_id, activity_id):
            raise UnexpectedShape(f"the object is about activity {activity.activity_id} of {activity.athlete_id}")
    with _named(keys.raw_streams_key(athlete_id, activity_id)):
        streams = services.lake.raw.streams(athlete_id, activity_id)
    with _named(keys.raw_detail_key(athlete_id, activity_id)):
        source = "webhook" if activity.is_detail else "backfill"
        updated_at = fetched_at_epoch_s or services.clock()
        rows = build_rows(activity, streams, made=made, source=source, updated_at_epoch_s=updated_at)
    if entry.state is ActivityState.QUARANTINED:
        described = describe(entry, activity, streams, fetched_at_epoch_s=fetched_at_epoch_s).still_due_as(entry)
        since_epoch_s = entry.oldest_answer_epoch_s
        entry = replace(described, object_keys=entry.object_keys, oldest_answer_epoch_s=since_epoch_s)
    return _Rebuilt(rows, entry, activity)


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Adds the object's key to an error of the block."""
    try:
        yield
    except UnexpectedShape as error:
        raise UnexpectedShape(str(error) if key in str(error) else f"{key}: {error}") from error


def _write(services: UsesStorage, leases: Mapping[int, Lease], rebuilt: Sequence[_Rebuilt]) -> Replayed:
    """Write the rows under their leases, and settle these."""

    def guard() -> None:
        for again in rebuilt:
            services.state.activities.check(leases[again.rows.activity_id])

    for again in rebuilt:
        services.state.activities.note(leases[again.rows.activity_id], again.rows.object_keys)
    written = services.lake.tables.write(
        [again.rows for again in rebuilt],
        previous_keys={again.rows.activity_id: again.entry.object_keys for again in rebuilt},
        guard=guard,
    )
    for again in rebuilt:
        activity_id = again.rows.activity_id
        entry = replace(again.entry, object_keys=written.object_keys[activity_id])
        entry = with_undecided_copies(services, leases[activity_id], entry, again.activity)
        services.state.activities.settle(leases[activity_id], entry)
    return Replayed(len(rebuilt), written.rows)


def _dry(services: UsesStorage, chunk: Chunk) -> Replayed:
    entries = [services.state.activities.get(chunk.athlete_id, activity_id) for activity_id in chunk.activity_ids]
    rebuilt, unreadable = _rebuild(services, chunk.athlete_id, entries)
    rows = sum(table.num_rows for again in rebuilt for _, table in again.rows.tables())
    return Replayed(len(rebuilt), rows, unreadable=unreadable)


def _has_rows(entry: LedgerEntry) -> bool:
    """Whether the lake should hold rows of the activity, or would if its answer had been readable."""
    return entry.state not in _GONE and (bool(entry.object_keys) or entry.state is ActivityState.QUARANTINED)


def _month(entry: LedgerEntry) -> str:
    if entry.start_at_epoch_s is None:
        return ""
    return (_EPOCH + timedelta(seconds=entry.start_at_epoch_s)).strftime("%Y-%m")
