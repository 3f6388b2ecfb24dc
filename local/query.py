"""Asks the lake of a local system: `python -m local.query "SELECT …" [--format table|csv|parquet]`.

`--name weekly_volume --set athlete_id=1` asks a query of the cookbook; without anything to ask, its queries are listed.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from include.errors import BadQuery, IngestError
from include.lake import cookbook
from include.lake.backend import open_objects
from include.lake.query import query
from local.environment import REPOSITORY, read_overrides
from local.state_dir import StateDir

SHOWN_ROWS = 200
"""What a terminal table shows; the other formats give every row."""

app = typer.Typer(add_completion=False)


class Format(Enum):
    """How the answer is written to standard output."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"


@app.command()
def main(
    sql: Annotated[str, typer.Argument(envvar="SQL", help="One SELECT over streams, activities, laps and copies.")] = "",
    name: Annotated[str, typer.Option(help="A query of the cookbook instead.")] = "",
    given: Annotated[list[str] | None, typer.Option("--set", help="Its parameters, each as name=value.")] = None,
    form: Annotated[Format, typer.Option("--format", help="csv and parquet give every row.")] = Format.TABLE,
) -> None:
    """Print what the lake answers; the lake is that of LAKE_URL, else of STATE_DIR, else of `make up`."""
    try:
        if not sql and not name and not given:
            write(listing(), form)
            return
        statement = statement_of(sql, name, given or [])
        url = lake_url(os.environ, read_overrides(REPOSITORY / ".env"))
        answer = query(statement, url)
        is_empty = not any(open_objects(url).list("activities/"))
    except IngestError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    if is_empty:
        print(
            f"The lake at {url} is empty: start the system with `make up`, connect an athlete on its web page, "
            "and trigger strava_backfill in Airflow (or `make demo` to see it filled).",
            file=sys.stderr,
        )
    write(answer, form)


def listing() -> pa.Table:
    """The queries of the cookbook: name, question, and the parameters to set, each with its default if it has one."""
    queries = [cookbook.load(name) for name in cookbook.names()]
    return pa.table(
        {
            "query": [query.name for query in queries],
            "question": [query.question for query in queries],
            "parameters": [
                ", ".join(
                    parameter.name if parameter.default is None else f"{parameter.name}={parameter.default}"
                    for parameter in query.parameters
                )
                for query in queries
            ],
        }
    )


def statement_of(sql: str, name: str, given: Sequence[str]) -> str:
    """What to ask DuckDB: the SELECT as it stands, or the cookbook's query of that name with its parameters.

    Errors: `BadQuery` for both or for parameters without a name, and as the cookbook raises it.
    """
    if not name:
        if given:
            raise BadQuery(
                "--set is for a query of the cookbook: say which one with --name, or write the value into SQL"
            )
        return sql
    if sql:
        raise BadQuery(f"SQL and the query {name} at once: ask one of them")
    values: dict[str, str] = {}
    for setting in given:
        parameter, equals, value = setting.partition("=")
        if not equals or parameter in values:
            raise BadQuery(f"--set {setting}: write name=value, and each name once")
        values[parameter] = value
    return cookbook.load(name).for_duckdb(values)


def lake_url(environ: Mapping[str, str], overrides: Mapping[str, str]) -> str:
    """The lake to ask: `LAKE_URL` of the shell or of `.env`, else the lake of the local system in `STATE_DIR`."""
    url = environ.get("LAKE_URL") or overrides.get("LAKE_URL")
    if url:
        return url
    root = Path(environ.get("STATE_DIR") or REPOSITORY / ".state" / "up")
    return StateDir(root.resolve()).lake.as_uri()


def write(answer: pa.Table, form: Format) -> None:
    """Write the answer to standard output."""
    match form:
        case Format.TABLE:
            _write_table(answer)
        case Format.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(answer.column_names)
            for batch in answer.to_batches(max_chunksize=10_000):
                writer.writerows(_rows(batch))
        case Format.PARQUET:
            pq.write_table(answer, sys.stdout.buffer, compression="zstd")


def _write_table(answer: pa.Table) -> None:
    console = Console()
    table = Table()
    for column in answer.schema:
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        table.add_column(Text(column.name), justify="right" if is_number else "left", overflow="fold")
    for row in _rows(answer.slice(0, SHOWN_ROWS)):
        table.add_row(*map(Text, row))
    console.print(table)
    if answer.num_rows > SHOWN_ROWS:
        console.print(f"{answer.num_rows} rows, the first {SHOWN_ROWS} shown; --format csv gives all")


def _rows(answer: pa.Table | pa.RecordBatch) -> Iterator[tuple[str, ...]]:
    """Row by row as text; by position, because two columns may have one name."""
    return zip(*(map(_text, column.to_pylist()) for column in answer.columns), strict=True)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


if __name__ == "__main__":
    app()
