"""`docs/queries.md`: the analysts' cookbook, each query with a result from a small lake of simulated activities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from include.lake import cookbook
from include.lake.cookbook import CookbookQuery
from local.docs.lake.example_lake import ATHLETE_ID
from local.docs.lake.queries_lake import TrainingLake, training_lake
from local.docs.markdown import paragraph, table

SHOWN_ROWS = 8

_HEAD = """# Queries: the analysts' cookbook

Made by `make docs` from `include/lake/queries/`; change the files there, not this page.

On one machine:

```
make query                                                                                 # the queries
make query NAME=weekly_volume ARGS="--example --set athlete_id={athlete_id}"                   # one of them
make query NAME=weekly_volume ARGS="--example --set athlete_id={athlete_id} --out weeks.csv"   # every row, in a file
make query SQL="SELECT sport_type, count(*) FROM activities GROUP BY 1" ARGS=--example     # a query of your own
make query SQL="SELECT athlete_id, count(*) FROM activities GROUP BY 1"                    # the athletes of your lake
```

`--example` queries the simulated athlete of this page; without it the lake is that of `make up`, of `STATE_DIR`, or of
`LAKE_URL`. `LAKE_URL=s3://my-bucket/lake make query …` first copies the objects that the query needs, so a large lake
is better queried in Athena. `--set` gives a parameter; those with a default may be left out.
`--out` writes a `.csv` or `.parquet` file, `--format csv` and `--format parquet` the same to standard output.

In Athena each file is SQL as it is: paste it into the console, or save it as a named query or a prepared statement.
Its question marks are the parameters, in the order of the tables below; each section shows the values for `EXECUTE`.
A pattern of sports is a pattern of SQL's `LIKE`: `%Run` finds Run, TrailRun and VirtualRun.
Every query is about one athlete, so that Athena can skip the objects of all others.
[Schemas](schemas.md) describes the tables.

The results and charts below are from two and a half years of a simulated athlete.
"""


def render() -> str:
    """The page."""
    queries = [cookbook.load(name) for name in cookbook.names()]
    contents = table(("query", "question"), [(f"[`{query.name}`](#{query.name})", query.question) for query in queries])
    sections = ["\n".join(_section(query, training_lake())) for query in queries]
    head = _HEAD.format(athlete_id=ATHLETE_ID)
    return "\n\n".join([head.rstrip(), contents, *sections]) + "\n"


def _section(query: CookbookQuery, lake: TrainingLake) -> Iterator[str]:
    given = {"athlete_id": str(ATHLETE_ID)}
    answer = lake.ask(query.name)
    question = paragraph(f"{query.question} ([SQL](../include/lake/queries/{query.name}.sql))")
    yield f"## {query.name}\n\n{question}\n"
    yield f"![{query.question}](images/queries/{query.name}.svg)\n"
    if query.remarks:
        yield f"{paragraph(query.remarks)}\n"
    yield f'```\nmake query NAME={query.name} ARGS="--example --set athlete_id={ATHLETE_ID}"\n```\n'
    yield table(
        ("parameter", "type", "default", "what it is"),
        [
            (f"`{parameter.name}`", parameter.kind, _code(parameter.default), parameter.description)
            for parameter in query.parameters
        ],
    )
    values = ", ".join(query.execution_parameters(given))
    yield f"\nIn Athena, as a prepared statement:\n\n```sql\nEXECUTE {query.name} USING {values}\n```\n"
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
