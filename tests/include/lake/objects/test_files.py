from __future__ import annotations

import errno
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest

from include.errors import BadKey, ObjectConflict, RetryLater
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition

KEY = "streams/athlete_id=1/year=2024/2024-05.parquet"


class Crash(BaseException):
    """The process dies here."""


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "dies_in", [pytest.param("fsync", id="before-sync"), pytest.param("replace", id="before-rename")]
)
def test_old_object_stays_when_the_writer_dies_before_the_rename(
    dies_in: str, objects: FileObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = objects.put(KEY, b"old", expected=Condition.ABSENT)
    with monkeypatch.context() as patch:
        target = (os, "fsync") if dies_in == "fsync" else (Path, "replace")
        patch.setattr(*target, create_autospec(getattr(*target), side_effect=Crash))
        with pytest.raises(Crash):
            objects.put(KEY, b"new, half writ", expected=etag)

    stored = objects.get(KEY)
    assert stored is not None
    assert (stored.body, stored.etag) == (b"old", etag)
    assert list(objects.list("")) == [KEY]
    objects.put(KEY, b"new", expected=etag)
    assert (objects.get(KEY) or stored).body == b"new"


def test_leftovers_of_a_crash_are_overwritten_by_the_next_write(
    objects: FileObjects, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", create_autospec(Path.replace, side_effect=Crash))
        with pytest.raises(Crash):
            objects.put(KEY, b"a long leftover", expected=Condition.ABSENT)
    assert any(name.endswith(".tmp") for name in files_below(root))

    objects.put(KEY, b"short", expected=Condition.ABSENT)

    assert [name for name in files_below(root) if not name.endswith(".lock")] == [KEY]
    assert (root / KEY).read_bytes() == b"short"


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../outside", ".writing/00.lock", ""])
def test_no_key_reaches_outside_the_tree_or_into_the_bookkeeping(key: str, objects: FileObjects, root: Path) -> None:
    for act in (
        lambda: objects.get(key),
        lambda: objects.put(key, b"x", expected=Condition.ANYTHING),
        lambda: objects.delete(key, expected=Condition.ANYTHING),
        lambda: objects.url(key),
    ):
        with pytest.raises(BadKey):
            act()
    assert not root.exists()
    assert not (root.parent / "outside").exists()


def test_list_does_not_climb_when_the_prefix_does(objects: FileObjects, root: Path) -> None:
    (root.parent / "secret").mkdir(parents=True)
    (root.parent / "secret" / "x").write_text("x")
    with pytest.raises(BadKey):
        objects.list("../secret/")


def test_reader_keeps_the_old_bytes_when_the_object_is_replaced_under_it(objects: FileObjects, root: Path) -> None:
    etag = objects.put(KEY, b"old", expected=Condition.ABSENT)
    with (root / KEY).open("rb") as reader:
        objects.put(KEY, b"new", expected=etag)
        assert reader.read() == b"old"


def test_etag_belongs_to_the_content_when_the_tree_is_copied(objects: FileObjects, root: Path, tmp_path: Path) -> None:
    etag = objects.put(KEY, b"content", expected=Condition.ABSENT)
    copied = tmp_path / "copied" / KEY
    copied.parent.mkdir(parents=True)
    copied.write_bytes((root / KEY).read_bytes())
    stored = FileObjects(tmp_path / "copied").get(KEY)
    assert stored is not None
    assert stored.etag == etag


def test_bookkeeping_stays_bounded_when_many_keys_are_written(objects: FileObjects, root: Path) -> None:
    for number in range(20):
        objects.put(f"raw/athlete_id=1/{number}.detail.json.gz", b"", expected=Condition.ANYTHING)
    assert all(re.fullmatch(r"[0-9a-f]{2}\.lock", path.name) for path in (root / ".writing").iterdir())


def test_second_writer_waits_and_conflicts_when_the_first_is_in_the_middle(
    objects: FileObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = objects.put(KEY, b"old", expected=Condition.ABSENT)
    first_is_inside, first_may_end = threading.Event(), threading.Event()

    def hold_the_first(_descriptor: int) -> None:
        if not first_is_inside.is_set():
            first_is_inside.set()
            first_may_end.wait(10)

    monkeypatch.setattr(os, "fsync", hold_the_first)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(objects.put, KEY, b"first", expected=etag)
        first_is_inside.wait(10)
        second = pool.submit(objects.put, KEY, b"second", expected=etag)
        waited = not wait([second], timeout=0.1).done
        first_may_end.set()
        first.result()
        with pytest.raises(ObjectConflict):
            second.result()

    assert waited
    stored = objects.get(KEY)
    assert stored is not None
    assert stored.body == b"first"


def test_object_is_written_while_its_directory_is_pruned_all_the_while(tmp_path: Path) -> None:
    objects = FileObjects(tmp_path)
    over = threading.Event()

    def prune() -> None:
        while not over.is_set():
            objects.prune("streams/")

    pruning = threading.Thread(target=prune)
    pruning.start()
    try:
        for _ in range(40):
            etag = objects.put(KEY, b"x", expected=Condition.ABSENT)
            assert list(objects.list("streams/")) == [KEY]
            objects.delete(KEY, expected=etag)
    finally:
        over.set()
        pruning.join()


def test_object_is_written_when_its_directory_was_pruned_right_before_the_rename(
    objects: FileObjects, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.replace
    pruned: list[Path] = []

    def prune_once(source: Path, target: Path) -> Path:
        if not pruned:
            target.parent.rmdir()
            pruned.append(target.parent)
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", create_autospec(Path.replace, side_effect=prune_once))
    objects.put(KEY, b"new", expected=Condition.ABSENT)

    stored = objects.get(KEY)
    assert pruned == [(root / KEY).parent]
    assert stored is not None
    assert stored.body == b"new"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_write_says_what_to_do_and_leaves_the_old_object_when_the_disk_refuses(
    code: int, objects: FileObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = objects.put(KEY, b"old", expected=Condition.ABSENT)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", create_autospec(os.fsync, side_effect=OSError(code, "refused")))
        with pytest.raises(RetryLater, match=r"2024-05\.parquet cannot be written \(refused\): free some space"):
            objects.put(KEY, b"new", expected=etag)

    stored = objects.get(KEY)
    assert stored is not None
    assert stored.body == b"old"


def test_other_errors_of_a_write_stay_as_they_are(objects: FileObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", create_autospec(os.fsync, side_effect=OSError(errno.EIO, "broken")))

    with pytest.raises(OSError, match="broken"):
        objects.put(KEY, b"new", expected=Condition.ABSENT)


def test_prune_takes_every_empty_directory_below_the_prefix_and_its_own(objects: FileObjects, root: Path) -> None:
    for month in ("2024/2024-05", "2024/2024-06", "2023/2023-01"):
        key = f"streams/athlete_id=1/year={month}.parquet"
        objects.delete(key, expected=objects.put(key, b"x", expected=Condition.ABSENT))
    objects.prune("streams/athlete_id=1/")
    assert {path.name for path in root.iterdir()} == {".writing", "streams"}
    assert list((root / "streams").iterdir()) == []


def test_prune_tells_of_a_directory_that_cannot_be_removed(
    objects: FileObjects, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "streams").mkdir(parents=True)
    refused = create_autospec(Path.rmdir, side_effect=OSError(errno.EACCES, "not yours"))
    monkeypatch.setattr(Path, "rmdir", refused)
    with pytest.raises(OSError, match="not yours"):
        objects.prune("streams/")


# --- what a loss of power leaves ------------------------------------------------------------------


@pytest.fixture
def synced(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[int | list[str]]:
    """What has been made to reach the disk: of a file its length by then, of the object's directory the names in it."""
    sync, seen = os.fsync, list[int | list[str]]()

    def note(descriptor: int) -> None:
        status, directory = os.fstat(descriptor), (root / KEY).parent
        if directory.exists() and os.path.samestat(status, directory.stat()):
            seen.append([path.name for path in directory.iterdir()])
        else:
            seen.append(status.st_size)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", create_autospec(os.fsync, side_effect=note))
    return seen


def test_put_returns_when_every_byte_and_the_name_are_on_the_disk(objects: FileObjects, synced: Any) -> None:
    objects.put("streams/athlete_id=1/year=2024/2024-06.parquet", b"makes the directory", expected=Condition.ABSENT)
    synced.clear()
    objects.put(KEY, b"all of it", expected=Condition.ABSENT)
    assert synced[0] == len(b"all of it")
    assert sorted(synced[1]) == ["2024-05.parquet", "2024-06.parquet"]


def test_delete_returns_when_the_name_is_gone_from_the_disk(objects: FileObjects, synced: Any) -> None:
    etag = objects.put(KEY, b"x", expected=Condition.ABSENT)
    synced.clear()
    objects.delete(KEY, expected=etag)
    objects.delete(KEY, expected=Condition.ANYTHING)
    assert synced == [[]]


def test_no_descriptor_stays_open(objects: FileObjects) -> None:
    def opened() -> int:
        return sum(1 for _ in Path("/dev/fd").iterdir())

    before = opened()
    etag = objects.put(KEY, b"x", expected=Condition.ABSENT)
    objects.delete(KEY, expected=etag)
    assert opened() == before
