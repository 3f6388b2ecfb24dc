"""A column says its unit in its name, and the header says the same."""

from __future__ import annotations

import pytest

from include.lake import cookbook

NAMES = [pytest.param(name, id=name) for name in cookbook.names()]
ENDINGS = {"_s_per_km": "s/km", "_m_per_km": "m/km", "_weeks_km": "km", "_km": "km", "_m": "m", "_h": "h", "_s": "s"}
ENDINGS |= {"_pct": "%", "_bpm": "1/min", "_watts": "W"}
WORDS = {"days": "d", "minutes": "min", "hours": "h", "seconds": "s"}


def unit_in(column: str) -> str | None:
    """The unit in a column's name: by its ending, else by a word such as `days`; None where the name has none."""
    by_ending = next((unit for ending, unit in ENDINGS.items() if column.endswith(ending)), None)
    return by_ending or next((unit for word, unit in WORDS.items() if word in column.split("_")), None)


@pytest.mark.parametrize("name", NAMES)
def test_unit_is_the_one_in_the_column_s_name(name: str) -> None:
    lacking = [
        f"-- column {column.name} {column.kind} [{unit}]: {column.description}"
        for column in cookbook.load(name).columns
        if (unit := unit_in(column.name)) and column.unit != unit
    ]
    assert lacking == [], f"name the unit in the header of {name}.sql, as in these lines"


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        pytest.param("rest_days", "d", id="days"),
        pytest.param("days_missing", "d", id="days-first"),
        pytest.param("first_day", None, id="a-date"),
        pytest.param("pace_s_per_km", "s/km", id="pace"),
        pytest.param("activities", None, id="count"),
    ],
)
def test_unit_of_a_column_is_found_in_its_name(column: str, unit: str | None) -> None:
    assert unit_in(column) == unit
