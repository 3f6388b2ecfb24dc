"""The number of rows of each lake table, and how many of them have a value in each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from include.lake.query import query
from include.lake.schemas import TABLES

FILLED = "SELECT column_name, count, 100 - null_percentage AS filled_pct FROM (SUMMARIZE {table})"
"""The query in docs/schemas.md for a table."""


@dataclass(frozen=True, slots=True)
class HeldTable:
    """The present contents of one table."""

    name: str
    rows: int
    filled_pct: Mapping[str, float]
    """For each column, the percentage of rows with a value; empty without rows."""

    @property
    def partly_filled(self) -> Mapping[str, float]:
        """The columns that are null in some row."""
        return {column: percent for column, percent in self.filled_pct.items() if percent < 100}


def held_tables(lake_url: str) -> list[HeldTable]:
    """Every table, in the order of the schemas; one without an object has no rows."""
    tables = []
    for name in TABLES:
        columns = query(FILLED.format(table=name), lake_url).to_pylist()
        rows = max(column["count"] for column in columns)
        filled = {column["column_name"]: float(column["filled_pct"]) for column in columns} if rows else {}
        tables.append(HeldTable(name, rows, filled))
    return tables
