"""`docs/schemas.md`: the lake's tables for analysts, and the handling of odd input."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from include.lake import keys
from include.lake.rows.activities import RAW_ONLY
from include.lake.schemas import GRAINS, NEVER, NULLS, PARTITION_KEYS, SCHEMA_VERSION, SORT_KEYS, TABLES, TYPE_REASONS
from include.strava.stream_types import STREAM_TYPES, StreamType
from local.docs.lake.odd_input import ODD_INPUTS, OddInput
from local.docs.markdown import paragraph, table
from local.docs.terraform import glue_type

_START = datetime(2026, 6, 17, tzinfo=UTC)
_EXAMPLE_KEYS: Mapping[str, str] = {
    "streams": keys.streams_key(134815, _START),
    "activities": keys.activities_key(134815, _START),
    "laps": keys.laps_key(134815, _START),
    "copies": keys.copies_key(134815, _START),
    "freshness": keys.freshness_key(134815, _START.year),
}
_OBJECTS: Mapping[str, str] = {
    "streams": "one for each athlete and month",
    "activities": "one for each athlete and year",
    "laps": "one for each athlete and year",
    "copies": "one for each parent and year",
    "freshness": "one for each athlete and year",
}

_HEAD = f"""# The lake's tables

Made by `make docs` from `include/lake/schemas.py`; change that, not this page. [The cookbook](queries.md) has example
queries.

Schema version {SCHEMA_VERSION}, in every object's file metadata under `schema_version`. It increases when a column is
added or changes its meaning.

Every column is in every object. A change rewrites the object that holds the row, so a reader sees each row once, and
no deduplication is needed. The partition columns are in the path only; year and month are those of the activity's start
in UTC. Objects are Parquet with zstd; a column's name ends in its unit, if it has one. Times with `ts` in their name
are times of the activity, by the clock of the recording; times whose name ends in `_at` are times at which this system
did something.
"""

_STREAMS_HEAD = """## Stream types

Every stream type that Strava documents, from `include/strava/stream_types.py`, which defines the request, `streams`,
the files of copies and the comparisons. The lake keeps all recorded values; copies and queries leave out values outside
the plausible range.
"""

_RAW_HEAD = """## Fields that are in the raw zone only

Strava's answers are stored unchanged, gzipped, as `raw/athlete_id=<athlete>/<activity>.detail.json.gz` and
`.streams.json.gz`. These nested fields have no table:
"""

_RAW_TAIL = """An activity that only a backfill loaded has a row of the list there, without these fields. DuckDB reads
the objects in place, on a disk or in S3, for example the best efforts:

"""

RAW_QUERY = """SELECT detail.id AS activity_id, effort.name, effort.elapsed_time AS elapsed_s
FROM read_json('raw/athlete_id=*/*.detail.json.gz', columns = {
       id: 'BIGINT', best_efforts: 'STRUCT(name VARCHAR, elapsed_time INTEGER)[]'}) AS detail,
     unnest(detail.best_efforts) AS efforts(effort)
ORDER BY 1, 3"""
"""Run as a test."""

_FILL_HEAD = """## The share of values in each column

This statement shows it for any table: `make query SQL="…"`. The report of `make demo` has it for every table, before
the demo erases the parent; for the lake that remains, with the child's activities, name the demo's folder:
`make query STATE_DIR=.state/demo SQL="…"`.

Strava's lists never have `description`, `device_name` and `hide_from_home`, and rarely `calories`: those are in the
detailed activity, so a row that only a backfill loaded lacks them.
"""

FILL_QUERY = "SELECT column_name, 100 - null_percentage AS filled_pct FROM (SUMMARIZE activities)"
"""Run as a test."""

_ODD_HEAD = """## How odd input is handled

Each line is run as a test: Strava's answer is on the left, the values in the lake are on the right. Only an activity
whose id, athlete or start cannot be read has no rows: it is quarantined with its raw answer and a reason; the others
are loaded.
"""


def render() -> str:
    """The page."""
    overview = table(
        ("table", "one row is", "partition", "objects", "for example", "sorted by"),
        [list(_summary(name)) for name in TABLES],
    )
    types = table(
        ("type", "in Parquet", "holds, and why"),
        [(f"`{glue_type(kind)}`", f"`{kind}`", reason) for kind, reason in TYPE_REASONS.items()],
    )
    sections = ["\n".join(_section(name, schema)) for name, schema in TABLES.items()]
    streams = table(
        (
            "Strava's key",
            "columns",
            "unit",
            "plausible",
            "in a copy's GPX",
            "in a copy's TCX",
            "unless the link says no to",
        ),
        [list(_stream_type(each)) for each in STREAM_TYPES],
    )
    raw_only = table(("in the detailed answer", "what it is"), [(f"`{name}`", what) for name, what in RAW_ONLY.items()])
    odd = table(("Strava answers", "becomes", "in the lake"), [list(_odd_row(case)) for case in ODD_INPUTS])
    parts = [
        *(_HEAD.rstrip(), overview, *sections, f"## Types\n\n{types}"),
        f"{_STREAMS_HEAD}\n{streams}",
        f"{_RAW_HEAD}\n{raw_only}\n\n{_RAW_TAIL}```sql\n{RAW_QUERY}\n```",
        f"{_FILL_HEAD}\n```sql\n{FILL_QUERY}\n```",
        f"{_ODD_HEAD}\n{odd}",
    ]
    return "\n\n".join(parts) + "\n"


def _stream_type(each: StreamType) -> Iterator[str]:
    yield f"`{each.key}`"
    yield ", ".join(f"`{column}`" for column in each.columns)
    yield each.unit
    yield f"{each.plausible.low:,.0f} to {each.plausible.high:,.0f}" if each.plausible else ""
    yield f"`{each.gpx}`" if each.gpx else ""
    yield f"`{each.tcx}`" if each.tcx else ""
    yield each.choice


def _summary(name: str) -> Iterator[str]:
    yield f"[`{name}`](#{name})"
    yield GRAINS[name]
    yield ", ".join(f"`{key}` {glue_type(kind)}" for key, kind in PARTITION_KEYS[name].items())
    yield _OBJECTS[name]
    yield f"`{_EXAMPLE_KEYS[name]}`"
    yield ", ".join(f"`{key}`" for key in SORT_KEYS[name])


def _section(name: str, schema: pa.Schema) -> Iterator[str]:
    yield f"## {name}\n"
    rows = f"One row is {GRAINS[name]}. Where a line says nothing about null, a value is {_null(name)}."
    yield f"{paragraph(rows)}\n"
    yield table(("column", "type", "unit", "what it is", "null"), [list(_line(column)) for column in schema])


def _line(column: pa.Field) -> Iterator[str]:
    texts = {key.decode(): text.decode() for key, text in column.metadata.items()}
    yield f"`{column.name}`"
    yield glue_type(column.type)
    yield texts.get("unit", "")
    yield texts["description"]
    yield texts.get("null", "")


def _null(name: str) -> str:
    return "never null" if NULLS[name] == NEVER else f"null {NULLS[name]}"


def _odd_row(case: OddInput) -> Iterator[str]:
    yield case.name
    yield case.becomes
    yield "; ".join(f"`{column}` {_text(values)}" for column, values in case.expected.items())


def _text(values: list[Any]) -> str:
    if not values:
        return "no row"
    return ", ".join("null" if value is None else f"`{_code(value)}`" for value in values)


def _code(value: Any) -> str:
    return str(value) if isinstance(value, str | datetime) else json.dumps(value)
