"""The row about making the lake again from the raw zone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.objects import Condition, ObjectStore
from include.lake.raw import RawZone
from include.lake.rows.synced import build_rows
from include.strava.models import Activity, StreamSet
from local.proofs.bench.claim import Claim
from local.proofs.bench.fresh import fresh_processes, peak_mb
from local.proofs.bench.scale import Scale

_CORES = 2
_FIRST_ATHLETE_ID = 100
_RIVALS_SHARE = 14
"""The original gets every fourteenth activity: its rate is the same, and the run stays short."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What one process had made when it was done with one athlete's month."""

    process_id: int
    activities: int
    peak_mb: float


def raw_to_lake(scale: Scale, directory: Path) -> Sequence[Claim]:
    """Activities of an hour a second with two processes, a month of one athlete at a time, against the original's way.

    How many a second says more about the machine than about the code, so the ratio is what is promised.

    Memory is flat when a process that has made many months has never held a quarter more than after its first one.
    """
    from local.proofs.bench.recordings import keep_raw, month_of

    raw_url = (directory / "raw").as_uri()
    athletes = range(_FIRST_ATHLETE_ID, _FIRST_ATHLETE_ID + scale.raw_athletes)
    for athlete_id in athletes:
        for recording in month_of(athlete_id, 5, scale.month_activities, scale.hour_points):
            keep_raw(open_objects(raw_url), recording)
    rates: tuple[list[float], list[float]] = [], []
    made: list[_Made] = []
    with fresh_processes(_CORES) as processes, fresh_processes(_CORES) as rivals:
        for number in range(-1, scale.rounds):
            lake_url = (directory / f"lake{number}").as_uri()
            ours, months = _rate(processes, partial(_make, raw_url, lake_url), athletes)
            rival, _ = _rate(rivals, partial(_make_as_the_original, raw_url, lake_url), athletes)
            made += months
            if number >= 0:  # the first one starts the processes
                rates[0].append(ours)
                rates[1].append(rival)
    return [
        Claim.rate("raw_to_lake", "1/s", *rates, at_least=14),
        Claim.bounded("raw_to_lake.memory", "×", _growth(made), at_most=1.25),
    ]


def _rate(
    processes: ProcessPoolExecutor, make: Callable[[int], _Made], athletes: Sequence[int]
) -> tuple[float, list[_Made]]:
    """Activities a second, and what each call of `make` reports."""
    start = time.perf_counter()
    made = list(processes.map(make, athletes))
    return sum(month.activities for month in made) / (time.perf_counter() - start), made


def _growth(made: Sequence[_Made]) -> list[float]:
    """By which factor the peak of each process has grown since its first month."""
    peaks: dict[int, list[float]] = {}
    for month in made:
        peaks.setdefault(month.process_id, []).append(month.peak_mb)
    return [max(of_one) / min(of_one) for of_one in peaks.values()]


def _make(raw_url: str, lake_url: str, athlete_id: int) -> _Made:
    objects = open_objects(raw_url)
    rows = [
        build_rows(activity, streams, made={}, source="backfill", updated_at_epoch_s=0.0)
        for activity, streams in map(partial(_answers, objects, athlete_id), _activity_ids(objects, athlete_id))
    ]
    Lake(open_objects(lake_url)).write(rows, guard=lambda: None)
    return _Made(os.getpid(), len(rows), peak_mb())


def _make_as_the_original(raw_url: str, lake_url: str, athlete_id: int) -> _Made:
    from local.proofs.bench.rivals import original_gpx, original_parquet

    objects, lake = open_objects(raw_url), open_objects(lake_url)
    activity_ids = _activity_ids(objects, athlete_id)[::_RIVALS_SHARE]
    for activity_id in activity_ids:
        activity, streams = _answers(objects, athlete_id, activity_id)
        body = original_parquet(original_gpx(streams, activity.start_at))
        lake.put(f"original/{activity_id}.parquet", body, expected=Condition.ANYTHING)
    return _Made(os.getpid(), len(activity_ids), peak_mb())


def _activity_ids(objects: ObjectStore, athlete_id: int) -> list[int]:
    keys = objects.list(f"raw/athlete_id={athlete_id}/")
    return [int(key.rpartition("/")[2].partition(".")[0]) for key in keys if key.endswith(".detail.json.gz")]


def _answers(objects: ObjectStore, athlete_id: int, activity_id: int) -> tuple[Activity, StreamSet]:
    raw = RawZone(objects)
    activity, streams = raw.detail(athlete_id, activity_id), raw.streams(athlete_id, activity_id)
    if activity is None or streams is None:
        raise LookupError(f"activity {activity_id} of athlete {athlete_id} was just put into the raw zone, and is gone")
    return activity, streams
