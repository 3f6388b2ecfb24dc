"""What becomes of odd input: each case of the analysts' page is written into a lake and read with SQL."""

from __future__ import annotations

import pytest

from include.lake.lake import Lake
from include.lake.query import query
from include.lake.schemas import NEVER, SORT_KEYS, TABLES
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
