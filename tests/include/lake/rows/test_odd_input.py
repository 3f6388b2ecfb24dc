"""What becomes of odd input: each case of the analysts' page is written into a lake and read with SQL."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from include.lake.lake import Lake
from include.lake.query import query
from include.lake.rows.synced import build_rows
from include.lake.schemas import NEVER, SORT_KEYS, TABLES
from include.strava.models import Activity, StreamSet
from local.docs.lake.odd_input import ODD_INPUTS, OddInput

CASES = [pytest.param(case, id=case.name) for case in ODD_INPUTS]


@pytest.mark.parametrize("case", CASES)
def test_odd_input_becomes_what_the_page_says(lake: Lake, lake_url: str, case: OddInput) -> None:
    lake.write([case.rows()], guard=lambda: None)
    for name, values in case.expected.items():
        table, column = name.split(".")
        order = ", ".join(SORT_KEYS[table])
        answer = query(f"SELECT {column} FROM {table} ORDER BY {order}", lake_url)  # noqa: S608 - names of ours
        assert answer[column].to_pylist() == values, name


def test_column_that_is_never_null_is_not_even_after_odd_input(lake: Lake, lake_url: str) -> None:
    for case in ODD_INPUTS:
        lake.write([case.rows()], guard=lambda: None)
        for table in ("streams", "activities", "laps"):
            rows = query(f"SELECT * FROM {table}", lake_url)  # noqa: S608 - a table of ours
            for column in TABLES[table]:
                if column.metadata.get(b"null") == NEVER.encode():
                    assert rows[column.name].null_count == 0, (case.name, column.name)


def bare_rows(table: str, **fields: Any) -> pa.Table:
    """The rows of an activity with a lap and a sample that have no field but these and what none may lack."""
    answer = {"id": 1, "athlete": {"id": 7}, "start_date": "2024-05-01T08:00:00Z", "resource_state": 3, "laps": [{}]}
    streams = StreamSet({"time": [None]}, b"")
    rows = build_rows(Activity.parse(answer | fields), streams, made={}, source="webhook", updated_at_epoch_s=0)
    return next(rows for key, rows in rows.tables() if key.startswith(table))


@pytest.mark.parametrize("table", ["streams", "activities", "laps"])
def test_column_is_said_never_to_be_null_exactly_where_neither_bare_nor_odd_input_leaves_it_so(table: str) -> None:
    kinds = bare_rows(table), bare_rows(table, sport_type=7, visibility=7)
    filled = {name for name in TABLES[table].names if all(rows[name].null_count == 0 for rows in kinds)}
    assert {column.name for column in TABLES[table] if column.metadata.get(b"null") == NEVER.encode()} == filled


@pytest.mark.parametrize("table", ["streams", "activities"])
def test_column_says_that_it_needs_a_position_exactly_where_it_does(table: str) -> None:
    said = {column.name for column in TABLES[table] if b"[0, 0]" in column.metadata.get(b"null", b"")}

    def filled(place: list[float]) -> set[str]:
        answer = {"id": 1, "athlete": {"id": 7}, "start_date": "2024-05-01T08:00:00Z", "start_latlng": place}
        told = answer | {"end_latlng": place, "map": {"summary_polyline": "_p~iF" if any(place) else ""}}
        rows = build_rows(
            Activity.parse(told), StreamSet({"latlng": [place]}, b""), made={}, source="webhook", updated_at_epoch_s=0
        )
        (row,) = next(rows for key, rows in rows.tables() if key.startswith(table)).to_pylist()
        return {name for name, value in row.items() if value is not None}

    assert filled([52.1, 4.5]) - filled([0, 0]) == said
