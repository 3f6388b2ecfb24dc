"""What every `Store` finds."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.store.store import ABSENT, Key, Store


def link(child_id: int, **fields: Any) -> dict[str, Any]:
    return {"child_id": child_id, **fields}


def fields_found(store: Store, index: str, value: str | int, **limits: Any) -> list[Any]:
    return [item.fields["n"] for item in store.find("copies", index, value, **limits)]


def test_query_answers_one_partition_in_sort_order(store: Store) -> None:
    for partition, sort in [("1", "b"), ("1", "a"), ("1", "Z"), ("1", "é"), ("1", "10"), ("1", "9"), ("2", "c")]:
        store.put(Key("links", partition, sort), {}, expected_version=ABSENT)
    store.put(Key("copies", "1", "d"), {}, expected_version=ABSENT)

    assert [item.key.sort for item in store.query("links", "1")] == ["10", "9", "Z", "a", "b", "é"]
    assert list(store.query("links", "3")) == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sorts=st.sets(
        st.text(st.sampled_from(["a", "b", "%", "_", "é", "\U0010ffff", "\x01"]), min_size=1, max_size=4), max_size=12
    ),
    prefix=st.text(st.sampled_from(["a", "b", "%", "é", "\U0010ffff"]), max_size=2),
)
def test_query_answers_exactly_the_sort_keys_that_start_so(store: Store, sorts: set[str], prefix: str) -> None:
    partition = uuid.uuid4().hex
    for sort in sorts:
        store.put(Key("links", partition, sort), {}, expected_version=ABSENT)

    found = [item.key.sort for item in store.query("links", partition, prefix)]

    assert found == sorted((sort for sort in sorts if sort.startswith(prefix)), key=str.encode)


def test_query_and_find_answer_everything_when_it_fills_several_pages(store: Store) -> None:
    sorts = [f"{number:03d}" for number in range(45)]
    for sort in sorts:
        fields = link(22, padding="x" * 30_000, planned_at_epoch_s=5)
        store.put(Key("copies", "1", sort), fields, expected_version=ABSENT)

    assert [item.key.sort for item in store.query("copies", "1")] == sorts
    assert sorted(item.key.sort for item in store.find("copies", "by_child", 22)) == sorts


def test_rows_can_be_changed_while_they_are_read(store: Store) -> None:
    for number in range(5):
        store.put(Key("links", "1", str(number)), {"n": number}, expected_version=ABSENT)

    for item in store.query("links", "1"):
        store.delete(item.key, expected_version=item.version)

    assert list(store.query("links", "1")) == []


# --- find ----------------------------------------------------------------------------------------


def copy_fields(n: int, **fields: Any) -> dict[str, Any]:
    return {"n": n, "child_id": 22, "planned_at_epoch_s": 100, "due": None, "next_try_epoch_s": None, **fields}


def test_find_answers_the_rows_of_a_value_in_order(store: Store) -> None:
    for n, planned_at in [(1, 30), (2, 2**53 + 1), (3, -5), (4, 4)]:
        store.put(Key("copies", str(n)), copy_fields(n, planned_at_epoch_s=planned_at), expected_version=ABSENT)
    store.put(Key("copies", "9"), copy_fields(9, child_id=23), expected_version=ABSENT)

    assert fields_found(store, "by_child", 22) == [3, 4, 1, 2]
    assert fields_found(store, "by_child", 24) == []


@pytest.mark.parametrize(
    ("up_to", "found"),
    [
        pytest.param(99, [], id="before the first"),
        pytest.param(100, [1], id="at the first"),
        pytest.param(100.5, [1], id="between"),
        pytest.param(200, [1, 2], id="at the second"),
        pytest.param(10**12, [1, 2, 3], id="after the last"),
        pytest.param(None, [1, 2, 3], id="no limit"),
    ],
)
def test_find_stops_at_the_limit(store: Store, up_to: float | None, found: list[int]) -> None:
    for n in (3, 1, 2):
        fields = copy_fields(n, due="due", next_try_epoch_s=100 * n)
        store.put(Key("copies", str(n)), fields, expected_version=ABSENT)

    assert fields_found(store, "due", "due", up_to=up_to) == found


def test_find_answers_the_newest_first_when_asked_page_by_page(store: Store) -> None:
    for n in range(120):
        store.put(Key("copies", str(n)), copy_fields(n, planned_at_epoch_s=n - 60), expected_version=ABSENT)

    assert fields_found(store, "by_child", 22, newest_first=True) == [*range(119, -1, -1)]
    assert fields_found(store, "by_child", 22, newest_first=True, up_to=-58) == [2, 1, 0]
    assert fields_found(store, "by_child", 23, newest_first=True) == []


def test_find_answers_every_row_newest_first_when_many_are_equally_new(store: Store) -> None:
    for n in range(120):
        store.put(Key("copies", str(n // 7), str(n)), copy_fields(n), expected_version=ABSENT)

    assert sorted(fields_found(store, "by_child", 22, newest_first=True)) == [*range(120)]


def test_find_leaves_out_rows_without_the_field(store: Store) -> None:
    store.put(Key("copies", "1"), copy_fields(1, due=None), expected_version=ABSENT)
    store.put(Key("copies", "2"), {"n": 2}, expected_version=ABSENT)
    store.put(Key("copies", "3"), copy_fields(3, due="due", next_try_epoch_s=7), expected_version=ABSENT)

    assert fields_found(store, "due", "due") == [3]


def test_find_follows_a_row_when_it_changes(store: Store) -> None:
    key = Key("copies", "1")
    version = store.put(key, copy_fields(1, due="due", next_try_epoch_s=7), expected_version=ABSENT)
    version = store.put(key, copy_fields(1, due="due", next_try_epoch_s=9), expected_version=version)
    found_when_moved = fields_found(store, "due", "due", up_to=8), fields_found(store, "due", "due", up_to=9)
    store.put(key, copy_fields(1, due=None), expected_version=version)

    assert found_when_moved == ([], [1])
    assert fields_found(store, "due", "due") == []


def test_find_answers_whole_rows_in_key_order_when_the_index_has_no_order(store: Store) -> None:
    for parent in ("3", "1", "2"):
        store.put(Key("links", parent, "22"), link(22, n=parent), expected_version=ABSENT)

    found = list(store.find("links", "by_child", 22))

    assert [item.key.partition for item in found] == ["1", "2", "3"]
    assert found[0] == store.get(found[0].key)


def test_find_sorts_the_rows_of_one_partition_when_the_index_has_no_order(store: Store) -> None:
    for child in ("3", "é", "1", "Z"):
        store.put(Key("links", "11", child), link(22), expected_version=ABSENT)

    assert [item.key.sort for item in store.find("links", "by_child", 22)] == ["1", "3", "Z", "é"]


def test_unknown_index_is_an_error(store: Store) -> None:
    with pytest.raises(KeyError, match="table links has no index by_mother: declare it in TABLES"):
        next(store.find("links", "by_mother", 1))
