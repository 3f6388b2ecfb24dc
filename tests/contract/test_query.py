"""A query answers the same, wherever the lake lies."""

from __future__ import annotations

import pytest

from include.errors import BadQuery
from include.lake import cookbook
from include.lake.backend import open_objects
from include.lake.lake import Lake
from include.lake.query import query
from include.lake.rows.synced import build_rows
from include.strava.models import Activity, StreamSet
from ops import query as command


@pytest.fixture
def filled(lake_url: str) -> str:
    """Two athletes with an activity each."""
    rows = [
        build_rows(
            Activity.parse({"id": number, "athlete": {"id": number}, "start_date": "2024-05-01T08:00:00Z"}),
            StreamSet({"time": [0, 1, 2], "distance": [0.0, 500.0, 1000.0 * number]}, b""),
            made={},
            source="webhook",
            updated_at_epoch_s=0,
        )
        for number in (7, 71)
    ]
    Lake(open_objects(lake_url)).write(rows, guard=lambda: None)
    return lake_url


def test_tables_are_joined(filled: str) -> None:
    answer = query(
        "SELECT a.athlete_id, max(s.distance_m) AS m FROM activities a JOIN streams s USING (activity_id) "
        "GROUP BY 1 ORDER BY 1",
        filled,
    )
    assert answer.to_pylist() == [{"athlete_id": 7, "m": 7000.0}, {"athlete_id": 71, "m": 71000.0}]


def test_query_of_the_cookbook_reads_its_athlete(filled: str) -> None:
    statement = cookbook.load("best_efforts_by_distance").for_duckdb({"athlete_id": "7", "sport_type": "%"})

    answer = query(statement, filled, athlete_id=7)

    assert answer["elapsed_s"].to_pylist() == [1, 1, 1, 1]
    assert answer.equals(query(statement, filled))


def test_empty_lake_answers_no_rows(lake_url: str) -> None:
    assert query("SELECT * FROM streams", lake_url).num_rows == 0


def test_statement_sees_nothing_but_the_lake(filled: str) -> None:
    with pytest.raises(BadQuery):
        query("SELECT * FROM read_text('/etc/hostname')", filled)


def test_command_answers(filled: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LAKE_URL", filled)
    monkeypatch.delenv("SQL", raising=False)
    with pytest.raises(SystemExit) as ended:
        command.app(["SELECT count(*) AS n FROM activities", "--format", "csv"])
    shown = capsys.readouterr()
    assert (ended.value.code or 0, shown.out) == (0, "n\n2\n")
    assert ("Athena" in shown.err) == filled.startswith("s3:")
