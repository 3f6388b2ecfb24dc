"""Which tests run with Lambda's packages alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ops.package.artefacts import WEB_REQUIREMENTS
from ops.package.installing import name_of, requirements
from ops.package.lambda_tests import LAMBDA_RUNTIME, TESTS, TOOLS, left_out, missing

ROOT = Path(__file__).parents[3]
THERE = {
    *(name_of(line).replace("-", "_") for line in [*requirements(WEB_REQUIREMENTS), *LAMBDA_RUNTIME, *TOOLS]),
    *("botocore", "markupsafe", "urllib3", "werkzeug"),
}


def test_every_test_of_the_web_edge_runs_there():
    files = sorted((TESTS / "webhook_api").rglob("test_*.py"))

    assert files
    assert {file.name: missing(file, THERE) for file in files if missing(file, THERE)} == {}


@pytest.mark.parametrize("folder", ["crypto", "queue", "state", "strava", "trigger"])
def test_every_test_of_what_the_web_edge_uses_runs_there(folder):
    files = sorted((TESTS / "include" / folder).rglob("test_*.py"))

    assert files
    assert {file.name: missing(file, THERE) for file in files if missing(file, THERE)} == {}


def test_test_of_the_lake_does_not_run_there():
    assert missing(TESTS / "include" / "lake" / "lake" / "test_write.py", THERE) == {"pyarrow"}


def test_files_that_are_left_out_are_named_by_what_they_need():
    lacking = {TESTS / "b.py": {"pyarrow"}, TESTS / "c.py": {"duckdb", "polars"}, TESTS / "a.py": {"pyarrow"}}

    assert list(left_out(lacking)) == ["  left out, need duckdb, polars: c.py", "  left out, need pyarrow: b.py, a.py"]


@pytest.mark.parametrize(
    ("folder", "name", "outcome"),
    [
        pytest.param("include", "msgspec", "1 skipped", id="domain without what only tasks need"),
        pytest.param("include", "flask", "1 failed", id="domain without anything else"),
        pytest.param("webhook_api", "msgspec", "1 failed", id="web edge without what only tasks need"),
    ],
)
def test_absent_package_is_an_excuse_for_the_domain_alone(tmp_path, folder, name, outcome):
    file = tmp_path / "tests" / folder / "test_one.py"
    file.parent.mkdir(parents=True)
    file.write_text(f"def test_one():\n    raise ModuleNotFoundError('absent', name='{name}')\n")
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", tmp_path, "-p", "ops.package.lambda_skips", file]

    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=False, capture_output=True, text=True
    )

    assert outcome in done.stdout, done.stdout + done.stderr
