"""The rows of `copies`, kept equal to the ledger of copies."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from include.errors import UnexpectedShape
from include.lake.keys import copies_key, parent_of_copies
from include.lake.objects.conflict import until_written
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.lake.schemas import COPIES
from include.lake.table_object import decode, encode, is_current
from include.state.copies.ledger import FINAL_STATES, MADE_STATES, Copy, CopyLedger

Pair = tuple[int, int]
"""A row's identity: parent's activity, child."""

Row = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CopyRows:
    """Keeps `copies` equal to the ledger; any number of processes may do so at once.

    Every change of the ledger is followed by `refresh`. It reads the object, then the ledger, and writes the object
    only if nobody else wrote it meanwhile; then it compares again, until object and ledger agree.
    So the object ends with the newest row, in whatever order two workers read and write: the writer of the last write
    compares once more, reads the ledger after its write and finds nothing newer, and a later change of the ledger is
    followed by a comparison of its own. The repeated comparison is needed because an object that was deleted, or
    changed and changed back, looks unchanged to a condition.
    A crash between the ledger's change and `refresh` leaves an old row until `repair`.
    """

    def __init__(
        self, objects: ObjectStore, ledger: CopyLedger, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._objects = objects
        self._ledger = ledger
        self._retry = until_written(sleep)

    def refresh(self, parent_activity_id: int) -> int:
        """Update the rows of one activity's copies from the ledger; call it after the ledger changed.

        Returns how many rows were added, removed or changed.

        Errors: `ObjectConflict` when other writers won every one of many tries: call again.
        Effects: safe to repeat; nothing is written where the rows are up to date.
        """
        stale: dict[str, set[Pair]] = defaultdict(set)
        for copy in self._ledger.of_activity(parent_activity_id):
            stale[object_of(copy)].add(_pair(copy))
        return self._update_all(stale)

    def repair(self, parent_ids: Iterable[int]) -> int:
        """Make all of `copies` agree with the ledger, after a crash or a manual change of either.

        `parent_ids` are the known athletes; parents whom only the lake knows are checked too.
        Returns how many rows were added, removed or changed.

        Errors: `ObjectConflict` when other writers won every one of many tries: call again.
        Effects: deletes and rebuilds an unreadable object. Safe to repeat, and beside copying: a difference is read
        again before it is changed.
        """
        in_lake: dict[int, set[str]] = defaultdict(set)
        for key in self._objects.list("copies/"):
            in_lake[parent_of_copies(key)].add(key)
        stale: dict[str, set[Pair]] = {}
        for parent_id in {*parent_ids, *in_lake}:
            wanted: dict[str, dict[Pair, Row]] = {key: {} for key in in_lake[parent_id]}
            for copy in self._ledger.of_parent(parent_id):
                wanted.setdefault(object_of(copy), {})[_pair(copy)] = row_of(copy)
            for key, rows in wanted.items():
                held = self._retry(self._readable_rows, key)
                stale[key] = {pair for pair in {*held, *rows} if held.get(pair) != rows.get(pair)}
        return self._update_all(stale)

    def remove_athlete(self, athlete_id: int, keys: Iterable[str]) -> int:
        """Remove every row in which the athlete is the parent or the child from the objects of these keys.

        A child's rows are in their parents' objects, whose other rows stay. `object_of` gives the object of each copy
        in the ledger: call it before the ledger's rows are removed.

        Call this after the athlete's rows are removed from the ledger: then no worker can bring a row back, since a
        worker that still writes one compares with the ledger again and removes it.

        Errors: `ObjectConflict` when other writers won every one of many tries: call again.
        Effects: safe to repeat.
        """
        return sum(self._retry(self._without, key, athlete_id) for key in keys)

    def _readable_rows(self, key: str) -> dict[Pair, Row]:
        """The object's rows. Effects: deletes an unreadable object: the ledger has all its rows."""
        stored = self._objects.get(key)
        if stored is None:
            return {}
        try:
            return _rows(decode(key, stored.body))
        except UnexpectedShape:
            self._objects.delete(key, expected=stored.etag)
            return {}

    def _update_all(self, stale: Mapping[str, set[Pair]]) -> int:
        rows = 0
        for key, pairs in sorted(stale.items()):
            while pairs and (changed := self._retry(self._update, key, pairs)):
                rows += changed
        return rows

    def _update(self, key: str, pairs: set[Pair]) -> int:
        """Compare these rows with the ledger once, and write the object if they differ; returns how many differed."""
        stored = self._objects.get(key)
        old = self._table(key, stored)
        # The ledger is read after the object: a row read before it could be older than the object's.
        found = [
            copy for copy in (self._ledger.get(*pair) for pair in sorted(pairs)) if copy and object_of(copy) == key
        ]
        held, known = _rows(old), {_pair(copy): row_of(copy) for copy in found}
        differing = {pair for pair in pairs if held.get(pair) != known.get(pair)}
        kept = {pair: row for pair, row in held.items() if pair not in pairs}
        self._write(key, stored, old, kept | known)
        return len(differing)

    def _without(self, key: str, athlete_id: int) -> int:
        stored = self._objects.get(key)
        old = self._table(key, stored)
        held = _rows(old)
        kept = {pair: row for pair, row in held.items() if athlete_id not in (row["parent_id"], row["child_id"])}
        if len(kept) < len(held):
            self._write(key, stored, old, kept)
        return len(held) - len(kept)

    def _table(self, key: str, stored: StoredObject | None) -> pa.Table:
        return COPIES.empty_table() if stored is None else decode(key, stored.body)

    def _write(self, key: str, stored: StoredObject | None, old: pa.Table, rows: Mapping[Pair, Row]) -> None:
        new = pa.Table.from_pylist([rows[pair] for pair in sorted(rows)], schema=COPIES)
        if rows and not (stored and is_current(old, new)):
            self._objects.put(key, encode(new), expected=stored.etag if stored else Condition.ABSENT)
        elif stored and not rows:
            self._objects.delete(key, expected=stored.etag)


def row_of(copy: Copy) -> Row:
    """The copy as a row of `copies`, without the name in the title and without Strava's words about a duplicate.

    Those words can hold the title of the child's activity.
    """
    return {
        "parent_activity_id": copy.parent_activity_id,
        "child_id": copy.child_id,
        "parent_id": copy.parent_id,
        "activity_start_ts": _instant(copy.activity_start_epoch_s),
        "state": str(copy.state),
        "reason": None if copy.state in MADE_STATES else copy.reason or None,
        "original": str(copy.original),
        "child_activity_id": copy.child_activity_id,
        "external_id": copy.external_id,
        "upload_id": copy.upload_id,
        "attempts": copy.attempts,
        "file_format": copy.file_format or None,
        "points": copy.points,
        "carried": list(copy.carried) if copy.file_format else None,
        "trim_m": copy.trim_m,
        "planned_at": _instant(copy.planned_at_epoch_s),
        "updated_at": _instant(copy.updated_at_epoch_s),
        "next_try_at": None if copy.state in FINAL_STATES else _instant(copy.next_try_epoch_s),
    }


def object_of(copy: Copy) -> str:
    """The key of the object that holds the copy's row; it never changes.

    The fields that it is made from never change.
    """
    begun = copy.planned_at_epoch_s if copy.activity_start_epoch_s is None else copy.activity_start_epoch_s
    return copies_key(copy.parent_id, _EPOCH + timedelta(seconds=begun))


def _pair(copy: Copy) -> Pair:
    return copy.parent_activity_id, copy.child_id


def _rows(table: pa.Table) -> dict[Pair, Row]:
    return {(row["parent_activity_id"], row["child_id"]): row for row in table.to_pylist()}


def _instant(epoch_s: int | None) -> datetime | None:
    return None if epoch_s is None else _EPOCH + timedelta(seconds=epoch_s)
