"""What is particular to the store in a SQLite file."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import include.store.sqlite
from include.clock import Clock
from include.errors import RetryLater
from include.store.sqlite import SqliteStore
from include.store.sqlite_file import SqliteFile
from include.store.store import ABSENT, TABLES, Index, Key, Store
from local.testbed.manual_clock import ManualClock

KEY = Key("links", "11", "22")


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(include.store.sqlite, "_PAGE_ROWS", 3)
    return 3


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def rows_in(path: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 (a table of ours)


@pytest.mark.parametrize("count", [pytest.param(n, id=f"{n} rows") for n in (0, 1, 2, 3, 4, 6, 7, 20)])
def test_every_row_is_answered_once_at_any_page_boundary(store: Store, short_pages: int, count: int) -> None:
    for n in range(count):
        fields = {"n": n, "child_id": 22, "planned_at_epoch_s": n // (short_pages + 2)}
        store.put(Key("copies", "1", f"{n:02d}"), fields, expected_version=ABSENT)

    assert [item.fields["n"] for item in store.query("copies", "1")] == list(range(count))
    assert [item.fields["n"] for item in store.find("copies", "by_child", 22)] == list(range(count))


@pytest.mark.usefixtures("short_pages")
def test_query_keeps_to_its_prefix_over_pages_and_zero_characters(store: Store) -> None:
    sorts = ["a", "a\0", "a\0b", "a\0b\0", "aa", "a\U0010ffff", "a\U0010ffffz", "b"]
    for sort in sorts:
        store.put(Key("links", "1", sort), {}, expected_version=ABSENT)

    assert [item.key.sort for item in store.query("links", "1", "a")] == sorted(sorts[:-1], key=str.encode)


def test_file_and_folder_are_created_for_the_owner_alone(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "deep" / "er" / "state.sqlite"

    SqliteStore(path, clock).put(KEY, {}, expected_version=ABSENT)

    assert {found.name: oct(found.stat().st_mode & 0o777) for found in path.parent.iterdir()} == {
        "state.sqlite": "0o600",
        "state.sqlite-wal": "0o600",
        "state.sqlite-shm": "0o600",
    }


def test_rows_survive_when_the_file_is_opened_again(path: Path, clock: Clock) -> None:
    store = SqliteStore(path, clock)
    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    store.close()

    item = SqliteStore(path, clock).get(KEY)

    assert item is not None
    assert (item.fields, item.version) == ({"n": 1}, version)


def test_restored_backup_in_another_journal_mode_is_taken_over(path: Path, clock: Clock, tmp_path: Path) -> None:
    SqliteStore(path, clock).put(KEY, {"n": 1}, expected_version=ABSENT)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "backup.sqlite"),))

    restored = SqliteStore(tmp_path / "backup.sqlite", clock)

    assert restored.put(KEY, {"n": 2}, expected_version=1) == 2
    assert (tmp_path / "backup.sqlite-wal").exists()


def test_first_opening_works_when_many_threads_do_it_at_once(path: Path, clock: Clock) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: SqliteStore(path, clock).add(KEY, {"n": n}), range(8)))

    item = SqliteStore(path, clock).get(KEY)
    assert item is not None
    assert item.fields == {"n": 28}
    assert [found.name for found in path.parent.iterdir() if found.name.startswith(".")] == []


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda store: store.put(KEY, {"n": 2}, expected_version=1), id="put"),
        pytest.param(lambda store: store.delete(KEY, expected_version=1), id="delete"),
        pytest.param(lambda store: store.add(KEY, {"n": 1}), id="add"),
    ],
)
def test_write_says_try_later_when_the_file_stays_locked(
    path: Path, clock: Clock, write: Callable[[SqliteStore], object]
) -> None:
    store = SqliteStore(path, clock, busy_timeout_s=0.01)
    store.put(KEY, {"n": 1}, expected_version=ABSENT)

    with locked(path):
        with pytest.raises(RetryLater, match=r"state\.sqlite stayed locked"):
            write(store)
        unchanged = store.get(KEY)  # readers never wait
    write(store)

    assert unchanged is not None
    assert unchanged.fields == {"n": 1}


def test_nothing_is_written_when_a_value_is_no_json(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.put(KEY, {"n": float("nan")}, expected_version=ABSENT)

    assert store.get(KEY) is None


def test_expired_rows_leave_the_file_as_others_come(
    store: Store, path: Path, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    for n in range(10):
        store.put(Key("events", str(n)), {}, expected_version=ABSENT, expires_at_epoch_s=int(clock()) + 60)
    pass_time(60)
    for n in range(10, 15):
        store.put(Key("events", str(n)), {}, expected_version=ABSENT, expires_at_epoch_s=int(clock()) + 60)

    assert rows_in(path, "items") == 5


def test_index_entries_leave_with_their_row(store: Store, path: Path, clock: ManualClock) -> None:
    store.put(KEY, {"child_id": 22}, expected_version=ABSENT, expires_at_epoch_s=int(clock()) + 60)
    store.put(Key("links", "1", "2"), {"child_id": 2}, expected_version=ABSENT)
    clock.advance(60)

    store.put(Key("events", "1"), {}, expected_version=ABSENT, expires_at_epoch_s=int(clock()) + 60)
    store.delete(Key("links", "1", "2"), expected_version=1)

    assert rows_in(path, "index_entries") == 0


def test_rows_of_a_version_with_other_indexes_are_found_when_the_file_is_opened(path: Path, clock: Clock) -> None:
    older = SqliteStore(path, clock)
    for n in (1, 2):
        older.put(Key("copies", str(n)), {"n": n, "child_id": 22, "updated_at_epoch_s": n}, expected_version=ABSENT)
    older.put(Key("athletes", "1"), {"kind": "athlete", "athlete_id": 1}, expected_version=ABSENT)
    older.close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE index_entries SET index_name = 'by_mother' WHERE index_name = 'by_change'")
        connection.execute("UPDATE items SET table_name = 'no_more' WHERE table_name = 'athletes'")
        connection.execute("PRAGMA user_version = 0")

    with ThreadPoolExecutor(4) as pool:
        store = [*pool.map(lambda _: SqliteStore(path, clock), range(4))].pop()

    assert [item.fields["n"] for item in store.find("copies", "by_change", 22)] == [1, 2]
    assert rows_in(path, "index_entries") == 2


@pytest.mark.parametrize(
    "older",
    [
        pytest.param({}, id="without the index"),
        pytest.param({"by_child": Index("parent_id", "planned_at_epoch_s")}, id="by another field"),
        pytest.param({"by_child": Index("child_id", "updated_at_epoch_s")}, id="sorted by another field"),
        pytest.param({"by_child": Index("child_id")}, id="not sorted"),
    ],
)
def test_rows_are_indexed_anew_when_an_older_version_declared_the_index_otherwise(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, older: dict[str, Index]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(include.store.sqlite, "TABLES", {**TABLES, "copies": replace(TABLES["copies"], indexes=older)})
        store = SqliteStore(path, clock)
        for n in (1, 2):
            fields = {"n": n, "child_id": 22, "parent_id": 7, "planned_at_epoch_s": -n, "updated_at_epoch_s": n}
            store.put(Key("copies", str(n)), fields, expected_version=ABSENT)
        store.close()

    assert [item.fields["n"] for item in SqliteStore(path, clock).find("copies", "by_child", 22)] == [2, 1]


def test_file_with_the_declared_indexes_is_opened_without_touching_its_rows(path: Path, clock: Clock) -> None:
    SqliteStore(path, clock).put(KEY, {"child_id": 22}, expected_version=ABSENT)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM index_entries")

    assert list(SqliteStore(path, clock).find("links", "by_child", 22)) == []


def test_deleted_bytes_leave_the_file(store: Store, path: Path) -> None:
    store.put(KEY, {"text": "once a secret"}, expected_version=ABSENT)
    store.delete(KEY, expected_version=1)
    store.close()  # the last connection folds the log into the file

    assert b"once a secret" not in b"".join(found.read_bytes() for found in path.parent.iterdir())


def count_in_child(store: SqliteStore) -> None:
    for _ in range(20):
        store.add(KEY, {"n": 1})


def test_store_works_on_both_sides_of_a_fork(store: SqliteStore) -> None:
    store.add(KEY, {"n": 1})
    child = multiprocessing.get_context("fork").Process(target=count_in_child, args=(store,))

    child.start()
    count_in_child(store)
    child.join()

    item = store.get(KEY)
    assert item is not None
    assert (child.exitcode, item.fields) == (0, {"n": 41})


def test_child_of_a_fork_never_uses_its_parents_connection(store: SqliteStore) -> None:
    parents = store._file._connection()

    def work() -> None:
        sys.exit(0 if store._file._connection() is not parents else "the child uses its parent's connection")

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()

    assert child.exitcode == 0
    assert store._file._connection() is parents


def test_connections_do_not_pile_up_when_threads_come_and_go(store: SqliteStore) -> None:
    for _ in range(5):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(store.get, KEY).result()
    gc.collect()

    assert len(store._file._open) == 1


def test_write_says_what_to_do_and_leaves_everything_when_the_disk_is_full(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "state.sqlite", ["CREATE TABLE IF NOT EXISTS notes (text TEXT)"])
    with file.transaction() as connection:
        connection.execute("INSERT INTO notes VALUES ('old')")
        connection.execute("PRAGMA max_page_count = 1")  # as many as there are: no page is left

    with (
        pytest.raises(RetryLater, match=r"state\.sqlite: .*full; nothing was written: free some space"),
        file.transaction() as connection,
    ):
        connection.execute("INSERT INTO notes VALUES (?)", ("new" * 10_000,))

    assert file.read("SELECT text FROM notes", ()) == [("old",)]
    file.close()
