"""A rival that does less than its share would flatter us: both write what they should."""

from __future__ import annotations

import gpxpy
import pyarrow as pa
import pyarrow.parquet as pq

from include.state.links import CopyOptions
from local.proofs.bench.recordings import ride
from local.proofs.bench.rivals import gpxpy_document, original_gpx, original_parquet
from local.testbed.track_files import write_gpx

POINTS = 50


def test_original_writes_seven_columns_with_every_point() -> None:
    recording = ride(POINTS)

    body = original_parquet(original_gpx(recording.streams, recording.activity.start_at))

    table = pq.ParquetFile(pa.BufferReader(body)).read()
    assert table.num_rows == POINTS
    assert set(table.column_names) == {
        *("latitude", "longitude", "altitude", "timestamp"),
        *("distance", "cadence", "heartrate"),
    }
    assert table["heartrate"].to_pylist() == recording.streams.channels["heartrate"]


def test_gpxpy_writes_the_values_that_we_write() -> None:
    recording = ride(POINTS)
    activity, streams = recording.activity, recording.streams

    ours, rivals = (
        gpxpy.parse(document).tracks[0].segments[0].points
        for document in (write_gpx(activity, streams, CopyOptions()), gpxpy_document(activity, streams))
    )

    assert len(ours) == len(rivals) == POINTS
    for our, their in zip(ours, rivals, strict=True):
        assert our.time == their.time
        assert {tag: float(text) for tag, text in leaves(our)} == {tag: float(text) for tag, text in leaves(their)}


def leaves(point: gpxpy.gpx.GPXTrackPoint) -> list[tuple[str, str]]:
    """Tag and text of each extension that holds a value."""
    found = (node for extension in point.extensions for node in extension.iter() if len(node) == 0)
    return [(node.tag.rpartition("}")[2], node.text) for node in found]
