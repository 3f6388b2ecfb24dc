"""How much each table of the lake holds, and how full its columns are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from include.lake.query import query
from include.lake.schemas import TABLES

FILLED = "SELECT column_name, count, 100 - null_percentage AS filled_pct FROM (SUMMARIZE {table})"
"""What docs/schemas.md asks of a table."""


@dataclass(frozen=True, slots=True)
class HeldTable:
    """One table as it is now."""

    name: str
    rows: int
    filled_pct: Mapping[str, float]
    """Of each column, how many of its rows hold a value; empty without rows."""

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
