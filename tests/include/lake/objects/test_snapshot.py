"""What a reader finds while writers replace what it reads."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from include.lake.objects.files import READING, FileObjects
from include.lake.objects.objects import Condition
from include.lake.objects.snapshot import _turn, snapshot
from include.lake.query import query

KEY = "streams/athlete_id=7/year=2024/2024-05.parquet"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def objects(root: Path) -> FileObjects:
    objects = FileObjects(root)
    objects.put(KEY, b"old", expected=Condition.ANYTHING)
    return objects


def test_one_reader_at_a_time_makes_or_removes_a_snapshot(root: Path, objects: FileObjects) -> None:
    reading = root / READING
    reading.mkdir(exist_ok=True)

    with _turn(reading), (reading / "lock").open("ab") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (reading / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def in_turn(*acts: object) -> Iterator[None]:
    """Do these things over and over beside the block."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            for act in acts:
                act()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_snapshot_keeps_what_a_writer_replaces_or_deletes(objects: FileObjects, root: Path) -> None:
    with snapshot(root, ["streams"]) as stable:
        objects.put(KEY, b"new", expected=Condition.ANYTHING)
        replaced = (stable / KEY).read_bytes()
        objects.delete(KEY, expected=Condition.ANYTHING)
        assert (replaced, (stable / KEY).read_bytes()) == (b"old", b"old")
    with snapshot(root, ["streams"]) as stable:
        assert not (stable / KEY).exists()


def test_snapshot_holds_only_the_tables_asked_for(objects: FileObjects, root: Path) -> None:
    objects.put("laps/athlete_id=7/year=2024/laps.parquet", b"laps", expected=Condition.ANYTHING)
    with snapshot(root, ["laps", "copies"]) as stable:
        assert [path.name for path in stable.rglob("*.parquet")] == ["laps.parquet"]


def test_snapshot_is_no_part_of_the_lake_and_goes_with_its_reader(objects: FileObjects, root: Path) -> None:
    with snapshot(root, ["streams"]):
        assert list(objects.list("")) == [KEY]
    assert [path.name for path in (root / READING).iterdir()] == ["lock"]


def test_snapshot_of_a_lake_that_is_not_there_makes_none(root: Path) -> None:
    with snapshot(root, ["streams"]) as stable:
        assert not stable.exists()
    assert not root.exists()


def test_what_a_killed_reader_left_goes_with_the_next_and_a_living_readers_stays(
    objects: FileObjects, root: Path
) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from include.lake.objects.snapshot import snapshot\n"
        "with snapshot(Path(sys.argv[1]), ['streams']): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(root)], check=False, cwd=Path(__file__).parents[4], timeout=60)
    left = {path for path in (root / READING).iterdir() if path.is_dir()}

    with snapshot(root, ["streams"]) as mine, snapshot(root, ["streams"]) as another:
        folders = {path for path in (root / READING).iterdir() if path.is_dir()}
        assert folders == {mine, another}
    assert len(left) == 1


def test_all_that_dead_readers_left_goes_and_a_living_readers_stays(objects: FileObjects, root: Path) -> None:
    def make(name: str) -> Path:
        folder = root / READING / name
        (folder / "streams").mkdir(parents=True)
        (folder / "owner").touch()
        return folder

    make("dead-before")
    living = make("living")
    make("dead-since")
    with (living / "owner").open("ab") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with snapshot(root, ["streams"]) as mine:
            assert {path for path in (root / READING).iterdir() if path.is_dir()} == {living, mine}
            assert (mine / KEY).read_bytes() == b"old"


@pytest.mark.parametrize("body", [pytest.param(b"new", id="replaced"), pytest.param(None, id="deleted")])
def test_object_that_changes_while_it_is_linked_is_linked_as_it_is_then(
    objects: FileObjects, root: Path, monkeypatch: pytest.MonkeyPatch, body: bytes | None
) -> None:
    other = "streams/athlete_id=7/year=2024/2024-06.parquet"
    objects.put(other, b"other", expected=Condition.ANYTHING)
    link, changed = os.link, list[str]()

    def link_after_a_writer(source: Path, target: Path) -> None:
        if source == root / KEY and not changed:
            changed.append(KEY)
            if body is None:
                objects.delete(KEY, expected=Condition.ANYTHING)
            else:
                objects.put(KEY, body, expected=Condition.ANYTHING)
            raise FileNotFoundError
        link(source, target)

    monkeypatch.setattr(os, "link", create_autospec(os.link, side_effect=link_after_a_writer))
    with snapshot(root, ["streams"]) as stable:
        found = {key: (stable / key).read_bytes() for key in (KEY, other) if (stable / key).exists()}
    assert changed == [KEY]
    assert found == ({KEY: body} if body else {}) | {other: b"other"}


def test_every_look_finds_an_object_that_is_replaced_all_the_while(objects: FileObjects, root: Path) -> None:
    bodies = (b"one", b"another")
    with in_turn(*(lambda body=body: objects.put(KEY, body, expected=Condition.ANYTHING) for body in bodies)):
        for _ in range(80):
            with snapshot(root, ["streams"]) as stable:
                assert (stable / KEY).read_bytes() in (b"old", *bodies)


def test_query_answers_from_one_state_of_an_object_that_is_replaced_all_the_while(root: Path, month) -> None:
    objects = FileObjects(root)
    few, many = (month(activities) for activities in (1, 60))
    objects.put(KEY, few, expected=Condition.ANYTHING)

    def put(body: bytes) -> None:
        objects.put(KEY, body, expected=Condition.ANYTHING)

    with in_turn(lambda: put(few), lambda: put(many)):
        seen = {
            (row["points"], row["activities"])
            for _ in range(40)
            for row in query(
                "SELECT count(*) AS points, count(DISTINCT activity_id) AS activities FROM streams", root.as_uri()
            ).to_pylist()
        }
    assert seen <= {(2, 1), (120, 60)}
    assert [path.name for path in (root / READING).iterdir()] == ["lock"]


@pytest.fixture
def month():
    """The bytes of a month with so many activities of two points."""
    from include.lake.rows.synced import build_rows
    from include.lake.schemas import TABLES
    from include.lake.table_object import encode, merge
    from include.strava.models import Activity, StreamSet

    def make(activities: int) -> bytes:
        tables = []
        for activity_id in range(1, activities + 1):
            answer = {"id": activity_id, "athlete": {"id": 7}, "start_date": "2024-05-01T08:00:00Z"}
            rows = build_rows(
                Activity.parse(answer),
                StreamSet({"time": [0, 1]}, b""),
                made={},
                source="webhook",
                updated_at_epoch_s=0,
            )
            tables += [table for key, table in rows.tables() if key.startswith("streams")]
        return encode(merge("streams", TABLES["streams"].empty_table(), range(1, activities + 1), tables)[0])

    return make
