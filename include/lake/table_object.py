"""One object of a lake table: its rows, and the bytes that hold them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.errors import UnexpectedShape
from include.lake.activity_update import take_over
from include.lake.keys import partition_of
from include.lake.schemas import SCHEMA_VERSION, SORT_KEYS, TABLES

_ROW_GROUP_ROWS = 32_768
"""About nine activities of an hour: a reader of one activity skips most of a month."""

_RARELY_REPEATED = frozenset({"point_index", "time_s", "ts", "lat", "lon", "distance_m"})
"""Columns that a dictionary makes larger and slower to write (measured: 20 % and 45 % of an object)."""


def merge(table: str, old: pa.Table, activity_ids: Collection[int], new: Sequence[pa.Table]) -> tuple[pa.Table, int]:
    """The object's rows with those of the activities replaced by the new ones, and how many were replaced.

    Shape: sorted by the table's key, one contiguous chunk.
    """
    theirs = pc.is_in(old["activity_id"], value_set=pa.array(sorted(activity_ids), pa.int64()))
    kept, replaced = old.filter(pc.invert(theirs)), old.filter(theirs)
    arriving = pa.concat_tables([TABLES[table].empty_table(), *new])
    if table == "activities":
        arriving = take_over(replaced, arriving)
    merged = pa.concat_tables([kept, arriving]).sort_by([(name, "ascending") for name in SORT_KEYS[table]])
    return merged.combine_chunks(), replaced.num_rows


def encode(rows: pa.Table) -> bytes:
    """The rows as Parquet bytes; the same rows give the same bytes.

    Encodings are the plain and dictionary ones, which every reader of the lake knows.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows,
        sink,
        row_group_size=_ROW_GROUP_ROWS,
        use_dictionary=[name for name in rows.column_names if name not in _RARELY_REPEATED],
        compression="zstd",
        compression_level=3,
    )
    body: bytes = sink.getvalue().to_pybytes()
    return body


def decode(key: str, body: bytes) -> pa.Table:
    """The rows in a table object's bytes, in today's schema: a column that an older object lacks is null.

    Errors: `UnexpectedShape` where the bytes are not Parquet with columns of the table's types.
    """
    schema = TABLES[partition_of(key).table]
    try:
        # Reading a month with threads is no faster and holds 40 MB more: each thread keeps memory of its own.
        rows = pq.ParquetFile(pa.BufferReader(body)).read(use_threads=False)
        columns = rows.columns if rows.schema.equals(schema) else [_column(rows, column) for column in schema]
    except pa.ArrowException as err:
        advice = "delete it and make its rows again from the raw zone"
        raise UnexpectedShape(f"{key} is not readable: {err}; {advice}") from err
    version = (rows.schema.metadata or {}).get(b"schema_version", b"")
    return pa.Table.from_arrays(columns, schema=schema.with_metadata({"schema_version": version}))


def is_current(old: pa.Table, merged: pa.Table) -> bool:
    """Whether an object that holds `old` needs no writing to hold `merged`."""
    return old.schema.metadata == {b"schema_version": SCHEMA_VERSION.encode()} and bool(old.equals(merged))


def _column(rows: pa.Table, column: pa.Field) -> pa.ChunkedArray:
    if column.name in rows.column_names:
        return rows[column.name].cast(column.type)
    return pa.chunked_array([pa.nulls(rows.num_rows, column.type)])
