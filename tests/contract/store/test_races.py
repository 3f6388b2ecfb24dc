"""What every `Store` does with several processes at once."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from include.clock import Clock
from include.errors import CeilingReached, VersionConflict
from include.store.backend import open_store
from include.store.store import ABSENT, Key, Store

KEY = Key("links", "11", "22")
COUNTERS = Key("quota", "2026-11-22")
WORKERS = 4


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
