from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from include.errors import BadQuery
from include.lake.lake import Lake
from include.lake.query import query
from include.lake.rows.synced import ActivityRows
from include.lake.schemas import PARTITION_KEYS, TABLES

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]


def test_query_joins_the_tables(lake: Lake, lake_url: str, make_rows: MakeRows, guard: Guard) -> None:
    lake.write([make_rows()], guard=guard)
    answer = query(
        "SELECT a.name, count(*) AS points, max(s.ts) AS last, min(l.lap_index) AS lap "
        "FROM activities a JOIN streams s USING (athlete_id, year, activity_id) JOIN laps l USING (activity_id) "
        "GROUP BY a.name",
        lake_url,
    )
    assert answer.to_pylist() == [
        {"name": "Morning run with Rex", "points": 6, "last": datetime(2024, 3, 31, 22, 30, 3), "lap": 1}  # noqa: DTZ001 - plain, in UTC
    ]


@pytest.mark.parametrize("table", TABLES)
def test_empty_lake_answers_with_no_rows(lake_url: str, table: str) -> None:
    answer = query(f"SELECT * FROM {table}", lake_url)  # noqa: S608 - a table of ours
    assert answer.num_rows == 0
    assert answer.column_names == [*TABLES[table].names, *PARTITION_KEYS[table]]


@pytest.mark.parametrize("sql", ["SHOW TABLES", "DESCRIBE streams", "WITH a AS (SELECT 1) FROM a", "SELECT 1;"])
def test_statement_that_only_reads_is_answered(lake_url: str, sql: str) -> None:
    assert query(sql, lake_url).num_rows > 0


@pytest.mark.parametrize("sql", ["SELECT count(*) AS n FROM STREAMS", 'SELECT count(*) AS n FROM "Streams"'])
def test_table_is_found_in_whatever_case_it_is_written(
    lake: Lake, lake_url: str, make_rows: MakeRows, guard: Guard, sql: str
) -> None:
    lake.write([make_rows()], guard=guard)
    assert query(sql, lake_url).to_pylist() == [{"n": 3}]


def test_instants_of_a_statement_are_in_utc_wherever_it_is_asked(
    lake_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    sql = "SELECT TIMESTAMPTZ '2024-03-31 22:30:00+00'::VARCHAR AS at, current_setting('TimeZone') AS zone"
    assert query(sql, lake_url).to_pylist() == [{"at": "2024-03-31 22:30:00+00", "zone": "UTC"}]


def test_statement_runs_without_the_network_the_machine_and_a_way_to_open_either(lake_url: str, root: Path) -> None:
    names = ("enable_external_access", "lock_configuration", "allowed_directories")
    sql = "SELECT " + ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    (answer,) = query(sql, lake_url).to_pylist()
    assert (answer["enable_external_access"], answer["lock_configuration"]) == (False, True)
    assert [place for place in answer["allowed_directories"] if not place.startswith(f"{root}/")] == []
    assert not root.exists()


def test_statement_reads_nothing_of_the_working_directory(
    lake: Lake,
    lake_url: str,
    root: Path,
    make_rows: MakeRows,
    guard: Guard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake.write([make_rows()], guard=guard)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".tmp").mkdir()
    (tmp_path / ".tmp" / "x.csv").write_text("a\n1\n")
    with pytest.raises(BadQuery):
        query("SELECT * FROM '.tmp/x.csv'", lake_url)
    assert query("SELECT count(*) AS n FROM streams", lake_url).to_pylist() == [{"n": 3}]
    assert [path.name for path in (root / ".reading").iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        pytest.param("", "^write one SELECT; other statements are refused", id="nothing"),
        pytest.param("SELECT 1; SELECT 2", "^write one SELECT; other statements are refused", id="two"),
        pytest.param("DROP TABLE streams", "^write one SELECT; other statements are refused", id="drop"),
        pytest.param("SELECT nothing FROM streams", '^the query failed: .*"nothing" not found', id="unknown-column"),
    ],
)
def test_refused_statement_says_why(lake_url: str, sql: str, says: str) -> None:
    with pytest.raises(BadQuery, match=says):
        query(sql, lake_url)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("", id="nothing"),
        pytest.param("-- only a comment", id="comment"),
        pytest.param("SELECT 1; SELECT 2", id="two"),
        pytest.param("SELEC 1", id="typing-error"),
        pytest.param("SELECT nothing FROM streams", id="unknown-column"),
        pytest.param("CREATE TABLE t AS SELECT 1", id="create"),
        pytest.param("SET enable_external_access = true", id="setting"),
        pytest.param("ATTACH '/tmp/other.duckdb'", id="attach"),
        pytest.param("INSTALL httpfs", id="install"),
        pytest.param("EXPLAIN ANALYZE COPY (SELECT 1) TO 'x'", id="explained-copy"),
        pytest.param("SELECT * FROM read_text('/etc/hostname')", id="other-file"),
        pytest.param("SELECT * FROM '/etc/hostname'", id="other-file-by-name"),
        pytest.param("SELECT * FROM read_text('https://example.org/')", id="network"),
    ],
)
def test_statement_that_does_more_than_read_the_lake_is_refused(lake_url: str, sql: str) -> None:
    with pytest.raises(BadQuery):
        query(sql, lake_url)


def test_query_leaves_nothing_below_the_lake(
    lake: Lake, lake_url: str, root: Path, make_rows: MakeRows, guard: Guard
) -> None:
    lake.write([make_rows()], guard=guard)
    query("SELECT count(*) FROM streams", lake_url)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    with pytest.raises(BadQuery):
        query(f"COPY (SELECT 1) TO '{root}/streams/x.parquet'", lake_url)
    query("SELECT count(*) FROM streams", lake_url)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()} == before


def test_query_does_not_reach_a_neighbour_of_the_lake(lake_url: str, root: Path) -> None:
    neighbour = root.with_name("lake-of-another")
    neighbour.mkdir()
    (neighbour / "x.csv").write_text("a\n1\n")
    with pytest.raises(BadQuery):
        query(f"SELECT * FROM '{neighbour}/x.csv'", lake_url)  # noqa: S608 - a path of ours
    with pytest.raises(BadQuery):
        query(f"SELECT * FROM '{root}/../{neighbour.name}/x.csv'", lake_url)  # noqa: S608 - a path of ours
