"""The lake's tables: compact objects, each rewritten as a whole under a condition."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from include.errors import BadKey
from include.lake.encodings import Encodings
from include.lake.keys import partition_of
from include.lake.objects.conflict import Guard, until_written
from include.lake.objects.objects import Condition, ObjectStore
from include.lake.rows.synced import ActivityRows
from include.lake.schemas import TABLES
from include.lake.table_object import decode, encode, is_current, merge
from include.state.partitions import Partition


@dataclass(frozen=True, slots=True)
class LakeWrite:
    """The result of a write or removal."""

    object_keys: Mapping[int, tuple[str, ...]]
    """The keys of the table objects that hold each activity's rows now, sorted."""
    rows: int
    """The number of rows after a write, or the number of removed rows."""


@dataclass(frozen=True, slots=True)
class _Change:
    """The change of one object: the rows of these activities are replaced by the new rows."""

    key: str
    activity_ids: frozenset[int] = frozenset()
    tables: tuple[pa.Table, ...] = field(default=(), repr=False)


class Lake:
    """Writes and removes the rows of activities; any number of processes may do so at once.

    An object is read, changed, and written back only if nobody else wrote it meanwhile; otherwise it is read again.
    So no row is lost, and a reader never sees a row twice within one object.
    """

    def __init__(
        self,
        objects: ObjectStore,
        *,
        encodings: Encodings = Encodings.SAFE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._objects = objects
        self._encodings = encodings
        self._retry = until_written(sleep)

    def write(
        self, rows: Sequence[ActivityRows], *, previous_keys: Mapping[int, Sequence[str]] | None = None, guard: Guard
    ) -> LakeWrite:
        """Make the lake hold exactly these rows for these activities.

        `previous_keys` names the table objects that held an activity before; where it has moved, its old rows are
        removed after the new ones are written. Each object is written at most once, whatever the number of
        activities, and not at all where it already holds the rows.

        Errors: `BadKey` for a previous key that is not a table object of the athlete; whatever `guard` raises;
        `ObjectConflict` when other writers won every one of many tries: call again.
        Effects: safe to repeat; after a crash, call it again with the same `previous_keys`.
        """
        latest = {activity.activity_id: activity for activity in rows}
        changes: dict[str, _Change] = {}
        held: dict[int, set[str]] = {activity_id: set() for activity_id in latest}
        for activity_id, activity in latest.items():
            for key, table in activity.tables():
                _plan(changes, key, activity_id, table)
                if table.num_rows:
                    held[activity_id].add(key)
            for key in (previous_keys or {}).get(activity_id, ()):
                partition = _partition_of_athlete(key, activity.athlete_id)
                if partition.table == "laps" and activity.laps is None:
                    held[activity_id].add(key)
                elif key not in activity.object_keys:
                    _plan(changes, key, activity_id, None)
        for change in sorted(changes.values(), key=lambda change: (not change.tables, change.key)):
            self._retry(self._apply, change, guard)
        return LakeWrite(
            object_keys={activity_id: tuple(sorted(object_keys)) for activity_id, object_keys in held.items()},
            rows=sum(table.num_rows for activity in latest.values() for _, table in activity.tables()),
        )

    def remove(
        self, athlete_id: int, activity_ids: Collection[int], object_keys: Sequence[str], *, guard: Guard
    ) -> LakeWrite:
        """Remove the activities' rows from these table objects; an object that becomes empty is deleted.

        Errors: `BadKey` for a key that is no table object of the athlete; whatever `guard` raises; `ObjectConflict`.
        Effects: safe to repeat.
        """
        changes: dict[str, _Change] = {}
        for key in object_keys:
            _partition_of_athlete(key, athlete_id)
            for activity_id in activity_ids:
                _plan(changes, key, activity_id, None)
        removed = sum(self._retry(self._apply, changes[key], guard) for key in sorted(changes))
        return LakeWrite(dict.fromkeys(activity_ids, ()), removed)

    def amend(self, key: str, change: Callable[[pa.Table], Sequence[pa.Table]]) -> None:
        """Replace rows of one object by those that `change` returns for the same activities.

        `change` is called again after a conflict; if it returns no table, nothing is written.
        Errors: whatever `change` raises; `ObjectConflict`; `UnexpectedShape` for a broken object.
        Effects: none where there is no such object. Safe to repeat.
        """
        self._retry(self._amend, key, change)

    def _amend(self, key: str, change: Callable[[pa.Table], Sequence[pa.Table]]) -> None:
        stored = self._objects.get(key)
        if stored is None:
            return
        old = decode(key, stored.body)
        if rows := change(old):
            ids = {activity_id for each in rows for activity_id in each["activity_id"].to_pylist()}
            merged, _ = merge(partition_of(key).table, old, ids, rows)
            self._objects.put(key, encode(merged, self._encodings), expected=stored.etag)

    def _apply(self, change: _Change, guard: Guard) -> int:
        """Read, change and write one object once; returns how many rows of the activities it held before."""
        table = partition_of(change.key).table
        stored = self._objects.get(change.key)
        old = TABLES[table].empty_table() if stored is None else decode(change.key, stored.body)
        merged, replaced = merge(table, old, change.activity_ids, change.tables)
        guard()
        if merged.num_rows and not (stored and is_current(old, merged)):
            body = encode(merged, self._encodings)
            self._objects.put(change.key, body, expected=stored.etag if stored else Condition.ABSENT)
        elif stored and not merged.num_rows:
            self._objects.delete(change.key, expected=stored.etag)
        return replaced


def _plan(changes: dict[str, _Change], key: str, activity_id: int, table: pa.Table | None) -> None:
    change = changes.get(key, _Change(key))
    changes[key] = replace(
        change,
        activity_ids=change.activity_ids | {activity_id},
        tables=change.tables if table is None else (*change.tables, table),
    )


def _partition_of_athlete(key: str, athlete_id: int) -> Partition:
    partition = partition_of(key)
    if partition.athlete_id != athlete_id:
        raise BadKey(f"{key!r} does not belong to athlete {athlete_id}; the ledger row that names it is wrong")
    return partition
