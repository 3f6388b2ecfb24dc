"""Rows about what one activity becomes: a Parquet object, a GPX file."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

from include.lake.encodings import Encodings
from include.lake.rows.streams import streams_table
from include.lake.schemas import STREAMS
from include.lake.table_object import encode, merge
from include.state.links import CopyOptions
from include.strava.models import StreamSet
from local.proofs.bench.claim import Claim
from local.proofs.bench.recordings import ATHLETE_ID, Recording, month_of, ride
from local.proofs.bench.rivals import gpxpy_document, original_gpx, original_parquet
from local.proofs.bench.scale import Scale
from local.proofs.bench.timing import interleaved
from local.testbed.track_files import write_gpx


def parquet_write(scale: Scale, _directory: Path) -> Sequence[Claim]:
    """Streams as Strava answers them to Parquet bytes, against the original, whose GPX file is given to it."""
    recording = ride(scale.ride_points)
    activity = recording.activity
    gpx = original_gpx(recording.streams, activity.start_at)

    def ours() -> bytes:
        streams = StreamSet.parse(recording.streams_body)
        return encode(streams_table(activity.activity_id, streams, activity.start_at))

    times_ms = interleaved(ours, lambda: original_parquet(gpx), scale.rounds)
    return [Claim.times_better("parquet_write", "ms CPU", *times_ms, at_least=35)]


def gpx_write(scale: Scale, _directory: Path) -> Sequence[Claim]:
    """Parsed streams to a GPX file with every extension, against gpxpy; and what it needs beyond the streams."""
    recording = ride(scale.gpx_points)
    activity, streams = recording.activity, recording.streams
    times_ms = interleaved(
        lambda: write_gpx(activity, streams, CopyOptions()), lambda: gpxpy_document(activity, streams), scale.rounds
    )
    tracemalloc.start()
    write_gpx(activity, streams, CopyOptions())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [
        Claim.times_better("gpx_write", "ms CPU", *times_ms, at_least=8),
        Claim.bounded("gpx_write.memory", "MB", [peak_bytes / 1e6], at_most=60),
    ]


def lake_bytes(scale: Scale, _directory: Path) -> Sequence[Claim]:
    """Bytes of an activity of an hour in a month's object, in both choices of encodings, against the original's."""
    month = month_of(ATHLETE_ID, 5, scale.month_activities, scale.hour_points)
    tables = [recording.rows.streams for recording in month]
    merged, _ = merge("streams", STREAMS.empty_table(), (), tables)
    hours = merged.num_rows / 3600
    rivals = sum(map(_original_bytes, month)) / hours / 1e3
    safe, smallest = (len(encode(merged, encodings)) / hours / 1e3 for encodings in (Encodings.SAFE, Encodings.ALL))
    return [
        Claim.share("lake_bytes", "kB/h", [safe], [rivals], at_most=1.1),
        Claim.share("lake_bytes.all", "kB/h", [smallest], [rivals], at_most=0.65),
    ]


def _original_bytes(recording: Recording) -> int:
    return len(original_parquet(original_gpx(recording.streams, recording.activity.start_at)))
