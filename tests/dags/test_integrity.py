"""Every DAG file holds the one DAG that its name promises, and parsing it does nothing else."""

from __future__ import annotations

from pathlib import Path

DAGS = Path(__file__).parents[2] / "dags"
EXPECTED = {
    *("strava_ingest", "strava_backfill", "strava_catalog", "strava_reconcile", "strava_retention", "strava_erase"),
}


def test_bag_holds_exactly_the_expected_dags(dag_bag):
    assert set(dag_bag.dags) == EXPECTED


def test_bag_has_no_import_errors(dag_bag):
    assert dag_bag.import_errors == {}


def test_file_name_is_the_dag_id(dag_bag):
    assert {path.stem for path in DAGS.glob("*.py")} == EXPECTED
    assert {Path(dag.fileloc).stem: dag_id for dag_id, dag in dag_bag.dags.items()} == {name: name for name in EXPECTED}


def test_parsing_imports_nothing_of_the_domain(dag_bag):
    assert dag_bag.loaded_by_parsing == set()


def test_dag_files_are_wiring_of_150_lines_at_most():
    assert {path.name for path in DAGS.glob("*.py") if len(path.read_text().splitlines()) > 150} == set()


def test_every_dag_is_named_by_a_test_of_its_own():
    others = [path.read_text() for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__)]
    untested = {dag_id for dag_id in EXPECTED if not any(f'"{dag_id}"' in text for text in others)}

    assert untested == set(), "test in tests/dags when each of these starts, its order and its tasks"
