"""What the lake keeps when many write and remove at once, wherever its objects lie."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.objects import ObjectStore
from include.lake.rows.synced import ActivityRows, build_rows
from include.lake.table_object import decode
from include.strava.models import Activity, StreamSet

PROCESSES, THREADS, WRITES = 4, 2, 4
ATHLETE_ID = 7
STREAMS = f"streams/athlete_id={ATHLETE_ID}/year=2024/2024-05.parquet"
ACTIVITIES = f"activities/athlete_id={ATHLETE_ID}/year=2024/activities.parquet"


def hold() -> None:
    """A lease that holds."""


def rows_of(activity_id: int) -> ActivityRows:
    answer = {"id": activity_id, "athlete": {"id": ATHLETE_ID}, "start_date": "2024-05-01T08:00:00Z"}
    streams = StreamSet({"time": [0, 1]}, b"")
    return build_rows(Activity.parse(answer), streams, made={}, source="webhook", updated_at_epoch_s=0)


def held(objects: ObjectStore, key: str) -> list[int]:
    """The activity of each row of a table object."""
    stored = objects.get(key)
    return [] if stored is None else decode(key, stored.body)["activity_id"].to_pylist()


def write_and_remove(lake_url: str, process: int) -> None:
    """Each thread writes some activities into one athlete-month and removes every other one again."""
    lake = Lake(open_objects(lake_url))

    def one_writer(thread: int) -> None:
        for number in range(WRITES):
            activity_id = (process * THREADS + thread) * WRITES + number + 1
            written = lake.write([rows_of(activity_id)], guard=hold)
            if number % 2:
                lake.remove(ATHLETE_ID, [activity_id], written.object_keys[activity_id], guard=hold)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one_writer, range(THREADS)))


def test_no_row_is_lost_or_comes_back_when_eight_writers_share_one_month(lake_url: str) -> None:
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        for writing in [pool.submit(write_and_remove, lake_url, process) for process in range(PROCESSES)]:
            writing.result()

    objects = open_objects(lake_url)
    kept = [1 + number for number in range(PROCESSES * THREADS * WRITES) if number % 2 == 0]
    assert held(objects, ACTIVITIES) == kept
    assert held(objects, STREAMS) == [activity_id for activity_id in kept for _ in range(2)]


def test_object_goes_with_its_last_row_and_comes_back_with_the_next(lake_url: str) -> None:
    objects = open_objects(lake_url)
    lake = Lake(objects)
    written = lake.write([rows_of(1)], guard=hold)
    before = objects.get(STREAMS)

    lake.remove(ATHLETE_ID, [1], written.object_keys[1], guard=hold)
    emptied = list(objects.list(""))
    lake.write([rows_of(1)], guard=hold)

    assert emptied == []
    assert objects.get(STREAMS) == before
