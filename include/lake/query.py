"""One SELECT over the lake's objects, without a catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from include.errors import BadQuery
from include.lake.backend import local_path, open_objects
from include.lake.catalog.views import quoted, view_definitions
from include.lake.objects.download import downloaded
from include.lake.objects.snapshot import snapshot
from include.lake.schemas import TABLES

if TYPE_CHECKING:
    import duckdb


def query(sql: str, lake_url: str, *, athlete_id: int | None = None) -> pa.Table:
    """The rows of one SELECT over the lake's tables.

    Instants are plain timestamps in UTC. The statement can read the lake's directory and nothing else of the machine;
    any number of readers may query while writers write. If the lake is in S3, the objects of the tables that the
    statement names are copied first: with `athlete_id`, only those of that athlete.

    Errors: `BadQuery` for anything but one SELECT, and with DuckDB's reason where DuckDB refuses the statement;
    `SettingsError` and `RetryLater` where the lake cannot be reached.
    """
    import duckdb

    try:
        with duckdb.connect() as connection:
            select = _only_select(connection, sql)
            named = [table for table in TABLES if table in sql.lower()]
            with _as_it_is_now(lake_url, named, athlete_id) as (lake_root, stable):
                return _answer(connection, select, lake_root, stable)
    except duckdb.Error as err:
        raise BadQuery(f"the query failed: {err}") from err


@contextmanager
def _as_it_is_now(lake_url: str, tables: Collection[str], athlete_id: int | None) -> Iterator[tuple[Path, Path]]:
    """The directory that a statement may read, and its subdirectory with the tables' objects."""
    if lake_url.startswith("s3:"):
        with downloaded(open_objects(lake_url), tables, athlete_id) as folder:
            yield folder, folder
    else:
        lake_root = local_path(lake_url, "LAKE_URL")
        with snapshot(lake_root, tables) as stable:
            yield lake_root, stable


def _answer(connection: duckdb.DuckDBPyConnection, select: duckdb.Statement, lake_root: Path, stable: Path) -> pa.Table:
    connection.execute("SET TimeZone = 'UTC'")
    for table, definition in view_definitions(stable):
        connection.execute(f"CREATE VIEW {table} AS {definition}")
    # DuckDB lets a statement read where large ones spill: by default a folder of the working directory.
    connection.execute(f"SET temp_directory = {quoted(f'{stable}/spill')}")
    connection.execute(f"SET allowed_directories = [{quoted(f'{lake_root}/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection.execute(select).to_arrow_table()


def _only_select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadQuery("write one SELECT; other statements are refused: only the pipeline changes the lake")
    return statements[0]
