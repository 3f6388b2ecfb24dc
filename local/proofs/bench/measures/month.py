"""The row about a month's object, which is rewritten whole at every change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.objects.objects import Condition
from include.lake.raw import RawZone
from include.lake.rows.synced import build_rows
from local.proofs.bench.claim import Claim
from local.proofs.bench.fresh import fresh_processes, peak_mb
from local.proofs.bench.scale import Scale
from local.proofs.bench.timing import seconds

_ATHLETE_ID = 7
_MOST_PROCESSES = 3


def month_rewrite(scale: Scale, directory: Path) -> Sequence[Claim]:
    """One more activity for a full month, in processes that do nothing else: all its tables, on the disk.

    The rival rewrites the object of `streams` alone, in memory.
    """
    from local.proofs.bench.recordings import keep_raw, month_of, unguarded

    objects = open_objects(directory.as_uri())
    *month, arriving = month_of(_ATHLETE_ID, 5, scale.month_activities + 1, scale.hour_points)
    Lake(objects).write([recording.rows for recording in month], guard=unguarded)
    keep_raw(objects, arriving)
    measured = []
    for _ in range(min(scale.rounds, _MOST_PROCESSES)):
        with fresh_processes(1) as process:
            arguments = directory.as_uri(), arriving.activity.activity_id, scale.rounds
            measured.append(process.submit(_rewrite, *arguments).result())
    ours_ms = [time for ours, _, _ in measured for time in ours]
    rivals_ms = [time for _, rivals, _ in measured for time in rivals]
    return [
        Claim.share("month_rewrite", "ms CPU", ours_ms, rivals_ms, at_most=1.5),
        Claim.bounded("month_rewrite.memory", "MB", [peak for *_, peak in measured], at_most=150),
    ]


def _rewrite(lake_url: str, activity_id: int, rounds: int) -> tuple[list[float], list[float], float]:
    """The CPU times of our rewrites and of the rival's, in ms, and the peak memory of ours."""
    objects = open_objects(lake_url)
    raw = RawZone(objects)
    activity, streams = raw.detail(_ATHLETE_ID, activity_id), raw.streams(_ATHLETE_ID, activity_id)
    if activity is None:
        raise LookupError(f"{lake_url} lacks activity {activity_id}, which was just put there")
    rows = build_rows(activity, streams, made={}, source="webhook", updated_at_epoch_s=0.0)
    before = [stored for key in rows.object_keys if (stored := objects.get(key))]

    def ours_ms() -> float:
        took_s = seconds(lambda: Lake(objects).write([rows], guard=lambda: None))
        for stored in before:
            objects.put(stored.key, stored.body, expected=Condition.ANYTHING)
        return took_s * 1e3

    for _ in range(rounds):
        ours_ms()
    peak = peak_mb()
    from local.proofs.bench.rivals import pyarrow_rewrite  # what it imports and holds is not in our peak

    (month,) = (stored.body for stored in before if stored.key.startswith("streams/"))
    pyarrow_rewrite(month, rows.streams)
    times_ms = [(ours_ms(), seconds(lambda: pyarrow_rewrite(month, rows.streams)) * 1e3) for _ in range(rounds)]
    return [ours for ours, _ in times_ms], [rivals for _, rivals in times_ms], peak
