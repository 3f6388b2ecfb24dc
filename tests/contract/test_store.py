"""What every `Store` does, also with several processes at once."""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.clock import Clock
from include.errors import CeilingReached, VersionConflict
from include.store.backend import open_store
from include.store.store import ABSENT, Key, Store

KEY = Key("links", "11", "22")
COUNTERS = Key("quota", "2026-11-22")
WORKERS = 4


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[Store]:
    store = open_store(store_url, clock)
    yield store
    store.close()


def link(child_id: int, **fields: Any) -> dict[str, Any]:
    return {"child_id": child_id, **fields}


def fields_found(store: Store, index: str, value: str | int, **limits: Any) -> list[Any]:
    return [item.fields["n"] for item in store.find("copies", index, value, **limits)]


# --- get and put ---------------------------------------------------------------------------------


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


def test_put_replaces_the_whole_row(store: Store) -> None:
    first = store.put(KEY, {"a": 1, "b": 2}, expected_version=ABSENT, expires_at_epoch_s=1_800_000_000)

    second = store.put(KEY, {"b": 3}, expected_version=first)

    item = store.get(KEY)
    assert item is not None
    assert (item.fields, item.version, item.expires_at_epoch_s) == ({"b": 3}, second, None)
    assert second > first > ABSENT


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

    with pytest.raises(VersionConflict):
        store.put(KEY, {"n": 3}, expected_version=read)

    item = store.get(KEY)
    assert item is not None
    assert item.fields == {"n": 2}


def test_put_is_refused_when_the_row_is_gone(store: Store) -> None:
    version = store.put(KEY, {}, expected_version=ABSENT)
    store.delete(KEY, expected_version=version)

    with pytest.raises(VersionConflict):
        store.put(KEY, {}, expected_version=version)

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


# --- query ---------------------------------------------------------------------------------------


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


# --- add -----------------------------------------------------------------------------------------


def test_add_counts_from_zero_when_there_is_no_row(store: Store) -> None:
    assert store.add(COUNTERS, {"read": 2, "total": 3}) == {"read": 2, "total": 3}
    assert store.add(COUNTERS, {"read": 1, "other": -4}) == {"read": 3, "other": -4}

    item = store.get(COUNTERS)
    assert item is not None
    assert item.fields == {"read": 3, "total": 3, "other": -4}


def test_counters_may_have_any_name(store: Store) -> None:
    names = ["read_1315", "a.b[0]", "#n", ":v", "SELECT", "näme 🐕", 'q"uote', "0"]
    for _ in range(2):
        store.add(COUNTERS, dict.fromkeys(names, 1), ceilings=dict.fromkeys(names, 2))

    with pytest.raises(CeilingReached) as caught:
        store.add(COUNTERS, {"other": 1, "#n": 1}, ceilings={"#n": 2})

    item = store.get(COUNTERS)
    assert item is not None
    assert (caught.value.field, item.fields) == ("#n", dict.fromkeys(names, 2))


def test_add_leaves_version_and_other_fields_alone(store: Store) -> None:
    version = store.put(COUNTERS, {"read": 1, "note": "ü"}, expected_version=ABSENT)

    store.add(COUNTERS, {"read": 2**53})

    item = store.get(COUNTERS)
    assert item is not None
    assert (item.fields, item.version) == ({"read": 2**53 + 1, "note": "ü"}, version)


def test_row_exists_when_add_made_it(store: Store) -> None:
    store.add(COUNTERS, {"read": 1})

    with pytest.raises(VersionConflict):
        store.put(COUNTERS, {}, expected_version=ABSENT)

    item = store.get(COUNTERS)
    assert item is not None
    assert store.put(COUNTERS, {}, expected_version=item.version) > item.version


@pytest.mark.parametrize(
    ("before", "step", "ceiling", "refused"),
    [
        pytest.param(None, 5, 5, False, id="up to it from nothing"),
        pytest.param(None, 6, 5, True, id="past it from nothing"),
        pytest.param(4, 1, 5, False, id="up to it"),
        pytest.param(5, 1, 5, True, id="past it"),
        pytest.param(0, 1, 0, True, id="ceiling zero"),
        pytest.param(0, 1, -3, True, id="ceiling below zero"),
        pytest.param(9, 0, 5, False, id="no step while above"),
        pytest.param(9, -1, 5, False, id="down while above"),
    ],
)
def test_add_is_refused_when_a_counter_would_pass_its_ceiling(
    store: Store, before: int | None, step: int, ceiling: int, refused: bool
) -> None:
    if before is not None:
        store.add(COUNTERS, {"read": before})
    counted = {"other": 1, "read": step}

    if refused:
        with pytest.raises(CeilingReached) as caught:
            store.add(COUNTERS, counted, ceilings={"other": 10, "read": ceiling})
        assert caught.value.field == "read"
    else:
        store.add(COUNTERS, counted, ceilings={"other": 10, "read": ceiling})

    item = store.get(COUNTERS)
    found = item.fields if item else {}
    assert found.get("read", 0) == (before or 0) + (0 if refused else step)
    assert found.get("other", 0) == (0 if refused else 1)


def test_add_ignores_the_ceilings_of_counters_it_does_not_raise(store: Store) -> None:
    store.add(COUNTERS, {"day": 9})

    assert store.add(COUNTERS, {"read": 1}, ceilings={"day": 5, "read": 1}) == {"read": 1}


# --- expiry --------------------------------------------------------------------------------------


def expiring(clock: Clock, in_s: int) -> int:
    return int(clock()) + in_s


def test_row_reads_as_absent_when_it_has_expired(
    store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    store.put(KEY, link(22), expected_version=ABSENT, expires_at_epoch_s=expiring(clock, 60))
    pass_time(59)
    before = store.get(KEY), len(list(store.query("links", "11"))), len(list(store.find("links", "by_child", 22)))
    pass_time(1)

    assert before[0] is not None
    assert before[1:] == (1, 1)
    assert store.get(KEY) is None
    assert list(store.query("links", "11")) == []
    assert list(store.find("links", "by_child", 22)) == []


def test_expired_row_is_written_like_an_absent_one(
    store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    version = store.put(KEY, link(22), expected_version=ABSENT, expires_at_epoch_s=expiring(clock, 60))
    pass_time(60)

    with pytest.raises(VersionConflict):
        store.put(KEY, link(23), expected_version=version)
    store.delete(KEY, expected_version=version + 5)
    store.put(KEY, link(24), expected_version=ABSENT)

    item = store.get(KEY)
    assert item is not None
    assert (item.fields, item.expires_at_epoch_s) == (link(24), None)
    assert list(store.find("links", "by_child", 22)) == []


def test_add_starts_again_when_the_row_has_expired(
    store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    store.add(COUNTERS, {"read": 5, "total": 5}, expires_at_epoch_s=expiring(clock, 60))
    pass_time(60)

    assert store.add(COUNTERS, {"read": 1}, ceilings={"read": 5}, expires_at_epoch_s=expiring(clock, 60)) == {"read": 1}

    item = store.get(COUNTERS)
    assert item is not None
    assert item.fields == {"read": 1}


def test_add_keeps_the_expiry_when_it_names_none(
    store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    store.add(COUNTERS, {"read": 1}, expires_at_epoch_s=expiring(clock, 60))
    store.add(COUNTERS, {"read": 1})
    pass_time(60)

    assert store.get(COUNTERS) is None


# --- many at once --------------------------------------------------------------------------------


def count_by_put(url: str, times: int) -> int:
    store = open_store(url, time.time)
    conflicts = 0
    for _ in range(times):
        while True:
            item = store.get(KEY)
            n = item.fields["n"] if item else 0
            try:
                store.put(KEY, {"n": n + 1}, expected_version=item.version if item else ABSENT)
                break
            except VersionConflict:
                conflicts += 1
    store.close()
    return conflicts


def count_by_add(url: str, times: int, ceiling: int) -> int:
    store = open_store(url, time.time)
    counted = 0
    for _ in range(times):
        try:
            store.add(COUNTERS, {"read": 1, "total": 1}, ceilings={"read": ceiling})
            counted += 1
        except CeilingReached:
            continue
    store.close()
    return counted


def create_row(url: str, worker: int) -> bool:
    store = open_store(url, time.time)
    try:
        store.put(KEY, {"n": worker}, expected_version=ABSENT)
    except VersionConflict:
        return False
    finally:
        store.close()
    return True


def in_processes(work: Callable[..., Any], *arguments: Any) -> list[Any]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        return [future.result() for future in [pool.submit(work, *arguments) for _ in range(WORKERS)]]


def test_no_update_is_lost_when_processes_race_for_a_row(store_url: str, clock: Clock) -> None:
    in_processes(count_by_put, store_url, 25)

    item = open_store(store_url, clock).get(KEY)
    assert item is not None
    assert item.fields == {"n": WORKERS * 25}


def test_ceiling_holds_when_processes_count_at_once(store_url: str, clock: Clock) -> None:
    counted = in_processes(count_by_add, store_url, 40, 100)

    item = open_store(store_url, clock).get(COUNTERS)
    assert item is not None
    assert sum(counted) == 100
    assert item.fields == {"read": 100, "total": 100}


def test_one_creator_wins_when_threads_race(store_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create_row, [store_url] * 8, range(8)))

    assert sorted(created) == [False] * 7 + [True]


def test_one_store_serves_many_threads(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.add(COUNTERS, {"read": 1}), range(80)))

    item = store.get(COUNTERS)
    assert item is not None
    assert item.fields == {"read": 80}
