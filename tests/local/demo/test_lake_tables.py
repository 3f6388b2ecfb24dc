"""How much the lake's tables hold, and how full their columns are."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.lake.schemas import FRESHNESS, TABLES
from include.lake.table_object import encode
from local.demo.lake_tables import HeldTable, held_tables


@pytest.fixture
def lake(tmp_path):
    """An empty lake."""
    folder = tmp_path / "lake"
    folder.mkdir()
    return folder


def test_every_table_is_there_without_rows_when_the_lake_is_empty(lake):
    assert held_tables(lake.as_uri()) == [HeldTable(name, 0, {}) for name in TABLES]


def test_column_is_filled_in_the_rows_that_hold_a_value(lake):
    months = [{"month": 1, "listed_count": 4, "held_count": 4}, {"month": 2, "held_count": 3}]
    path = lake / "freshness" / "athlete_id=7" / "year=2026" / "freshness.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(encode(pa.Table.from_pylist(months, schema=FRESHNESS)))

    held = {table.name: table for table in held_tables(lake.as_uri())}

    assert held["freshness"].rows == 2
    assert held["freshness"].filled_pct["held_count"] == 100
    assert held["freshness"].partly_filled == {"listed_count": 50, "compared_at": 0}
    assert {name for name, table in held.items() if table.rows} == {"freshness"}
