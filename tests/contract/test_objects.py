"""What every `ObjectStore` does, also with several writers at once.

A further implementation is a further parameter of the conftest's `lake_url`.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from include.errors import BadKey, ObjectConflict
from include.lake.backend import open_objects
from include.lake.objects.objects import Condition, ObjectStore, StoredObject

KEY = "streams/athlete_id=7/year=2024/2024-05.parquet"
WRITERS = 3
WRITES = 20


@pytest.fixture
def objects(lake_url: str) -> ObjectStore:
    return open_objects(lake_url)


def test_get_finds_nothing_when_nothing_was_put(objects: ObjectStore) -> None:
    assert objects.get(KEY) is None
    assert list(objects.list("")) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\xff\r\n", id="binary"),
        pytest.param(bytes(range(256)) * 20_000, id="5-MB"),
    ],
)
def test_get_gives_back_what_was_put(objects: ObjectStore, body: bytes) -> None:
    etag = objects.put(KEY, body, expected=Condition.ABSENT)
    assert objects.get(KEY) == StoredObject(KEY, body, etag)


def test_get_finds_nothing_when_the_key_is_only_the_start_of_others(objects: ObjectStore) -> None:
    objects.put(KEY, b"x", expected=Condition.ABSENT)
    assert objects.get("streams") is None
    assert objects.get("streams/athlete_id=7") is None


def test_prune_leaves_every_object_where_it_is(objects: ObjectStore) -> None:
    keys = ["raw/athlete_id=7/1.detail.json.gz", "raw/athlete_id=77/1.detail.json.gz"]
    for key in (KEY, *keys):
        objects.put(key, b"x", expected=Condition.ABSENT)
    objects.delete(KEY, expected=Condition.ANYTHING)
    for prefix in ("streams/athlete_id=7/", "raw/athlete_id=7/", "laps/athlete_id=7/"):
        objects.prune(prefix)
    assert list(objects.list("")) == keys
    objects.put(KEY, b"again", expected=Condition.ABSENT)


def test_put_replaces_when_the_etag_is_the_present_one(objects: ObjectStore) -> None:
    first = objects.put(KEY, b"first", expected=Condition.ABSENT)
    second = objects.put(KEY, b"second", expected=first)
    assert objects.get(KEY) == StoredObject(KEY, b"second", second)
    assert first != second


def test_put_takes_anything_when_told_so(objects: ObjectStore) -> None:
    objects.put(KEY, b"first", expected=Condition.ANYTHING)
    objects.put(KEY, b"second", expected=Condition.ANYTHING)
    stored = objects.get(KEY)
    assert stored is not None
    assert stored.body == b"second"


def test_put_conflicts_and_leaves_the_object_when_it_should_be_absent(objects: ObjectStore) -> None:
    objects.put(KEY, b"first", expected=Condition.ABSENT)
    with pytest.raises(ObjectConflict, match=KEY):
        objects.put(KEY, b"second", expected=Condition.ABSENT)
    stored = objects.get(KEY)
    assert stored is not None
    assert stored.body == b"first"


def test_put_conflicts_when_another_writer_was_faster(objects: ObjectStore) -> None:
    etag = objects.put(KEY, b"first", expected=Condition.ABSENT)
    objects.put(KEY, b"second", expected=etag)
    with pytest.raises(ObjectConflict):
        objects.put(KEY, b"third", expected=etag)
    stored = objects.get(KEY)
    assert stored is not None
    assert stored.body == b"second"


def test_put_conflicts_when_the_expected_object_is_gone(objects: ObjectStore) -> None:
    etag = objects.put(KEY, b"first", expected=Condition.ABSENT)
    objects.delete(KEY, expected=etag)
    with pytest.raises(ObjectConflict):
        objects.put(KEY, b"second", expected=etag)
    assert objects.get(KEY) is None


def test_delete_removes_when_the_etag_is_the_present_one(objects: ObjectStore) -> None:
    etag = objects.put(KEY, b"x", expected=Condition.ABSENT)
    objects.delete(KEY, expected=etag)
    assert objects.get(KEY) is None
    assert list(objects.list("")) == []
    objects.put(KEY, b"again", expected=Condition.ABSENT)


def test_delete_conflicts_and_leaves_the_object_when_the_etag_is_old(objects: ObjectStore) -> None:
    etag = objects.put(KEY, b"first", expected=Condition.ABSENT)
    objects.put(KEY, b"second", expected=etag)
    with pytest.raises(ObjectConflict):
        objects.delete(KEY, expected=etag)
    stored = objects.get(KEY)
    assert stored is not None
    assert stored.body == b"second"


def test_delete_of_an_absent_object_is_fine_with_anything_and_a_conflict_with_an_etag(objects: ObjectStore) -> None:
    objects.delete(KEY, expected=Condition.ANYTHING)
    with pytest.raises(ObjectConflict):
        objects.delete(KEY, expected="an-etag")


def test_delete_of_what_should_be_absent_removes_nothing(objects: ObjectStore) -> None:
    objects.delete(KEY, expected=Condition.ABSENT)
    etag = objects.put(KEY, b"x", expected=Condition.ABSENT)
    with pytest.raises(ObjectConflict, match=KEY):
        objects.delete(KEY, expected=Condition.ABSENT)
    assert objects.get(KEY) == StoredObject(KEY, b"x", etag)


@pytest.mark.parametrize("prefix", ["../secret/", "/etc/", "a//b", "a/../b/c"])
def test_list_refuses_a_prefix_that_no_key_can_have(objects: ObjectStore, prefix: str) -> None:
    with pytest.raises(BadKey):
        objects.list(prefix)


def test_list_gives_exactly_the_keys_with_the_prefix_sorted_as_text(objects: ObjectStore) -> None:
    raw = ["raw/athlete_id=7/1.json", "raw/athlete_id=71/1.json", "raw/athlete_id=7-/1.json"]
    keys = [*raw, "gpx/athlete_id=7/1-2.gpx"]
    for key in keys:
        objects.put(key, b"x", expected=Condition.ABSENT)

    assert list(objects.list("")) == sorted(keys)
    assert list(objects.list("raw/athlete_id=7/")) == ["raw/athlete_id=7/1.json"]
    assert list(objects.list("raw/athlete_id=7")) == sorted(raw)
    assert list(objects.list("gpx/athlete_id=7/1-")) == ["gpx/athlete_id=7/1-2.gpx"]
    assert list(objects.list("laps/athlete_id=7/")) == []


@pytest.mark.parametrize("key", ["", "/a", "a/../b", "a//b", ".a", "a\\b"])
def test_bad_key_is_refused(objects: ObjectStore, key: str) -> None:
    with pytest.raises(BadKey):
        objects.put(key, b"x", expected=Condition.ANYTHING)
    with pytest.raises(BadKey):
        objects.get(key)


def test_url_tells_objects_apart_and_ends_with_the_key(objects: ObjectStore) -> None:
    assert objects.url(KEY).endswith("/" + KEY)


def count_up(lake_url: str, writer: int) -> None:
    """Wait for the start, then add one to a number in an object, `WRITES` times."""
    objects = open_objects(lake_url)
    objects.put(f"ready/{writer}", b"", expected=Condition.ABSENT)
    while objects.get("start") is None:
        pass
    for _ in range(WRITES):
        while True:
            stored = objects.get(KEY)
            number = int(stored.body[:8]) + 1 if stored else 1
            try:
                # A long body, so that a reader who could see part of it would.
                body = f"{number:08d}".encode() * 20_000
                objects.put(KEY, body, expected=stored.etag if stored else Condition.ABSENT)
                break
            except ObjectConflict:
                continue


def test_no_write_is_lost_when_several_processes_write_one_object(lake_url: str, objects: ObjectStore) -> None:
    with ProcessPoolExecutor(WRITERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        writing = [pool.submit(count_up, lake_url, writer) for writer in range(WRITERS)]
        while len(list(objects.list("ready/"))) < WRITERS:
            pass
        objects.put("start", b"", expected=Condition.ABSENT)
        while not all(writer.done() for writer in writing):
            seen = objects.get(KEY)
            assert seen is None or seen.body == seen.body[:8] * 20_000
        for writer in writing:
            writer.result()

    stored = objects.get(KEY)
    assert stored is not None
    assert stored.body[:8] == f"{WRITERS * WRITES:08d}".encode()
