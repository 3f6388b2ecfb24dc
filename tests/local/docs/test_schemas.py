"""The analysts' page of tables names every column, and its odd inputs cover what they have to."""

from __future__ import annotations

import re

import pytest

from include.lake.keys import partition_of
from include.lake.schemas import TABLES
from local.docs.odd_input import ODD_INPUTS
from local.docs.pages import page_path

PAGE = page_path("schemas").read_text()


@pytest.mark.parametrize("table", TABLES)
def test_table_has_a_line_for_every_column_in_the_file_s_order(table: str) -> None:
    section = PAGE.partition(f"\n## {table}\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == TABLES[table].names


def test_example_of_each_table_s_objects_is_one_of_its_keys() -> None:
    examples = re.findall(r"`(\w+/\S+\.parquet)`", PAGE)
    assert [partition_of(key).table for key in examples] == list(TABLES)


@pytest.mark.parametrize(
    "kind",
    [
        "null",
        "shorter",
        "longer",
        "no `latlng`",
        "`[0,0]`",
        "unknown stream type",
        "2^53",
        "before 1970",
        "future",
        "404",
        "no length",
    ],
)
def test_page_says_what_becomes_of_it(kind: str) -> None:
    assert any(kind in case.name for case in ODD_INPUTS)
    assert all(f"| {case.name} | {case.becomes} |" in PAGE for case in ODD_INPUTS)


def test_every_case_expects_something() -> None:
    assert all(case.expected for case in ODD_INPUTS)
    assert len({case.name for case in ODD_INPUTS}) == len(ODD_INPUTS)
