from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from include.errors import RetryLater
from include.lake.catalog.duckdb import DuckDbCatalog
from include.lake.lake import Lake
from include.lake.rows.synced import ActivityRows
from include.lake.schemas import PARTITION_KEYS, TABLES

MakeRows = Callable[..., ActivityRows]
Guard = Callable[[], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "analysts" / "catalogue" / "lake.duckdb"


@pytest.fixture
def catalog(path: Path, root: Path) -> DuckDbCatalog:
    return DuckDbCatalog(path, root, sleep=lambda _: None)


def ask(path: Path, sql: str) -> pa.Table:
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        return connection.execute(sql).to_arrow_table()


@pytest.mark.parametrize("table", TABLES)
def test_empty_lake_has_empty_tables_of_the_same_types(
    catalog: DuckDbCatalog, path: Path, fill_lake: Callable[[], None], table: str
) -> None:
    catalog.register([])
    empty = ask(path, f"SELECT * FROM {table}")  # noqa: S608 - a table of ours
    fill_lake()
    catalog.register([])
    filled = ask(path, f"SELECT * FROM {table}")  # noqa: S608 - a table of ours

    assert empty.num_rows == 0
    assert filled.num_rows > 0
    assert empty.schema == filled.schema
    assert filled.column_names == [*TABLES[table].names, *PARTITION_KEYS[table]]


def test_instants_are_plain_utc_timestamps_in_any_time_zone(
    catalog: DuckDbCatalog, path: Path, lake: Lake, make_rows: MakeRows, guard: Guard
) -> None:
    lake.write([make_rows()], guard=guard)
    catalog.register([])
    (row,) = ask(path, "SELECT min(ts)::VARCHAR AS ts, typeof(min(ts)) AS kind FROM streams").to_pylist()
    assert row == {"ts": "2024-03-31 22:30:00", "kind": "TIMESTAMP"}


def test_partition_keys_are_typed_and_exact(
    catalog: DuckDbCatalog, path: Path, lake: Lake, make_rows: MakeRows, guard: Guard
) -> None:
    lake.write([make_rows(), make_rows(id=1, athlete={"id": 7}, start_date="1969-07-20T20:17:40Z")], guard=guard)
    catalog.register([])
    keys = ask(path, "SELECT athlete_id, year, typeof(athlete_id) AS a, typeof(year) AS y FROM activities ORDER BY ALL")
    assert [tuple(row.values()) for row in keys.to_pylist()] == [
        (7, 1969, "BIGINT", "INTEGER"),
        (2**53 + 1, 2024, "BIGINT", "INTEGER"),
    ]


def test_new_objects_show_without_another_registration(
    catalog: DuckDbCatalog, path: Path, lake: Lake, make_rows: MakeRows, guard: Guard
) -> None:
    lake.write([make_rows(id=1)], guard=guard)
    catalog.register([])
    lake.write([make_rows(id=2, start_date="2020-01-01T00:00:00Z")], guard=guard)
    assert ask(path, "SELECT activity_id FROM activities ORDER BY ALL").to_pydict() == {"activity_id": [1, 2]}


def test_register_does_not_disturb_a_reader_when_nothing_changes(
    catalog: DuckDbCatalog, path: Path, lake: Lake, make_rows: MakeRows, guard: Guard
) -> None:
    lake.write([make_rows()], guard=guard)
    catalog.register([])
    with duckdb.connect(path, read_only=True) as reader:
        catalog.register([])
        assert reader.execute("SELECT count(*) FROM streams").fetchall() == [(3,)]


def test_register_says_to_retry_when_a_view_must_change_under_a_reader(
    catalog: DuckDbCatalog, path: Path, lake: Lake, make_rows: MakeRows, guard: Guard
) -> None:
    catalog.register([])
    lake.write([make_rows()], guard=guard)
    with (
        duckdb.connect(path, read_only=True),
        pytest.raises(RetryLater, match=r"lake\.duckdb cannot be opened: close .*; the next run updates it.*\(.+\)$"),
    ):
        catalog.register([])
    catalog.register([])
    assert ask(path, "SELECT count(*) AS n FROM streams").to_pylist() == [{"n": 3}]


def test_register_waits_for_a_reader_who_lets_go(
    path: Path, root: Path, lake: Lake, make_rows: MakeRows, guard: Guard
) -> None:
    pauses: list[float] = []
    DuckDbCatalog(path, root).register([])
    lake.write([make_rows()], guard=guard)
    reader = duckdb.connect(path, read_only=True)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        reader.close()

    DuckDbCatalog(path, root, sleep=pause).register([])

    assert [0 < seconds <= 1 for seconds in pauses] == [True]
    assert ask(path, "SELECT count(*) AS n FROM streams").to_pylist() == [{"n": 3}]


def test_register_changes_every_view_or_none_when_it_dies_midway(
    catalog: DuckDbCatalog,
    path: Path,
    lake: Lake,
    make_rows: MakeRows,
    guard: Guard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalog.register([])
    lake.write([make_rows()], guard=guard)
    texts = iter(["first"])
    with monkeypatch.context() as patch:
        patch.setattr("include.lake.catalog.duckdb.quoted", lambda _: f"'{next(texts)}'")
        with pytest.raises(StopIteration):
            catalog.register([])

    views = "SELECT view_name, comment, sql FROM duckdb_views() WHERE NOT internal ORDER BY view_name"
    assert not any("read_parquet" in row["sql"] for row in ask(path, views).to_pylist())
    catalog.register([])
    assert ask(path, "SELECT count(*) AS n FROM streams").to_pylist() == [{"n": 3}]


def test_views_belong_to_no_athlete(catalog: DuckDbCatalog, fill_lake: Callable[[], None]) -> None:
    fill_lake()
    catalog.register([])
    assert catalog.of_athlete(2**53 + 1) == []


def test_register_keeps_what_analysts_made(
    catalog: DuckDbCatalog, path: Path, lake: Lake, make_rows: MakeRows, guard: Guard
) -> None:
    catalog.register([])
    with duckdb.connect(path) as analyst:
        analyst.execute("CREATE TABLE notes AS SELECT 'mine' AS text")
        analyst.execute("CREATE VIEW mine AS SELECT 1 AS one")
        analyst.execute("COMMENT ON VIEW mine IS 'my own'")
    lake.write([make_rows()], guard=guard)
    catalog.register([])
    assert ask(path, "SELECT text, one FROM notes, mine").to_pylist() == [{"text": "mine", "one": 1}]


def test_lake_below_an_awkward_path_is_found(tmp_path: Path, make_rows: MakeRows, guard: Guard, path: Path) -> None:
    from include.lake.objects.files import FileObjects

    root = tmp_path / "it's [a] *lake* ?"
    Lake(FileObjects(root)).write([make_rows()], guard=guard)
    DuckDbCatalog(path, root).register([])
    assert ask(path, "SELECT count(*) AS n FROM streams").to_pylist() == [{"n": 3}]
