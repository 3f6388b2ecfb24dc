from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from include.errors import SettingsError
from local.stack import disk
from local.stack.disk import ensure_room, ensure_room_is_left, explained
from local.stack.processes import StackFailed

USED = shutil.disk_usage("/")


def with_free(monkeypatch: pytest.MonkeyPatch, free_mb: int) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: USED._replace(free=free_mb * 1_000_000))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES])
def test_refusal_of_the_disk_says_which_file_and_what_to_do(tmp_path: Path, code: int) -> None:
    with (
        pytest.raises(SettingsError, match=r"run: .*free some space or make it writable.*STATE_DIR"),
        explained(tmp_path),
    ):
        raise OSError(code, "refused", "run")


def test_full_database_says_what_to_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "small")) as database:
        database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(SettingsError, match=r"disk is full.*STATE_DIR"), explained(tmp_path):
            database.execute("CREATE TABLE large (value TEXT)")


def test_database_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"unable to open.*STATE_DIR"), explained(tmp_path):
        sqlite3.connect(tmp_path / "missing" / "file")


@pytest.mark.parametrize(
    "error", [OSError(errno.ECONNREFUSED, "nobody listens"), ValueError("no number"), StackFailed("it ended")]
)
def test_other_errors_stay_as_they_are(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error), match=r"nobody listens|no number|^it ended$"), explained(tmp_path):
        raise error


def test_wrong_statement_stays_as_it_is(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as database,
        pytest.raises(sqlite3.OperationalError, match="no such table"),
        explained(tmp_path),
    ):
        database.execute("SELECT * FROM missing")


def test_process_that_ends_on_a_full_disk_says_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, 3)

    with pytest.raises(StackFailed, match=r"dispatcher ended(.|\n)*3 MB are free(.|\n)*STATE_DIR"), explained(tmp_path):
        raise StackFailed("dispatcher ended")


@pytest.mark.parametrize(("free_mb", "is_refused"), [(0, True), (199, True), (200, False), (90_000, False)])
def test_start_is_refused_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, is_refused: bool
) -> None:
    with_free(monkeypatch, free_mb)

    if is_refused:
        with pytest.raises(SettingsError, match=f"{free_mb} MB are free, and a start takes 200"):
            ensure_room(tmp_path)
    else:
        ensure_room(tmp_path)


@pytest.mark.parametrize(("free_mb", "is_ended"), [(0, True), (19, True), (20, False), (90_000, False)])
def test_running_system_ends_before_its_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, is_ended: bool
) -> None:
    with_free(monkeypatch, free_mb)

    if is_ended:
        with pytest.raises(SettingsError, match=rf"{free_mb} MB are left.*free some space.*continues where it stopped"):
            ensure_room_is_left(tmp_path)
    else:
        ensure_room_is_left(tmp_path)


def test_running_system_ends_when_its_disk_becomes_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writable = os.statvfs(tmp_path)
    read_only = os.statvfs_result((*writable[:8], writable.f_flag | os.ST_RDONLY, *writable[9:]))
    monkeypatch.setattr(disk.os, "statvfs", lambda folder: read_only)

    with pytest.raises(SettingsError, match=r"read-only now.*make it writable"):
        ensure_room_is_left(tmp_path)
