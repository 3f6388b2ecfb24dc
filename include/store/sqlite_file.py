"""A SQLite file that many threads and processes share; the embedded store and queue use it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from include.errors import RetryLater, SettingsError
from include.setting_values import EXAMPLES

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a rotated token pair must survive a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # an erased row leaves no bytes behind in free pages
)
_PRIMARY_CODE = 0xFF
_LONGEST_LOOK_S = 0.002
"""The longest interval between two tries of a waiting writer to get the lock."""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_REFUSED_BY_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)


class _Connection(sqlite3.Connection):
    """A connection that can be referred to weakly, so that it is collected once its thread is gone."""


_inherited: list[_Connection] = []
"""Connections from before a fork: SQLite forbids to use and even to close them in the child process."""


def database_path(url: str, variable: str) -> Path:
    """The absolute path in a `sqlite:///…` URL. Errors: `SettingsError` naming `variable`."""
    scheme, _, path = url.partition("://")
    if scheme != "sqlite" or not path.startswith("/") or path.endswith("/"):
        raise SettingsError(
            f"{variable} is {url!r}, which is not a supported address; for example: {EXAMPLES[variable]}"
        )
    return Path(path)


class SqliteFile:
    """A file in WAL mode with one connection per thread and short write transactions.

    The file is created with mode 0600, and its folder, where they are missing.
    Errors: `RetryLater` from every call when the file stays locked for `busy_timeout_s`, or the disk refuses.
    """

    def __init__(self, path: Path, schema: Sequence[str], *, busy_timeout_s: float = 10.0) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._turns = Retrying(
            retry=retry_if_exception(_is_busy),
            wait=wait_random(0, _LONGEST_LOOK_S),
            stop=stop_after_delay(busy_timeout_s),
            reraise=True,
        )
        self._of_thread = threading.local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        if not path.exists():
            _create(path)
        with self.transaction() as connection:
            for statement in schema:
                connection.execute(statement)

    def read(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows of a SELECT, from one consistent snapshot; no lock is held afterwards."""
        with self._refusal_means_later():
            return self._connection().execute(sql, parameters).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction, committed durably at the end of the block, rolled back when it raises."""
        with self._refusal_means_later(), self._connection() as connection:
            self._begin(connection)
            yield connection

    def close(self) -> None:
        """Close the connections of all threads of this process."""
        for connection in tuple(self._open):
            connection.close()
        self._of_thread = threading.local()

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Get the write lock, trying at short, even intervals.

        SQLite's own intervals grow to 0.1 s, in which other writers overtake again and again; all other waits use them.
        """
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            self._turns.copy()(connection.execute, "BEGIN IMMEDIATE")
        finally:
            connection.execute(f"PRAGMA busy_timeout = {self._busy_timeout_s * 1000:.0f}")

    def _connection(self) -> _Connection:
        connection: _Connection | None = getattr(self._of_thread, "connection", None)
        if connection is not None and self._of_thread.pid == os.getpid():
            return connection
        if connection is not None:
            _inherited.append(connection)
            self._open.discard(connection)
        connection = self._connect()
        self._of_thread.connection, self._of_thread.pid = connection, os.getpid()
        self._open.add(connection)
        return connection

    def _connect(self) -> _Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            factory=_Connection,
            check_same_thread=False,  # only `close` uses another thread's connection
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection

    @contextlib.contextmanager
    def _refusal_means_later(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as err:
            if _is_busy(err):
                why = f"{self._path} stayed locked for {self._busy_timeout_s:g} s; nothing was written, try again"
            elif err.sqlite_errorcode & _PRIMARY_CODE in _REFUSED_BY_DISK:
                why = f"{self._path}: {err}; nothing was written: free some space or make it writable, then try again"
            else:
                raise
            raise RetryLater(why) from err


def _is_busy(err: BaseException) -> bool:
    return isinstance(err, sqlite3.OperationalError) and err.sqlite_errorcode & _PRIMARY_CODE in _BUSY


def _create(path: Path) -> None:
    """Create an empty file in WAL mode in one step, so that no process opens an unfinished one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    try:
        with contextlib.closing(sqlite3.connect(name)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        # Another process has created the same file first.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
