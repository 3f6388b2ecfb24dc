"""Every change of a table's object is noted first."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from include.errors import ObjectConflict
from include.lake.objects.files import FileObjects
from include.lake.objects.noted import NotedObjects
from include.lake.objects.objects import Condition
from include.state.partitions import Partition, Partitions
from include.store.sqlite import SqliteStore

KEY = "streams/athlete_id=7/year=2024/2024-05.parquet"


@pytest.fixture
def partitions(tmp_path: Path):  # type: ignore[no-untyped-def]
    with closing(SqliteStore(tmp_path / "state.sqlite", time.time)) as store:
        yield Partitions(store, time.time)


def waiting(partitions: Partitions) -> list[Partition]:
    return [each.partition for each in partitions.waiting()]


def test_row_is_there_before_the_object_is(partitions: Partitions, tmp_path: Path) -> None:
    class Dying(FileObjects):
        def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
            raise SystemExit

    with pytest.raises(SystemExit):
        NotedObjects(Dying(tmp_path / "lake"), partitions).put(KEY, b"x", expected=Condition.ABSENT)
    assert waiting(partitions) == [Partition("streams", 7, 2024)]


@pytest.mark.parametrize(
    ("key", "noted"),
    [
        pytest.param(KEY, [Partition("streams", 7, 2024)], id="streams"),
        pytest.param("copies/year=2024/5.parquet", [Partition("copies", None, 2024)], id="copies"),
        pytest.param("raw/athlete_id=7/1.detail.json.gz", [], id="raw"),
        pytest.param("gpx/athlete_id=7/1-8.gpx.gz", [], id="upload-file"),
        pytest.param("certificates/7-20260101T000000Z.json", [], id="certificate"),
    ],
)
def test_writing_and_removing_note_a_tables_partition_and_nothing_else(
    partitions: Partitions, tmp_path: Path, key: str, noted: list[Partition]
) -> None:
    plain = FileObjects(tmp_path / "lake")
    objects = NotedObjects(plain, partitions)
    etag = objects.put(key, b"x", expected=Condition.ABSENT)
    assert (objects.get(key), list(objects.list(""))) == (plain.get(key), [key])
    assert objects.url(key) == plain.url(key)
    assert waiting(partitions) == noted
    for row in list(partitions.waiting()):
        partitions.remove(row)

    objects.delete(key, expected=etag)
    objects.prune(f"{key.rpartition('/')[0]}/")
    assert (plain.get(key), waiting(partitions)) == (None, noted)
    assert not (tmp_path / "lake" / key).parent.exists()


def test_conditions_are_the_other_stores(partitions: Partitions, tmp_path: Path) -> None:
    objects = NotedObjects(FileObjects(tmp_path / "lake"), partitions)
    objects.put(KEY, b"x", expected=Condition.ABSENT)
    with pytest.raises(ObjectConflict):
        objects.put(KEY, b"y", expected=Condition.ABSENT)
    with pytest.raises(ObjectConflict):
        objects.delete(KEY, expected="another")
