"""The row about a month's object, which is rewritten whole at every change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.objects import Condition
from include.lake.raw import RawZone
from include.lake.rows.synced import build_rows
from local.proofs.bench.claim import Claim
from local.proofs.bench.fresh import fresh_processes, peak_mb
from local.proofs.bench.scale import Scale

_ATHLETE_ID = 7


def month_rewrite(scale: Scale, directory: Path) -> Sequence[Claim]:
    """One more activity for a full month, in a process that does nothing else: all its tables, on the disk."""
    from local.proofs.bench.recordings import keep_raw, month_of, unguarded

    objects = open_objects(directory.as_uri())
    *month, arriving = month_of(_ATHLETE_ID, 5, scale.month_activities + 1, scale.hour_points)
    Lake(objects).write([recording.rows for recording in month], guard=unguarded)
    keep_raw(objects, arriving)
    with fresh_processes(1) as process:
        times, peak = process.submit(_rewrite, directory.as_uri(), arriving.activity.activity_id, scale.rounds).result()
    return [
        Claim.bounded("month_rewrite", "s", median(times), at_most=0.25),
        Claim.bounded("month_rewrite.memory", "MB", peak, at_most=150),
    ]


def _rewrite(lake_url: str, activity_id: int, rounds: int) -> tuple[list[float], float]:
    """How long each rewrite took, and the most memory that the process held."""
    objects = open_objects(lake_url)
    raw = RawZone(objects)
    activity, streams = raw.detail(_ATHLETE_ID, activity_id), raw.streams(_ATHLETE_ID, activity_id)
    if activity is None:
        raise LookupError(f"{lake_url} lacks activity {activity_id}, which was just put there")
    rows = build_rows(activity, streams, made={}, source="webhook", updated_at_epoch_s=0.0)
    before = [stored for key in rows.object_keys if (stored := objects.get(key))]
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        Lake(objects).write([rows], guard=lambda: None)
        times.append(time.perf_counter() - start)
        for stored in before:
            objects.put(stored.key, stored.body, expected=Condition.ANYTHING)
    return times, peak_mb()
