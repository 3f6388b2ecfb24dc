"""The embedded catalogue: a DuckDB file with one view per lake table."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from include.errors import RetryLater
from include.lake.catalog.views import quoted, view_definitions
from include.state.partitions import Partition

if TYPE_CHECKING:
    import duckdb

_T = TypeVar("_T")


class DuckDbCatalog:
    """Views over the lake's directory, for analysts who open the file with DuckDB.

    The views contain patterns, not lists of objects: a view changes only when a table gets its first object or loses
    its last, so a registration nearly always changes nothing and disturbs no reader.
    """

    def __init__(self, path: Path, lake_root: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._lake_root = lake_root
        self._sleep = sleep

    def register(self, partitions: Iterable[Partition]) -> None:
        """Make every table queryable, including these partitions; safe to repeat.

        Errors: `RetryLater` while another process keeps the file open and a view has to change.
        Effects: creates views with the tables' names in the catalogue file; analysts' own objects in it stay.
        """
        del partitions  # the patterns cover every partition
        self._update_views()

    def unregister(self, partitions: Iterable[Partition]) -> None:
        """Make the view of a table that has lost its last object an empty one. Errors and effects: as `register`."""
        del partitions  # the patterns name no partition
        self._update_views()

    def of_athlete(self, athlete_id: int) -> list[Partition]:
        """Nothing: the views' patterns name no athlete."""
        del athlete_id
        return []

    def _update_views(self) -> None:
        definitions = dict(view_definitions(self._lake_root))
        comments = {table: hashlib.sha256(select.encode()).hexdigest() for table, select in definitions.items()}
        if self._path.exists() and comments.items() <= self._connected(_comments, read_only=True).items():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._connected(lambda connection: _define(connection, definitions, comments), read_only=False)

    def _connected(self, use: Callable[[duckdb.DuckDBPyConnection], _T], *, read_only: bool) -> _T:
        """The result of `use` on a connection; waits a little while others hold the file."""
        import duckdb

        def attempt() -> _T:
            with duckdb.connect(self._path, read_only=read_only) as connection:
                return use(connection)

        busy = (duckdb.IOException, duckdb.ConnectionException, duckdb.TransactionException)
        retrying = Retrying(
            retry=retry_if_exception_type(busy),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            stop=stop_after_attempt(10),
            sleep=self._sleep,
        )
        try:
            return retrying(attempt)
        except RetryError as err:
            reason = err.last_attempt.exception()
            raise RetryLater(
                f"the catalogue {self._path} cannot be opened: close the program that holds it; the next run updates "
                f"it, and `make query` reads the lake without it ({reason})"
            ) from reason


def _comments(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The comment on each of our views: the hash of its definition."""
    rows = connection.execute(
        "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal AND comment IS NOT NULL"
    ).fetchall()
    return dict(rows)


def _define(connection: duckdb.DuckDBPyConnection, definitions: dict[str, str], comments: dict[str, str]) -> None:
    connection.begin()
    for table, select in definitions.items():
        connection.execute(f"CREATE OR REPLACE VIEW {table} AS {select}")
        connection.execute(f"COMMENT ON VIEW {table} IS {quoted(comments[table])}")
    connection.commit()
