"""One object of a lake table: its rows, and the bytes that hold them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.errors import UnexpectedShape
from include.lake.encodings import Encodings, writer_options
from include.lake.keys import partition_of
from include.lake.rows.activity_update import merged_rows
from include.lake.schemas import SCHEMA_VERSION, TABLES

# Arrow's own pool keeps up to 40 MB after a rewrite; the system's pool gives memory back and is as fast.
pa.set_memory_pool(pa.system_memory_pool())

_ROW_GROUP_ROWS = 131_072
"""Rows of a month with an hour a day: more row groups make the footer larger, which costs more than they skip."""

_FROM_RAW = "delete it and rebuild its rows from the raw zone: `make replay`"
_ADVICE = {
    "copies": "`strava_retention` rebuilds its rows from the ledger of copies",
    "freshness": "`strava_reconcile` rebuilds its rows from the next lists",
}


def merge(table: str, old: pa.Table, activity_ids: Collection[int], new: Sequence[pa.Table]) -> tuple[pa.Table, int]:
    """The object's rows with those of the activities replaced by the new ones, and how many were replaced.

    Shape: `old`, the result and each new table are sorted by the table's key; a new table holds one activity's rows.
    """
    theirs = pc.is_in(old["activity_id"], value_set=pa.array(sorted(activity_ids), pa.int64()))
    replaced = old.filter(theirs)
    kept = old.filter(pc.invert(theirs)) if replaced.num_rows else old
    in_order = sorted((rows for rows in new if rows.num_rows), key=lambda rows: rows["activity_id"][0].as_py())
    arriving = pa.concat_tables([TABLES[table].empty_table(), *in_order])
    if table == "activities":
        arriving = merged_rows(replaced, arriving)
    return _interleaved(kept, arriving), replaced.num_rows


def encode(rows: pa.Table, encodings: Encodings = Encodings.SAFE) -> bytes:
    """The rows as Parquet bytes; equal rows give equal bytes, however they are chunked in memory."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, rows.schema, **writer_options(rows.column_names, encodings)) as writer:
        for start in range(0, rows.num_rows, _ROW_GROUP_ROWS):
            writer.write_table(rows.slice(start, _ROW_GROUP_ROWS).combine_chunks())
    body: bytes = sink.getvalue().to_pybytes()
    return body


def decode(key: str, body: bytes) -> pa.Table:
    """The rows in a table object's bytes, in the present schema: a column that an older object lacks is null.

    Errors: `UnexpectedShape` where the bytes are not Parquet with columns of the table's types.
    """
    table = partition_of(key).table
    schema = TABLES[table]
    try:
        # Reading a month with threads is no faster and takes 40 MB more, because each thread keeps its own memory.
        rows = pq.ParquetFile(pa.BufferReader(body)).read(use_threads=False)
        columns = rows.columns if rows.schema.equals(schema) else [_column(rows, column) for column in schema]
    except pa.ArrowException as err:
        raise UnexpectedShape(f"{key} is not readable: {err}; {_ADVICE.get(table, _FROM_RAW)}") from err
    version = (rows.schema.metadata or {}).get(b"schema_version", b"")
    return pa.Table.from_arrays(columns, schema=schema.with_metadata({"schema_version": version}))


def activity_ids(key: str, body: bytes) -> frozenset[int]:
    """The activities that have rows in a table object's bytes.

    Errors: `UnexpectedShape` where the bytes are not a table of activities.
    """
    try:
        column = pq.read_table(pa.BufferReader(body), columns=["activity_id"], use_threads=False)["activity_id"]
    except (pa.ArrowException, KeyError) as err:
        raise UnexpectedShape(f"{key} is not readable: {err}; {_FROM_RAW}") from err
    return frozenset(column.unique().to_pylist())


def is_current(old: pa.Table, merged: pa.Table) -> bool:
    """Whether an object that holds `old` already holds `merged`."""
    return old.schema.metadata == {b"schema_version": SCHEMA_VERSION.encode()} and bool(old.equals(merged))


def _interleaved(kept: pa.Table, arriving: pa.Table) -> pa.Table:
    """The rows of two sorted tables that share no activity, merged in order without copying them."""
    counts = arriving["activity_id"].value_counts().to_pylist()
    parts, taken, placed = [], 0, 0
    for entry in counts:
        before = pc.sum(pc.less(kept["activity_id"], entry["values"])).as_py() or 0
        parts += [kept.slice(taken, before - taken), arriving.slice(placed, entry["counts"])]
        taken, placed = before, placed + entry["counts"]
    return pa.concat_tables([*parts, kept.slice(taken)])


def _column(rows: pa.Table, column: pa.Field) -> pa.ChunkedArray:
    if column.name in rows.column_names:
        return rows[column.name].cast(column.type)
    return pa.chunked_array([pa.nulls(rows.num_rows, column.type)])
