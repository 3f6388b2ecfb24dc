from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.lake import cookbook
from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.rows.synced import build_rows
from include.strava.models import Activity, StreamSet
from ops import query

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def lake_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty lake, which the command finds in its environment."""
    url = (tmp_path / "lake").as_uri()
    monkeypatch.setenv("LAKE_URL", url)
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("SQL", "ENV"):
        monkeypatch.delenv(name, raising=False)
    return url


@pytest.fixture
def filled(lake_url: str) -> None:
    """Two activities, one with 300 points."""
    activities = [
        {"id": 1, "athlete": {"id": 7}, "start_date": "2024-05-01T08:00:00Z", "name": "Ride, with [bold]Rex[/bold]"},
        {"id": 2, "athlete": {"id": 7}, "start_date": "2024-05-02T08:00:00Z", "name": 'said "hi"'},
    ]
    streams = [StreamSet({"time": list(range(300))}, b""), None]
    rows = [
        build_rows(Activity.parse(answer), points, made={}, source="webhook", updated_at_epoch_s=0)
        for answer, points in zip(activities, streams, strict=True)
    ]
    Lake(open_objects(lake_url)).write(rows, guard=lambda: None)


def run(*arguments: str) -> int:
    """The command's exit status."""
    with pytest.raises(SystemExit) as ended:
        query.app(list(arguments))
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("filled")
def test_table_shows_the_answer(lake_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("SELECT name, point_count, stream_types, calories_kcal FROM activities ORDER BY activity_id") == 0
    shown = capsys.readouterr()
    assert "Ride, with [bold]Rex[/bold]" in shown.out
    assert '["time"]' in shown.out
    assert "None" not in shown.out
    assert shown.err.splitlines() == [f"the lake at {lake_url}, which LAKE_URL names: this only reads."]


@pytest.mark.usefixtures("filled")
def test_table_says_how_many_rows_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    run("SELECT point_index FROM streams ORDER BY 1")
    shown = capsys.readouterr().out
    assert " 199 " in shown
    assert " 200 │" not in shown
    assert "300 rows, the first 200 shown" in shown


@pytest.mark.usefixtures("filled")
def test_csv_gives_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("SELECT name, start_ts_utc, is_copy, name FROM activities ORDER BY activity_id", "--format", "csv") == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["name", "start_ts_utc", "is_copy", "name"],
        ["Ride, with [bold]Rex[/bold]", "2024-05-01T08:00:00", "false", "Ride, with [bold]Rex[/bold]"],
        ['said "hi"', "2024-05-02T08:00:00", "false", 'said "hi"'],
    ]
    run("SELECT point_index FROM streams", "--format", "csv")
    assert len(capsys.readouterr().out.splitlines()) == 301


@pytest.mark.usefixtures("filled")
def test_parquet_gives_every_row(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("SELECT activity_id, ts FROM streams", "--format", "parquet") == 0
    table = pq.read_table(io.BytesIO(capfdbinary.readouterr().out))
    assert table.num_rows == 300
    assert table.column_names == ["activity_id", "ts"]


@pytest.mark.usefixtures("lake_url")
def test_empty_lake_says_how_to_fill_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("SELECT count(*) AS n FROM streams", "--format", "csv") == 0
    shown = capsys.readouterr()
    assert shown.out == "n\n0\n"
    assert "make up" in shown.err


@pytest.mark.usefixtures("lake_url")
@pytest.mark.parametrize("sql", ["SELEC 1", "DROP VIEW streams", "SELECT nothing FROM streams"])
def test_refused_statement_ends_with_its_reason(capsys: pytest.CaptureFixture[str], sql: str) -> None:
    assert run(sql) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err
    assert "Traceback" not in shown.err


@pytest.mark.usefixtures("filled")
def test_query_of_the_cookbook_is_asked_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--name", "climbing", "--set", "athlete_id=7", "--set", "sport_type=Work%", "--format", "csv") == 0
    assert capsys.readouterr().out.splitlines() == [
        "month_start,activities,elevation_gain_m,gain_m_per_km,biggest_gain_m,highest_m,gain_this_year_m",
        "2024-05-01,2,0.0,,0.0,,0.0",
    ]
    assert run("--name", "climbing", "--set", "athlete_id=8", "--format", "csv") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.usefixtures("filled")
def test_query_of_the_cookbook_is_written_as_parquet(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("--name", "weekly_volume", "--set", "athlete_id=7", "--format", "parquet") == 0
    table = pq.read_table(io.BytesIO(capfdbinary.readouterr().out))
    assert (table.num_rows, table["activities"].to_pylist()) == (1, [2])


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_file_gets_every_row_in_the_format_of_its_name(
    tmp_path: Path, lake_url: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / name

    assert run("SELECT point_index FROM streams ORDER BY 1", "--out", str(out)) == 0

    rows = pq.read_table(out)["point_index"].to_pylist() if name == "rows.parquet" else out.read_text().split()[1:]
    assert [int(row) for row in rows] == list(range(300))
    shown = capsys.readouterr()
    assert (shown.out, shown.err.splitlines()[1:]) == ("", [f"{out}: 300 rows"])


@pytest.mark.usefixtures("filled")
def test_answer_of_many_columns_is_shown_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("SELECT * FROM activities ORDER BY activity_id") == 0
    shown = capsys.readouterr().out
    assert [line.rstrip() for line in shown.splitlines() if line.startswith("row ")] == ["row 1", "row 2"]
    assert "Ride, with [bold]Rex[/bold]" in shown
    assert "total_elevation_gain_m" in shown


@pytest.mark.usefixtures("filled")
def test_no_rows_of_a_filled_lake_says_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--name", "climbing", "--set", "athlete_id=8") == 0
    assert "SELECT athlete_id, count(*) FROM activities" in capsys.readouterr().err


@pytest.mark.usefixtures("lake_url")
def test_example_is_asked_instead_of_a_lake_of_one_s_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        row = {"id": 1, "athlete": {"id": 7}, "start_date": "2024-05-01T08:00:00Z"}
        rows = build_rows(Activity.parse(row), None, made={}, source="backfill", updated_at_epoch_s=0)
        Lake(open_objects(command[-1])).write([rows], guard=lambda: None)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(query.subprocess, "run", make)
    assert run("SELECT athlete_id FROM activities", "--example", "--format", "csv") == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["athlete_id", "7"]
    assert shown.err == "the example lake of docs/queries.md, with a simulated athlete: this only reads.\n"


def test_cookbook_is_listed_when_nothing_is_asked(
    lake_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["query"] for row in rows] == cookbook.names()
    assert all(row["question"].endswith("?") and row["parameters"].startswith("athlete_id") for row in rows)
    assert "since=1970-01-01" in rows[0]["parameters"]
    monkeypatch.setenv("COLUMNS", "200")
    assert run() == 0
    assert "best_efforts_by_distance" in capsys.readouterr().out


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--name", "poem"], "there is no query 'poem'", id="unknown-query"),
        pytest.param(["--name", "weekly"], "did you mean weekly_volume?", id="misspelt-query"),
        pytest.param(
            ["--name", "climbing", "--set", "athlete_id=x"],
            'Usage: make query NAME=climbing ARGS="--set athlete_id=… [--set sport_type=%]"',
            id="wrong-value",
        ),
        pytest.param(["SELECT 1", "--out", "rows.xlsx"], "end its name with .csv or .parquet", id="other-file"),
        pytest.param(["SELECT 1", "--out", "/nowhere/rows.csv"], "/nowhere/rows.csv cannot be written", id="no-folder"),
        pytest.param(["--name", "climbing"], "climbing needs athlete_id", id="missing"),
        pytest.param(["--name", "climbing", "--set", "athlete_id"], "write name=value", id="nameless"),
        pytest.param(
            ["--name", "climbing", "--set", "athlete_id=7", "--set", "athlete_id=8"], "each name once", id="twice"
        ),
        pytest.param(["--name", "climbing", "--set", "athlete=7"], "it has athlete_id", id="unknown-parameter"),
        pytest.param(["--name", "climbing", "SELECT 1"], "give one of them", id="both"),
        pytest.param(["SELECT 1", "--set", "athlete_id=7"], "name the query with --name", id="no-query"),
        pytest.param(["--set", "athlete_id=7"], "name the query with --name", id="values-alone"),
    ],
)
def test_question_that_cannot_be_asked_ends_with_its_reason(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert run(*arguments) == 1
    shown = capsys.readouterr()
    assert (shown.out, says in shown.err) == ("", True)
    assert "Traceback" not in shown.err


def test_make_passes_the_name_on_and_heeds_no_other_name(lake_url: str) -> None:
    make = ["make", "-n", "query"]
    named = subprocess.run([*make, "NAME=climbing"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    environ = os.environ | {"NAME": "a-computer"}
    unnamed = subprocess.run(make, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=True)
    assert '--name "climbing"' in named.stdout
    assert "--name" not in unnamed.stdout


def test_statement_may_come_from_the_environment(
    lake_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SQL", "SELECT 'it''s' AS a")
    assert run("--format", "csv") == 0
    assert capsys.readouterr().out == "a\nit's\n"


def test_command_runs_as_a_module(lake_url: str) -> None:
    command = [sys.executable, "-m", "ops.query", "SELECT 1 AS one", "--format", "csv"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "one\n1\n"
    assert lake_url in done.stderr
