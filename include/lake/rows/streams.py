"""Streams as rows of `streams`, built column by column, without a Python object per sample."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.lake.rows.cells import epoch_ms, to_column
from include.lake.schemas import STREAMS
from include.strava.models import StreamSet
from include.strava.stream_types import STREAM_TYPES, Kind

_INT32_LIMIT = 2**31
_YEAR_10000_MS = 253_402_300_800_000
"""The first time that some readers cannot read."""


def streams_table(activity_id: int, streams: StreamSet | None, start_at: datetime | None) -> pa.Table:
    """The samples as rows of `streams`; no rows without streams.

    `start_at` is None where the start time is hidden: then `ts` is null.

    Shape: as many rows as the longest stream that has a column; shorter ones end in nulls, missing ones are null.
    A sample that does not fit its column is null; positions out of range and `[0, 0]`, Strava's mark for "none",
    are null. Stream types without a column are in the raw zone only.
    """
    channels = streams.channels if streams is not None else {}
    columns: dict[str, pa.Array] = {}
    for each in STREAM_TYPES:
        samples = channels.get(each.key, ())
        if each.kind is Kind.POSITION:
            columns |= zip(each.columns, _positions(samples), strict=True)
        else:
            columns |= {name: _column(samples, STREAMS.field(name).type) for name in each.columns}
    count = max(map(len, columns.values()))
    columns["activity_id"] = pa.repeat(pa.scalar(activity_id, pa.int64()), count)
    columns["point_index"] = pa.arange(0, count).cast(pa.int32())
    columns["ts"] = _timestamps(columns["time_s"], start_at)
    return pa.Table.from_arrays(
        [_padded(columns[name], count) for name in STREAMS.names],
        schema=STREAMS,
    )


def _column(samples: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """The samples in the column's type: converted by Arrow where all have one type, else cell by cell."""
    try:
        array = pa.array(samples)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return to_column(samples, kind)
    if pa.types.is_null(array.type):
        return array.cast(kind)
    if pa.types.is_boolean(kind) or not (pa.types.is_int64(array.type) or pa.types.is_float64(array.type)):
        return array if array.type == kind else to_column(samples, kind)
    return _integers(array, kind) if pa.types.is_integer(kind) else _floats(array, kind)


def _integers(array: pa.Array, kind: pa.DataType) -> pa.Array:
    whole = pc.round(array, round_mode="half_to_even") if pa.types.is_floating(array.type) else array
    try:
        return whole.cast(kind)
    except pa.ArrowInvalid:
        pass
    fits = pc.and_(pc.greater_equal(whole, -_INT32_LIMIT), pc.less(whole, _INT32_LIMIT))
    return pc.if_else(fits, whole, pa.scalar(None, whole.type)).cast(kind)


def _floats(array: pa.Array, kind: pa.DataType) -> pa.Array:
    numbers = array.cast(kind, safe=False)
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, kind))


def _positions(samples: Sequence[Any]) -> tuple[pa.Array, pa.Array]:
    kind = pa.list_(pa.float64(), 2)
    try:
        pairs = pa.array(samples, kind)
    except (pa.ArrowException, OverflowError, TypeError):
        pairs = pa.array([_pair(sample) for sample in samples], kind)
    lat, lon = pc.list_element(pairs, 0), pc.list_element(pairs, 1)
    on_earth = pc.and_(pc.less_equal(pc.abs(lat), 90.0), pc.less_equal(pc.abs(lon), 180.0))
    somewhere = pc.or_(pc.not_equal(lat, 0.0), pc.not_equal(lon, 0.0))
    known = pc.and_(on_earth, somewhere)
    nothing = pa.scalar(None, pa.float64())
    return pc.if_else(known, lat, nothing), pc.if_else(known, lon, nothing)


def _pair(sample: Any) -> list[float | None] | None:
    if not isinstance(sample, list) or len(sample) != 2:
        return None
    pair: list[float | None] = to_column(sample, pa.float64()).to_pylist()
    return pair


def _timestamps(time_s: pa.Array, start_at: datetime | None) -> pa.Array:
    kind = STREAMS.field("ts").type
    if start_at is None:
        return pa.nulls(len(time_s), kind)
    instants = pc.add(pc.multiply(time_s.cast(pa.int64()), 1000), epoch_ms(start_at))
    return pc.if_else(pc.less(instants, _YEAR_10000_MS), instants, pa.scalar(None, pa.int64())).cast(kind)


def _padded(column: pa.Array, count: int) -> pa.Array:
    missing = count - len(column)
    return pa.concat_arrays([column, pa.nulls(missing, column.type)]) if missing else column
