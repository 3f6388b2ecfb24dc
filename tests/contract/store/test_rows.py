"""What every `Store` does with one row."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import VersionConflict
from include.store.store import ABSENT, Key, Store

KEY = Key("links", "11", "22")


def link(child_id: int, **fields: Any) -> dict[str, Any]:
    return {"child_id": child_id, **fields}


def test_get_answers_none_when_there_is_no_row(store: Store) -> None:
    assert store.get(KEY) is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="empty"),
        pytest.param({"child_id": 22, "name": "Rex"}, id="plain"),
        pytest.param({"name": 'Zoë "O\'Brien" 🐕; DROP TABLE items; --\n\t\\'}, id="hostile text"),
        pytest.param({'na"me': 1, "näme 🐕": 2, "#n": 3, ":v": 4, "a.b[0]": 5}, id="hostile field names"),
        pytest.param({"text": "half a pair: \ud83d"}, id="text that is no UTF-8"),
        pytest.param(
            {"": 1, "partition": 2, "sort": "x", "version": 3, "expires_at_epoch_s": 4}, id="names of the row"
        ),
        pytest.param({"id": 2**53 + 1, "negative": -(2**63), "huge": 10**30}, id="integers that floats cannot hold"),
        pytest.param({"most": 10**38 - 1, "more": 10**38, "less": -(10**60)}, id="integers of many digits"),
        pytest.param({"lat": 47.123456789012345, "tiny": 5e-100, "zero": 0.0, "negative": -0.1}, id="floats"),
        pytest.param({"a": None, "b": True, "c": False, "d": "", "e": [], "f": {}}, id="nothing in many forms"),
        pytest.param({"names": ["Rex", ["Rexi", None]], "carried": {"power": True, "trim_m": 200}}, id="nested"),
        pytest.param({"text": "ü" * 100_000}, id="200 KB"),
    ],
)
def test_row_reads_as_written(store: Store, fields: dict[str, Any]) -> None:
    version = store.put(KEY, fields, expected_version=ABSENT)

    item = store.get(KEY)
    assert item is not None
    assert (item.key, item.fields, item.version) == (KEY, fields, version)


def test_truth_stays_apart_from_one_when_read(store: Store) -> None:
    store.put(KEY, {"truth": True, "one": 1}, expected_version=ABSENT)

    item = store.get(KEY)
    assert item is not None
    assert (item.fields["truth"] is True, type(item.fields["one"])) == (True, int)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x", id="short"),
        pytest.param("x" * 1000, id="long"),
        pytest.param("Zoë 🐕 日本語", id="unicode"),
        pytest.param("'; DROP TABLE items; --", id="quotes"),
        pytest.param("%_*?[a-z]\\", id="wildcards"),
        pytest.param("a\nb\tc d/e#f|g:h", id="separators"),
    ],
)
def test_row_is_found_when_its_key_is_hostile(store: Store, text: str) -> None:
    key = Key("links", text, text)
    store.put(key, link(1), expected_version=ABSENT)

    assert [item.key for item in store.query("links", text, text)] == [key]
    assert store.get(key) == next(iter(store.find("links", "by_child", 1)))
    assert store.get(Key("links", text, f"{text}x")) is None


def test_many_rows_are_read_at_once_and_those_that_are_missing_left_out(store: Store) -> None:
    keys = [Key("links", str(n % 3), f"Zoë {n}") for n in range(230)] + [Key("quota", "1"), Key("brakes", "a:b/c")]
    for key in keys[::2]:
        store.put(key, {"sort": key.sort}, expected_version=ABSENT)

    found = store.get_all([*keys, *keys])

    assert found == {key: store.get(key) for key in keys[::2]}
    assert store.get_all([]) == {}


def test_put_replaces_the_whole_row(store: Store) -> None:
    first = store.put(KEY, {"a": 1, "b": 2}, expected_version=ABSENT, expires_at_epoch_s=1_800_000_000)

    second = store.put(KEY, {"b": 3}, expected_version=first)

    item = store.get(KEY)
    assert item is not None
    assert (item.fields, item.version, item.expires_at_epoch_s) == ({"b": 3}, second, None)
    assert (first, second) == (ABSENT + 1, ABSENT + 2)


def test_put_is_refused_when_the_row_exists_already(store: Store) -> None:
    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)

    with pytest.raises(VersionConflict):
        store.put(KEY, {"n": 2}, expected_version=ABSENT)

    item = store.get(KEY)
    assert item is not None
    assert (item.fields, item.version) == ({"n": 1}, version)


def test_put_is_refused_when_another_writer_was_first(store: Store) -> None:
    read = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    store.put(KEY, {"n": 2}, expected_version=read)

    with pytest.raises(VersionConflict) as conflict:
        store.put(KEY, {"n": 3}, expected_version=read)

    assert str(conflict.value) == "links 11/22 has version 2, not 1: read it again"

    item = store.get(KEY)
    assert item is not None
    assert item.fields == {"n": 2}


def test_put_is_refused_when_the_row_is_gone(store: Store) -> None:
    version = store.put(KEY, {}, expected_version=ABSENT)
    store.delete(KEY, expected_version=version)

    with pytest.raises(VersionConflict) as conflict:
        store.put(KEY, {}, expected_version=version)

    assert str(conflict.value) == "links 11/22 has version 0, not 1: read it again"
    assert store.get(KEY) is None


def test_rows_of_other_keys_stay_when_one_changes(store: Store) -> None:
    neighbours = [Key("links", "11", "23"), Key("links", "12", "22"), Key("copies", "11", "22"), Key("links", "11")]
    for key in neighbours:
        store.put(key, {"n": 0}, expected_version=ABSENT)

    version = store.put(KEY, {"n": 1}, expected_version=ABSENT)
    store.delete(KEY, expected_version=version)

    assert [item and item.fields for item in map(store.get, neighbours)] == [{"n": 0}] * 4


# --- delete --------------------------------------------------------------------------------------


def test_row_is_gone_when_deleted(store: Store) -> None:
    version = store.put(KEY, link(22), expected_version=ABSENT)

    store.delete(KEY, expected_version=version)

    assert store.get(KEY) is None
    assert list(store.query("links", "11")) == []
    assert list(store.find("links", "by_child", 22)) == []


def test_row_can_be_created_again_when_deleted(store: Store) -> None:
    store.delete(KEY, expected_version=store.put(KEY, {"n": 1}, expected_version=ABSENT))

    store.put(KEY, {"n": 2}, expected_version=ABSENT)

    item = store.get(KEY)
    assert item is not None
    assert item.fields == {"n": 2}


@pytest.mark.parametrize("behind", [pytest.param(1, id="stale"), pytest.param(2, id="absent expected")])
def test_delete_is_refused_when_the_version_is_another(store: Store, behind: int) -> None:
    version = store.put(KEY, {}, expected_version=store.put(KEY, {}, expected_version=ABSENT))

    with pytest.raises(VersionConflict):
        store.delete(KEY, expected_version=version - behind)

    assert store.get(KEY) is not None


def test_delete_does_nothing_when_the_row_is_absent(store: Store) -> None:
    store.delete(KEY, expected_version=7)

    assert store.get(KEY) is None
