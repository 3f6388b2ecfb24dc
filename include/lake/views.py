"""The lake's tables as DuckDB views over local objects."""

from __future__ import annotations

from collections.abc import Iterator
from glob import escape
from pathlib import Path

import pyarrow as pa

from include.lake.schemas import TABLES

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
_PARTITION_TYPES = {"athlete_id": "BIGINT", "year": "INTEGER"}


def view_definitions(lake_root: Path) -> Iterator[tuple[str, str]]:
    """Each table's name and the SELECT that reads it.

    Shape: the schema's columns, then `athlete_id` and `year`. Instants are plain TIMESTAMPs in UTC, whatever the
    session's time zone. A table without objects is an empty one of the same types: DuckDB refuses a pattern
    that matches nothing. Else the definition holds only a pattern, so new objects show without a new definition.
    """
    for table, schema in TABLES.items():
        has_objects = any((lake_root / table).glob("*/*/*.parquet"))
        yield table, _over_objects(lake_root, table, schema) if has_objects else _empty(schema)


def quoted(text: str) -> str:
    """The text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _over_objects(lake_root: Path, table: str, schema: pa.Schema) -> str:
    columns = ", ".join([_selected(column) for column in schema] + list(_PARTITION_TYPES))
    pattern = quoted(f"{escape(str(lake_root))}/{table}/*/*/*.parquet")
    keys = ", ".join(f"{name}: {kind}" for name, kind in _PARTITION_TYPES.items())
    return f"SELECT {columns} FROM read_parquet({pattern}, hive_partitioning = true, hive_types = {{{keys}}})"  # noqa: S608 - the schema's names and a quoted path


def _selected(column: pa.Field) -> str:
    is_instant = pa.types.is_timestamp(column.type) and column.type.tz
    return f'"{column.name}" AT TIME ZONE \'UTC\' AS "{column.name}"' if is_instant else f'"{column.name}"'


def _empty(schema: pa.Schema) -> str:
    types = {column.name: _TYPES[column.type] for column in schema} | _PARTITION_TYPES
    return "SELECT " + ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in types.items()) + " WHERE false"
