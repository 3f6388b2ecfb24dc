"""The proof at scale: thousands of activities from raw objects to answered queries, in memory that stays flat."""

from __future__ import annotations

import gzip
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from include.lake import keys
from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.objects import Condition
from include.lake.query import query
from include.lake.raw import RawZone
from include.lake.rows.synced import ActivityRows, build_rows
from local.proofs.bench.claim import Claim
from local.proofs.bench.fresh import fresh_processes, peak_mb
from local.proofs.proof import Effort
from local.proofs.verdict import Verdict

_FIRST_ATHLETE_ID = 100
_MONTHS_OF_A_YEAR = 12
_SAMPLE_EVERY_S = 0.02

_YEARS = """
    SELECT athlete_id, count(*) AS points, count(DISTINCT activity_id) AS activities, avg(heartrate_bpm), max(ts)
    FROM streams GROUP BY athlete_id
"""
_BEST = "SELECT activity_id, max(watts), max(altitude_m) - min(altitude_m) FROM streams GROUP BY activity_id"
_POINTS = "SELECT * FROM streams WHERE activity_id = (SELECT max(activity_id) FROM activities) ORDER BY point_index"


@dataclass(frozen=True, slots=True)
class _Month:
    athlete_id: int
    month: int
    activities: int


@dataclass(frozen=True, slots=True)
class _Answered:
    points: int
    activities: int
    peak_mb: float


@dataclass(frozen=True, slots=True)
class _Size:
    activities: int
    in_a_month: int
    points: int


_FULL = _Size(activities=2_000, in_a_month=28, points=3_600)
_SMALL = _Size(activities=7, in_a_month=3, points=300)


def prove_lake_at_scale(effort: Effort) -> list[Verdict]:
    """One process makes athlete-years of tables from raw objects, a month at a time, and queries them all.

    Its resident memory is sampled all the while: the last quarter of the work takes hardly more than the first one,
    which begins when the first month has loaded the code.
    """
    with tempfile.TemporaryDirectory(prefix="lake-at-scale-") as directory:
        return [claim.verdict() for claim in _measured(_SMALL if effort.is_small else _FULL, Path(directory))]


def _measured(size: _Size, directory: Path) -> Sequence[Claim]:
    raw_url, lake_url = (directory / "raw").as_uri(), (directory / "lake").as_uri()
    samples: list[float] = []
    ingest_s, loaded = 0.0, 0
    with fresh_processes(1) as process:
        process_id = process.submit(os.getpid).result()
        for month in _months(size.activities, size.in_a_month):
            _keep_raw(raw_url, month, size.points)
            ingest_s += _sampled(process, samples, process_id, _ingest, raw_url, lake_url, month)[0]
            loaded = loaded or len(samples)
        steady = samples[loaded:] or samples
        last = steady[-len(steady) // 4 :]
        answered, query_s = _sampled(process, samples, process_id, _ask, lake_url)
    expected = (size.activities * size.points, size.activities)
    if (answered.points, answered.activities) != expected:
        raise AssertionError(f"the lake answers {answered} where {expected} was put in; the proof has failed")
    return [
        Claim.bounded("lake_at_scale", "ms CPU each", [ingest_s * 1e3 / answered.activities], at_most=40),
        Claim.bounded("lake_at_scale.queries", "s", [query_s], at_most=max(5.0, answered.points / 1e6)),
        Claim.bounded("lake_at_scale.memory", "MB", [max(answered.peak_mb, *samples)], at_most=500),
        Claim.bounded("lake_at_scale.growth", "×", [median(last) / median(steady[: len(last)])], at_most=1.25),
    ]


def _months(activities: int, in_a_month: int) -> Iterator[_Month]:
    """That many activities, one full month after the other, athlete by athlete."""
    for number, first in enumerate(range(0, activities, in_a_month)):
        years, month = divmod(number, _MONTHS_OF_A_YEAR)
        yield _Month(_FIRST_ATHLETE_ID + years, month + 1, min(in_a_month, activities - first))


def _keep_raw(raw_url: str, month: _Month, points: int) -> None:
    """Put the month's answers where a sync leaves them."""
    from local.proofs.bench.recordings import month_of

    objects = open_objects(raw_url)
    for recording in month_of(month.athlete_id, month.month, month.activities, points):
        activity = recording.activity
        detail, streams = keys.raw_detail_key, keys.raw_streams_key
        for key, body in ((detail, activity.body), (streams, recording.streams_body)):
            stored = _packed(body) if key is streams else gzip.compress(body)
            objects.put(key(month.athlete_id, activity.activity_id), stored, expected=Condition.ABSENT)


@cache
def _packed(body: bytes) -> bytes:
    """The recordings repeat, so each is compressed once."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def _sampled(
    process: ProcessPoolExecutor, samples: list[float], process_id: int, work: Callable[..., Any], *arguments: Any
) -> tuple[Any, float]:
    """What the work answers and how long it takes; its process's resident memory meanwhile, in MB, joins `samples`."""
    start = time.perf_counter()
    future = process.submit(work, *arguments)
    while not future.done():
        samples.append(psutil.Process(process_id).memory_info().rss / 1e6)
        time.sleep(_SAMPLE_EVERY_S)
    return future.result(), time.perf_counter() - start


def _ingest(raw_url: str, lake_url: str, month: _Month) -> float:
    """Make the month's tables from its raw objects; gives the CPU time that it took, in seconds."""
    began_s = time.process_time()
    raw = RawZone(open_objects(raw_url))
    start = month.athlete_id * 1_000_000 + month.month * 1_000
    rows = [_rows(raw, month.athlete_id, activity_id) for activity_id in range(start, start + month.activities)]
    Lake(open_objects(lake_url)).write(rows, guard=lambda: None)
    return time.process_time() - began_s


def _rows(raw: RawZone, athlete_id: int, activity_id: int) -> ActivityRows:
    activity, streams = raw.detail(athlete_id, activity_id), raw.streams(athlete_id, activity_id)
    if activity is None:
        raise LookupError(f"activity {activity_id} of athlete {athlete_id} was just put into the raw zone, and is gone")
    return build_rows(activity, streams, made={}, source="backfill", updated_at_epoch_s=0.0)


def _ask(lake_url: str) -> _Answered:
    """Every athlete's points, every activity's extremes, one activity whole."""
    years = query(_YEARS, lake_url)
    best, points = query(_BEST, lake_url), query(_POINTS, lake_url)
    if best.num_rows != sum(years["activities"].to_pylist()) or not points.num_rows:
        raise AssertionError("two queries count the activities differently; the proof has failed")
    return _Answered(sum(years["points"].to_pylist()), sum(years["activities"].to_pylist()), peak_mb())
