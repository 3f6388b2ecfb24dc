"""What a reader copies of a lake that is far away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.lake.objects.download import downloaded
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition, StoredObject

MINE, OTHER = "streams/athlete_id=7/year=2024/2024-05.parquet", "streams/athlete_id=71/year=2024/2024-05.parquet"
JUNE = "streams/athlete_id=7/year=2024/2024-06.parquet"
COPIES = "copies/year=2024/71.parquet"
RAW = "raw/athlete_id=7/1.detail.json.gz"


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    store = FileObjects(tmp_path / "lake")
    for key in (MINE, JUNE, OTHER, COPIES, RAW):
        store.put(key, key.encode(), expected=Condition.ABSENT)
    return store


def copied(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("tables", "athlete_id", "keys"),
    [
        pytest.param(["streams"], None, {MINE, JUNE, OTHER}, id="everybody-s"),
        pytest.param(["streams"], 7, {MINE, JUNE}, id="one-athlete-s"),
        pytest.param(["streams", "copies"], 7, {MINE, JUNE, COPIES}, id="copies-whole"),
        pytest.param(["activities"], None, set(), id="nothing-there"),
        pytest.param([], None, set(), id="no-table"),
    ],
)
def test_copies_are_those_of_the_tables_and_of_the_athlete(
    objects: FileObjects, tables: list[str], athlete_id: int | None, keys: set[str]
) -> None:
    with downloaded(objects, tables, athlete_id) as folder:
        assert copied(folder) == {key: key for key in keys}
    assert not folder.exists()


def test_object_that_was_deleted_since_it_was_listed_is_left_out(objects: FileObjects) -> None:
    class Deleting(FileObjects):
        def get(self, key: str) -> StoredObject | None:
            return None if key == OTHER else super().get(key)

        def list(self, prefix: str) -> Iterator[str]:
            return objects.list(prefix)

    with downloaded(Deleting(objects._root), ["streams"], None) as folder:
        assert set(copied(folder)) == {MINE, JUNE}
