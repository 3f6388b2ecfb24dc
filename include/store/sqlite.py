"""State in one SQLite file: the embedded implementation of `Store`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

from include.clock import Clock
from include.errors import CeilingReached, VersionConflict
from include.store.sqlite_file import SqliteFile
from include.store.store import ABSENT, TABLES, Item, Key

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS items (
        table_name TEXT NOT NULL,
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        version INTEGER NOT NULL,
        expires_at_epoch_s INTEGER,
        fields TEXT NOT NULL,
        PRIMARY KEY (table_name, partition, sort)
    ) WITHOUT ROWID
    """,
    """
    CREATE INDEX IF NOT EXISTS items_by_expiry ON items (expires_at_epoch_s)
    WHERE expires_at_epoch_s IS NOT NULL
    """,
    # `value` and `rank` have no type, so that numbers and texts keep theirs.
    """
    CREATE TABLE IF NOT EXISTS index_entries (
        table_name TEXT NOT NULL,
        index_name TEXT NOT NULL,
        value NOT NULL,
        rank NOT NULL,
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        PRIMARY KEY (table_name, index_name, value, rank, partition, sort),
        FOREIGN KEY (table_name, partition, sort) REFERENCES items ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS index_entries_by_row ON index_entries (table_name, partition, sort)",
)
_GET = """
    SELECT partition, sort, version, expires_at_epoch_s, fields FROM items
    WHERE table_name = ? AND partition = ? AND sort = ? AND (expires_at_epoch_s IS NULL OR expires_at_epoch_s > ?)
"""
_QUERY = """
    SELECT partition, sort, version, expires_at_epoch_s, fields FROM items
    WHERE table_name = ? AND partition = ? AND sort >= ? AND sort < CAST(? AS TEXT)
        AND (expires_at_epoch_s IS NULL OR expires_at_epoch_s > ?)
    ORDER BY sort LIMIT ?
"""
_FIND = """
    SELECT partition, sort, version, expires_at_epoch_s, fields, rank
    FROM index_entries JOIN items USING (table_name, partition, sort)
    WHERE table_name = ? AND index_name = ? AND value = ? AND rank <= ? AND (rank, partition, sort) > (?, ?, ?)
        AND (expires_at_epoch_s IS NULL OR expires_at_epoch_s > ?)
    ORDER BY rank, partition, sort LIMIT ?
"""
_FIND_NEWEST = _FIND.replace("sort) >", "sort) <").replace(
    "BY rank, partition, sort", "BY rank DESC, partition DESC, sort DESC"
)
_WRITE = """
    INSERT INTO items (table_name, partition, sort, version, expires_at_epoch_s, fields) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (table_name, partition, sort) DO UPDATE
    SET version = excluded.version, expires_at_epoch_s = excluded.expires_at_epoch_s, fields = excluded.fields
"""
_PURGE = """
    DELETE FROM items WHERE (table_name, partition, sort) IN (
        SELECT table_name, partition, sort FROM items WHERE expires_at_epoch_s <= ? LIMIT 2
    )
"""
_INDEXED = "SELECT table_name, partition, sort, fields FROM items"
_INDEX = """
    INSERT INTO index_entries (table_name, index_name, value, rank, partition, sort) VALUES (?, ?, ?, ?, ?, ?)
"""
_PAGE_ROWS = 500
_NEWEST_ROWS = 50

_LOWEST_RANK = float("-inf")
_HIGHEST_RANK = b"\xff"  # SQLite sorts every blob after every number and text


class SqliteStore:
    """Versioned rows in one file, safe for many threads and processes.

    Rows are read from committed transactions only and in short pages, so writers never wait for readers.
    A row that lacks an index's `field` or its `sort_field` is not in that index. A file whose rows another version has
    written, with other indexes, is indexed anew when it is opened.
    """

    def __init__(self, path: Path, clock: Clock, *, busy_timeout_s: float = 10.0) -> None:
        self._file = SqliteFile(path, _SCHEMA, busy_timeout_s=busy_timeout_s)
        self._clock = clock
        self._index_anew()

    def get(self, key: Key) -> Item | None:
        """The row as of now, or None."""
        rows = self._file.read(_GET, (key.table, key.partition, key.sort, self._clock()))
        return _item(key.table, rows[0]) if rows else None

    def get_all(self, keys: Iterable[Key]) -> Mapping[Key, Item]:
        """The rows of these keys, each as of now."""
        return {key: row for key in keys if (row := self.get(key)) is not None}

    def put(
        self,
        key: Key,
        fields: Mapping[str, Any],
        *,
        expected_version: int,
        expires_at_epoch_s: int | None = None,
    ) -> int:
        """Replace the row if its version is still the expected one. Errors: `VersionConflict`."""
        with self._file.transaction() as connection:
            self._require_version(connection, key, expected_version)
            self._write(connection, Item(key, fields, expected_version + 1, expires_at_epoch_s))
        return expected_version + 1

    def delete(self, key: Key, *, expected_version: int) -> None:
        """Remove the row if it exists. Errors: `VersionConflict` when it has another version."""
        with self._file.transaction() as connection:
            if self._row(connection, key) is not None:
                self._require_version(connection, key, expected_version)
            connection.execute(
                "DELETE FROM items WHERE table_name = ? AND partition = ? AND sort = ?",
                (key.table, key.partition, key.sort),
            )

    def query(self, table: str, partition: str, sort_prefix: str = "") -> Iterator[Item]:
        """The rows of one partition whose sort key starts with `sort_prefix`, in the order of its UTF-8 bytes."""
        start = sort_prefix
        end = sort_prefix.encode() + b"\xff"  # no UTF-8 text holds this byte
        while True:
            rows = self._file.read(_QUERY, (table, partition, start, end, self._clock(), _PAGE_ROWS))
            for row in rows:
                yield _item(table, row)
            if len(rows) < _PAGE_ROWS:
                return
            start = rows[-1][1] + "\0"

    def find(
        self,
        table: str,
        index: str,
        value: str | int,
        *,
        up_to: str | int | float | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """The rows of a declared index with `field == value`, in `sort_field` order, up to and including `up_to`."""
        if index not in TABLES[table].indexes:
            raise KeyError(f"table {table} has no index {index}: declare it in TABLES")
        highest = _HIGHEST_RANK if up_to is None else up_to
        sql, page_rows = (_FIND_NEWEST, _NEWEST_ROWS) if newest_first else (_FIND, _PAGE_ROWS)
        after: tuple[Any, str, str] = (_HIGHEST_RANK if newest_first else _LOWEST_RANK, "", "")
        while True:
            rows = self._file.read(sql, (table, index, value, highest, *after, self._clock(), page_rows))
            for row in rows:
                yield _item(table, row[:5])
            if len(rows) < page_rows:
                return
            partition, sort, *_, rank = rows[-1]
            after = (rank, partition, sort)

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        """Add to several counters in one atomic step; without an expiry the row keeps the one it has.

        Errors: `CeilingReached`; then nothing was changed.
        """
        with self._file.transaction() as connection:
            row = self._row(connection, key) or Item(key, {}, ABSENT + 1)
            counters = {field: row.fields.get(field, 0) + step for field, step in increments.items()}
            for field, ceiling in (ceilings or {}).items():
                if increments.get(field, 0) > 0 and counters[field] > ceiling:
                    raise CeilingReached(
                        f"{key.table} {key.partition}: {field} would reach {counters[field]}, its ceiling is {ceiling}",
                        field=field,
                    )
            expiry = row.expires_at_epoch_s if expires_at_epoch_s is None else expires_at_epoch_s
            self._write(connection, Item(key, {**row.fields, **counters}, row.version, expiry))
        return counters

    def close(self) -> None:
        """Close the connections of all threads."""
        self._file.close()

    def _index_anew(self) -> None:
        """Index every row again where the file's indexes are not the declared ones, as after another version's last."""
        declared = _declared_indexes()
        if self._file.read("PRAGMA user_version", ()) == [(declared,)]:
            return
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM index_entries")
            for table, partition, sort, fields in connection.execute(_INDEXED):
                if table in TABLES:
                    entries = _index_entries(Key(table, partition, sort), json.loads(fields))
                    connection.executemany(_INDEX, entries)
            connection.execute(f"PRAGMA user_version = {declared}")

    def _row(self, connection: sqlite3.Connection, key: Key) -> Item | None:
        row = connection.execute(_GET, (key.table, key.partition, key.sort, self._clock())).fetchone()
        return _item(key.table, row) if row else None

    def _require_version(self, connection: sqlite3.Connection, key: Key, expected: int) -> None:
        row = self._row(connection, key)
        version = row.version if row else ABSENT
        if version != expected:
            raise VersionConflict(
                f"{key.table} {key.partition}/{key.sort} has version {version}, not {expected}: read it again"
            )

    def _write(self, connection: sqlite3.Connection, item: Item) -> None:
        key = item.key
        address = (key.table, key.partition, key.sort)
        fields = json.dumps(dict(item.fields), separators=(",", ":"), allow_nan=False)
        connection.execute(_WRITE, (*address, item.version, item.expires_at_epoch_s, fields))
        if TABLES[key.table].indexes:
            connection.execute("DELETE FROM index_entries WHERE table_name = ? AND partition = ? AND sort = ?", address)
            connection.executemany(_INDEX, _index_entries(key, item.fields))
        if item.expires_at_epoch_s is not None:
            # Each write removes up to two expired rows: the table stays bounded, and no write pays for a backlog.
            connection.execute(_PURGE, (self._clock(),))


def _index_entries(key: Key, fields: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for name, index in TABLES[key.table].indexes.items():
        value = fields.get(index.field)
        rank = 0 if index.sort_field is None else fields.get(index.sort_field)
        if value is not None and rank is not None:
            yield key.table, name, value, rank, key.partition, key.sort


def _declared_indexes() -> int:
    """A number, never 0, that another one follows when a table's indexes change."""
    declared = [
        (table.name, name, index.field, index.sort_field)
        for table in TABLES.values()
        for name, index in table.indexes.items()
    ]
    return crc32(repr(sorted(declared)).encode()) % 0x7FFFFFFF + 1


def _item(table: str, row: tuple[Any, ...]) -> Item:
    partition, sort, version, expires_at_epoch_s, fields = row
    return Item(Key(table, partition, sort), json.loads(fields), version, expires_at_epoch_s)
