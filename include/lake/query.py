"""One SELECT over the lake, with nothing to open, lock or keep up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from include.errors import BadQuery
from include.lake.backend import local_path
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
    # An object that is deleted between listing and opening is no fault: the next try does not list it.
    retrying = Retrying(retry=retry_if_exception_type(duckdb.IOException), stop=stop_after_attempt(3), reraise=True)
    try:
        return retrying(_answer, sql, lake_root)
    except duckdb.Error as err:
        raise BadQuery(f"the lake cannot answer this: {err}") from err


def _answer(sql: str, lake_root: Path) -> pa.Table:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, select in view_definitions(lake_root):
            connection.execute(f"CREATE VIEW {table} AS {select}")
        connection.execute(f"SET allowed_directories = [{quoted(f'{lake_root}/')}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection.execute(_only_select(connection, sql)).to_arrow_table()


def _only_select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadQuery("only one SELECT at a time is answered; to change the lake, run the pipeline")
    return statements[0]
