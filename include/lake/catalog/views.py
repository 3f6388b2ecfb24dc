"""The lake's tables as DuckDB views over local objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from glob import escape
from pathlib import Path

import pyarrow as pa

from include.lake.schemas import PARTITION_KEYS, TABLES

_TYPES = {
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.float32(): "FLOAT",
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.timestamp("ms", tz="UTC"): "TIMESTAMP",
    pa.timestamp("ms"): "TIMESTAMP",
}


def view_definitions(lake_root: Path) -> Iterator[tuple[str, str]]:
    """Each table's name and the SELECT that reads it.

    Shape: the schema's columns, then the partition's. Instants are plain TIMESTAMPs in UTC, whatever the
    session's time zone. The view of a table without objects is empty and has the same types, because DuckDB refuses a
    pattern that matches nothing. Otherwise the definition holds only a pattern, so new objects need no new definition.
    """
    for table, schema in TABLES.items():
        partition = {name: _TYPES[kind] for name, kind in PARTITION_KEYS[table].items()}
        objects = "*/" * len(partition) + "*.parquet"
        if any((lake_root / table).glob(objects)):
            pattern = quoted(f"{escape(str(lake_root))}/{table}/{objects}")
            yield table, _over_objects(pattern, schema, partition)
        else:
            yield table, _empty(schema, partition)


def quoted(text: str) -> str:
    """The text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _over_objects(pattern: str, schema: pa.Schema, partition: Mapping[str, str]) -> str:
    columns = ", ".join([_selected(column) for column in schema] + list(partition))
    keys = ", ".join(f"{name}: {kind}" for name, kind in partition.items())
    return f"SELECT {columns} FROM read_parquet({pattern}, hive_partitioning = true, hive_types = {{{keys}}})"  # noqa: S608 - the schema's names and a quoted path


def _selected(column: pa.Field) -> str:
    is_instant = pa.types.is_timestamp(column.type) and column.type.tz
    # Equals AT TIME ZONE 'UTC', whose calendar took a tenth of the time of a query for one activity's points.
    return f'make_timestamp(epoch_us("{column.name}")) AS "{column.name}"' if is_instant else f'"{column.name}"'


def _empty(schema: pa.Schema, partition: Mapping[str, str]) -> str:
    types = {**{column.name: _TYPES[column.type] for column in schema}, **partition}
    return "SELECT " + ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in types.items()) + " WHERE false"
