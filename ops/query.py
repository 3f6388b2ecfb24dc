"""Queries the lake: `python -m ops.query "SELECT …" [--format table|csv|parquet] [--out rows.csv]`.

`--name weekly_volume --set athlete_id=1` runs a query of the cookbook; without a query, the cookbook is listed.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from include.errors import BadQuery, IngestError, SettingsError
from include.lake import cookbook
from include.lake.backend import open_objects
from include.lake.query import query
from ops.installation import ENV, WHICH, chosen
from ops.repository import REPOSITORY

SHOWN_ROWS = 200
"""The rows of a table on a terminal; the other formats give every row."""

app = typer.Typer(add_completion=False)


class Format(Enum):
    """The format of the result on standard output."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"


@app.command(epilog=WHICH)
def main(
    sql: Annotated[str, typer.Argument(envvar="SQL", help="One SELECT over the lake's tables.")] = "",
    name: Annotated[str, typer.Option(help="A query of the cookbook instead: docs/queries.md shows them all.")] = "",
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of that query; repeatable.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="csv and parquet give every row.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(help="Every row into this file: .csv or .parquet.")] = None,
    example: Annotated[
        bool,
        typer.Option(
            "--example", help="Query the lake of docs/queries.md, with a simulated athlete, instead of one of yours."
        ),
    ] = False,
) -> None:
    """Print what the lake answers: that of LAKE_URL where the shell names one, else that of the installation."""
    try:
        _check(out)
        if not sql and not name and not given:
            write(listing(), form, out)
            return
        request = request_of(sql, name, given or [])
        with asked_lake(is_example=example) as url:
            answer = answered(request, url)
        write(answer, form, out)
    except IngestError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


def answered(request: Request, url: str) -> pa.Table:
    """The result of the query on the lake at `url`; if it is empty, standard error says why."""
    if url.startswith("s3:"):
        print(f"Copying the query's objects from {url}; Athena reads a large lake faster.", file=sys.stderr)
    answer = query(request.statement, url, athlete_id=request.athlete_id)
    if not any(open_objects(url).list("activities/")):
        print(_empty(url), file=sys.stderr)
    elif not answer.num_rows:
        print(_NO_ROWS, file=sys.stderr)
    return answer


_NO_ROWS = (
    "No rows: the lake has activities, but none that match. To see the athletes: "
    'make query SQL="SELECT athlete_id, count(*) FROM activities GROUP BY 1"'
)


def _empty(url: str) -> str:
    if url.startswith("s3:"):
        return f"The lake at {url} is empty: is this the LAKE_URL of the system that writes it?"
    return (
        f"The lake at {url} is empty: start the system with `make up`, connect an athlete on its web page, "
        "and trigger strava_backfill in Airflow; or query a simulated athlete's lake with ARGS=--example."
    )


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


@dataclass(frozen=True, slots=True)
class Request:
    """A query for DuckDB."""

    statement: str
    athlete_id: int | None = None
    """The athlete to whose rows the query is limited; None for everybody's."""


def request_of(sql: str, name: str, given: Sequence[str]) -> Request:
    """The given SELECT, or the cookbook's query of that name with its parameters.

    Errors: `BadQuery` for both or for parameters without a name, and those of the cookbook.
    """
    if not name:
        if given:
            raise BadQuery(
                "--set is for a query of the cookbook: name the query with --name, or write the value into SQL"
            )
        return Request(sql)
    if sql:
        raise BadQuery(f"SQL and --name {name} exclude each other: give one of them")
    values: dict[str, str] = {}
    for setting in given:
        parameter, equals, value = setting.partition("=")
        if not equals or parameter in values:
            raise BadQuery(f"--set {setting}: write name=value, and each name once")
        values[parameter] = value
    asked = cookbook.load(name)
    try:
        athlete_id = asked.values(values).get("athlete_id")
    except BadQuery as error:
        raise BadQuery(f"{error}\n{_usage(asked)}") from error
    return Request(asked.for_duckdb(values), athlete_id if isinstance(athlete_id, int) else None)


def _usage(asked: cookbook.CookbookQuery) -> str:
    settings = [f"--set {one.name}={'…' if one.default is None else one.default}" for one in asked.parameters]
    needed = [
        setting if one.default is None else f"[{setting}]"
        for one, setting in zip(asked.parameters, settings, strict=True)
    ]
    return f'Usage: make query NAME={asked.name} ARGS="{" ".join(needed)}"'


@contextmanager
def asked_lake(*, is_example: bool) -> Iterator[str]:
    """The URL of the lake to query, which is first printed on standard error.

    It is the example lake, else that of `LAKE_URL` in the shell, else the chosen installation's.
    Errors: `SettingsError`, also where the shell names a lake and an environment.
    """
    url = os.environ.get("LAKE_URL")
    if is_example:
        with _example_lake() as example:
            print("the example lake of docs/queries.md, with a simulated athlete: this only reads.", file=sys.stderr)
            yield example
    elif not url:
        yield chosen().variables["LAKE_URL"]
    elif ENV in os.environ:
        raise SettingsError(f"ENV={os.environ[ENV]} and LAKE_URL={url} name two lakes: unset one of them.")
    else:
        print(f"the lake at {url}, which LAKE_URL names: this only reads.", file=sys.stderr)
        yield url


@contextmanager
def _example_lake() -> Iterator[str]:
    """The example lake, built with the simulated Strava; it is deleted after the block."""
    with tempfile.TemporaryDirectory() as folder:
        url = (Path(folder) / "lake").as_uri()
        subprocess.run([sys.executable, "-m", "local.docs.lake.queries_lake", url], cwd=REPOSITORY, check=True)
        yield url


def write(answer: pa.Table, form: Format, out: Path | None = None) -> None:
    """Write the result to standard output, or into the file, whose name then decides the format.

    Errors: `BadQuery` for a file that cannot be written.
    """
    if out is not None:
        _save(answer, out)
    elif form is Format.TABLE:
        _write_table(answer)
    elif form is Format.CSV:
        _write_csv(answer, sys.stdout)
    else:
        pq.write_table(answer, sys.stdout.buffer, compression="zstd")


def _check(out: Path | None) -> None:
    if out is not None and out.suffix not in {".csv", ".parquet"}:
        raise BadQuery(f"--out {out}: end its name with .csv or .parquet")


def _save(answer: pa.Table, out: Path) -> None:
    try:
        if out.suffix == ".csv":
            with out.open("w", encoding="utf-8", newline="") as file:
                _write_csv(answer, file)
        else:
            pq.write_table(answer, out, compression="zstd")
    except OSError as error:
        raise BadQuery(f"--out {out} cannot be written: {error.strerror or error}") from error
    print(f"{out}: {answer.num_rows} rows", file=sys.stderr)


def _write_csv(answer: pa.Table, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(answer.column_names)
    for batch in answer.to_batches(max_chunksize=10_000):
        writer.writerows(_rows(batch))


def _write_table(answer: pa.Table) -> None:
    console = Console()
    shown = answer.slice(0, SHOWN_ROWS)
    if sum(map(len, answer.column_names)) > 2 * console.width:
        _write_records(shown, console)
    else:
        console.print(_table(shown))
    if answer.num_rows > SHOWN_ROWS:
        console.print(f"{answer.num_rows} rows, the first {SHOWN_ROWS} shown; --format csv gives all")


def _write_records(answer: pa.Table, console: Console) -> None:
    """Each row as a list, because the columns would be too narrow side by side."""
    for number, row in enumerate(_rows(answer), start=1):
        record = Table("column", "value", title=f"row {number}", title_justify="left")
        for name, text in zip(answer.column_names, row, strict=True):
            record.add_row(Text(name), Text(text))
        console.print(record)


def _table(answer: pa.Table) -> Table:
    table = Table()
    for column in answer.schema:
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        table.add_column(Text(column.name), justify="right" if is_number else "left", overflow="fold")
    for row in _rows(answer):
        table.add_row(*map(Text, row))
    return table


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
