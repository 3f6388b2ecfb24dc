"""A SQLite file that many share: who waits how long for whom, and what is said when it cannot be written."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import sqlite3
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.errors import RetryLater, SettingsError
from include.store.sqlite_file import SqliteFile, database_path

SCHEMA = ["CREATE TABLE IF NOT EXISTS notes (text TEXT)"]
PATIENCE_S = 0.05


@pytest.fixture
def file(path: Path) -> Iterator[SqliteFile]:
    file = SqliteFile(path, SCHEMA, busy_timeout_s=PATIENCE_S)
    yield file
    file.close()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """The file while another process writes it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def note(file: SqliteFile, text: str) -> None:
    with file.transaction() as connection:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))


def notes(file: SqliteFile) -> list[str]:
    return [text for (text,) in file.read("SELECT text FROM notes", ())]


def test_transaction_is_rolled_back_when_its_block_raises(file: SqliteFile) -> None:
    note(file, "old")

    with contextlib.suppress(KeyboardInterrupt), file.transaction() as connection:
        connection.execute("DELETE FROM notes")
        raise KeyboardInterrupt

    assert notes(file) == ["old"]
    note(file, "new")
    assert notes(file) == ["old", "new"]


def test_writer_says_how_long_it_waited_and_that_nothing_was_written(file: SqliteFile, path: Path) -> None:
    with locked(path), pytest.raises(RetryLater) as refused:
        note(file, "new")

    assert str(refused.value) == f"{path} stayed locked for 0.05 s; nothing was written, try again"
    assert notes(file) == []


def test_waiting_writer_tries_again_at_short_intervals_until_the_lock_is_free(path: Path) -> None:
    tries: list[str] = []

    with (
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other,
        contextlib.closing(SqliteFile(path, SCHEMA, busy_timeout_s=3)) as file,
    ):
        other.execute("BEGIN IMMEDIATE")

        def free_at_the_twentieth(sql: str) -> None:
            if sql == "BEGIN IMMEDIATE":
                tries.append(sql)
                if len(tries) == 20:
                    other.execute("ROLLBACK")

        file._connection().set_trace_callback(free_at_the_twentieth)
        note(file, "new")

        assert (len(tries), notes(file)) == (20, ["new"])


@pytest.mark.parametrize("is_refused", [False, True])
def test_all_but_a_writers_start_wait_as_sqlite_does(file: SqliteFile, path: Path, is_refused: bool) -> None:
    if is_refused:
        with locked(path), pytest.raises(RetryLater):
            note(file, "new")
    else:
        note(file, "new")

    assert file.read("PRAGMA busy_timeout", ()) == [(PATIENCE_S * 1000,)]


def test_writer_says_what_to_do_when_the_file_may_not_be_written(file: SqliteFile, path: Path) -> None:
    note(file, "old")
    file.read("PRAGMA query_only = ON", ())

    with pytest.raises(RetryLater) as refused:
        note(file, "new")

    assert str(refused.value) == (
        f"{path}: attempt to write a readonly database; nothing was written:"
        " free some space or make it writable, then try again"
    )
    assert notes(file) == ["old"]


def test_wrong_statement_is_a_defect_that_nobody_tries_again(file: SqliteFile) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: letters"):
        file.read("SELECT text FROM letters", ())


def test_file_is_whole_before_another_process_can_open_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, modes = os.link, []

    def publish(unseen: str, seen: Path) -> None:
        modes.append(Path(unseen).read_bytes()[18:20])
        link(unseen, seen)

    monkeypatch.setattr(os, "link", publish)

    SqliteFile(path, SCHEMA).close()

    assert modes == [b"\2\2"], "which is how a file in WAL mode says so"


def test_child_of_a_fork_leaves_its_parents_connection_open(file: SqliteFile) -> None:
    parents = weakref.ref(file._connection())

    def work() -> None:
        file.read("SELECT 1", ())
        file.close()
        gc.collect()
        inherited = parents()
        assert inherited is not None
        assert inherited.total_changes >= 0  # raises where it is closed

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()

    assert child.exitcode == 0


def descriptors() -> int:
    """How many this process has open."""
    return len([*Path("/dev/fd").iterdir()])


def test_every_descriptor_is_given_back_when_the_file_is_closed(path: Path) -> None:
    before = descriptors()

    SqliteFile(path, SCHEMA).close()

    assert descriptors() == before


def test_file_is_closed_for_all_threads_by_any_of_them(file: SqliteFile) -> None:
    with ThreadPoolExecutor(1) as pool:
        of_other_thread = pool.submit(file._connection).result()
        file.close()

        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            of_other_thread.execute("SELECT 1")


def test_path_is_read_from_its_address() -> None:
    assert database_path("sqlite:///var/lib/state.sqlite", "STATE_URL") == Path("/var/lib/state.sqlite")


def test_address_that_names_no_file_is_refused_with_an_example_of_the_setting() -> None:
    with pytest.raises(SettingsError) as refused:
        database_path("sqlite://state.sqlite", "QUEUE_URL")

    assert str(refused.value) == (
        "QUEUE_URL is 'sqlite://state.sqlite', which is not a supported address;"
        " for example: sqlite:///var/lib/strava/state.sqlite"
    )
