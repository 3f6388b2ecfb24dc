"""`docs/queries.md`: the analysts' cookbook, each query with an answer from a small lake of invented activities."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from include.lake import cookbook
from include.lake.cookbook import CookbookQuery
from include.lake.query import query as ask
from local.docs.example_lake import ATHLETE_ID, activities, fill
from local.docs.markdown import table

SHOWN_ROWS = 8

_HEAD = """# Queries: the analysts' cookbook

Made by `make docs` from `include/lake/queries/`; change the files there, not this page.

On one machine `make query` lists them, and this asks one; `--format csv` and `--format parquet` write every row:

```
make query NAME={name} ARGS="--set athlete_id={athlete_id} --format csv"
```

Each file is Athena's SQL as it stands: paste it into the console, or save it as a named query or a prepared statement.
Its question marks are the parameters, in the order of the tables below; each section shows the values that
`EXECUTE` takes. A pattern of sports is one of SQL's `LIKE`: `%Run` finds Run, TrailRun and VirtualRun.
Every query asks for one athlete, so that Athena can skip the objects of all others; the lake knows these:
`make query SQL="SELECT DISTINCT athlete_id FROM activities"`.

The answers below come from invented activities.
"""


def render() -> str:
    """The page."""
    queries = [cookbook.load(name) for name in cookbook.names()]
    contents = table(("query", "question"), [(f"[`{query.name}`](#{query.name})", query.question) for query in queries])
    with tempfile.TemporaryDirectory() as folder:
        lake_url = (Path(folder) / "lake").as_uri()
        fill(lake_url, activities())
        sections = ["\n".join(_section(query, lake_url)) for query in queries]
    head = _HEAD.format(name=queries[0].name, athlete_id=ATHLETE_ID)
    return "\n\n".join([head.rstrip(), contents, *sections]) + "\n"


def _section(query: CookbookQuery, lake_url: str) -> Iterator[str]:
    given = {"athlete_id": str(ATHLETE_ID)}
    answer = ask(query.for_duckdb(given), lake_url)
    yield f"## {query.name}\n\n{query.question} ([SQL](../include/lake/queries/{query.name}.sql))\n"
    if query.remarks:
        yield f"{query.remarks}\n"
    yield table(
        ("parameter", "type", "default", "what it is"),
        [
            (f"`{parameter.name}`", parameter.kind, _code(parameter.default), parameter.description)
            for parameter in query.parameters
        ],
    )
    yield f"\n```sql\nEXECUTE {query.name} USING {', '.join(query.execution_parameters(given))}\n```\n"
    yield table(
        ("column", "type", "unit", "what it is"),
        [(f"`{column.name}`", column.kind, column.unit, column.description) for column in query.columns],
    )
    yield f"\n{_caption(answer)}\n"
    yield table(answer.column_names, _rows(answer.slice(0, SHOWN_ROWS)))


def _caption(answer: pa.Table) -> str:
    if answer.num_rows > SHOWN_ROWS:
        return f"For example, the first {SHOWN_ROWS} of {answer.num_rows} rows:"
    return "For example:"


def _rows(answer: pa.Table) -> Iterator[list[str]]:
    for row in answer.to_pylist():
        yield [_text(value) for value in row.values()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{round(value, 5):.10g}"
    return "" if value is None else str(value)


def _code(text: str | None) -> str:
    return "" if text is None else f"`{text}`"
