"""One SELECT over the lake, with nothing to open, lock or keep up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from include.errors import BadQuery
from include.lake.backend import local_path
from include.lake.schemas import TABLES
from include.lake.snapshot import snapshot
from include.lake.views import quoted, view_definitions

if TYPE_CHECKING:
    import duckdb


def query(sql: str, lake_url: str) -> pa.Table:
    """The rows that one SELECT over `streams`, `activities`, `laps` and `copies` gives.

    Instants are plain timestamps in UTC. The statement sees the lake's directory and nothing else of the machine;
    any number of readers may ask while writers write.

    Errors: `BadQuery` for anything but one SELECT, and with DuckDB's reason where it refuses the statement.
    """
    import duckdb

    lake_root = local_path(lake_url, "LAKE_URL")
    try:
        with duckdb.connect() as connection:
            select = _only_select(connection, sql)
            named = [table for table in TABLES if table in sql.lower()]
            with snapshot(lake_root, named) as stable:
                return _answer(connection, select, lake_root, stable)
    except duckdb.Error as err:
        raise BadQuery(f"the lake cannot answer this: {err}") from err


def _answer(connection: duckdb.DuckDBPyConnection, select: duckdb.Statement, lake_root: Path, stable: Path) -> pa.Table:
    connection.execute("SET TimeZone = 'UTC'")
    for table, definition in view_definitions(stable):
        connection.execute(f"CREATE VIEW {table} AS {definition}")
    connection.execute(f"SET allowed_directories = [{quoted(f'{lake_root}/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection.execute(select).to_arrow_table()


def _only_select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadQuery("only one SELECT at a time is answered; to change the lake, run the pipeline")
    return statements[0]
