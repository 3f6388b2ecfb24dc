"""The analysts' page of tables names every column, and its odd inputs cover what they have to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from include.lake.keys import partition_of
from include.lake.objects.files import FileObjects
from include.lake.query import query
from include.lake.raw import RawZone
from include.lake.schemas import PARTITION_KEYS, TABLES
from include.strava.models import Activity
from include.strava.stream_types import BY_KEY
from local.docs.lake import example_lake
from local.docs.lake.odd_input import ODD_INPUTS
from local.docs.lake.schemas import FILL_QUERY, RAW_QUERY
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
        "without duration",
    ],
)
def test_page_says_what_becomes_of_it(kind: str) -> None:
    assert any(kind in case.name for case in ODD_INPUTS)
    assert all(f"| {case.name} | {case.becomes} |" in PAGE for case in ODD_INPUTS)


def test_every_case_expects_something() -> None:
    assert all(case.expected for case in ODD_INPUTS)
    assert len({case.name for case in ODD_INPUTS}) == len(ODD_INPUTS)


def test_query_of_the_raw_zone_finds_the_best_efforts_of_detailed_answers(tmp_path, monkeypatch) -> None:
    raw = RawZone(FileObjects(tmp_path))
    answer = {"id": 5, "athlete": {"id": 7}, "start_date": "2026-06-01T08:00:00Z"}
    efforts = [{"name": "1k", "elapsed_time": 290}, {"name": "400m", "elapsed_time": 100}]
    raw.put_detail(Activity.parse({**answer, "resource_state": 3, "best_efforts": efforts}), guard=lambda: None)
    raw.put_summary(Activity.parse({**answer, "id": 6}))
    monkeypatch.chdir(tmp_path)
    assert duckdb.sql(RAW_QUERY).fetchall() == [(5, "400m", 100), (5, "1k", 290)]
    assert RAW_QUERY in PAGE


def test_share_of_filled_cells_is_told_of_every_column(tmp_path: Path) -> None:
    lake_url = (tmp_path / "lake").as_uri()
    run, ride, *_ = example_lake.activities()
    told = replace(run, detail={**run.detail, "description": "Nice."})
    example_lake.fill(lake_url, [told, ride])

    shares = {row["column_name"]: row["filled_pct"] for row in query(FILL_QUERY, lake_url).to_pylist()}

    assert shares.keys() == {*TABLES["activities"].names, *PARTITION_KEYS["activities"]}
    assert (shares["activity_id"], shares["description"], shares["upload_id"]) == (100, 50, 100)
    assert FILL_QUERY in PAGE


def test_page_has_a_line_for_every_stream_type() -> None:
    section = PAGE.partition("\n## Stream types\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(BY_KEY)
