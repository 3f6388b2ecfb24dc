"""The pages of `docs/` that are made from the code say what the code does today."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from include import errors
from include.errors import IngestError
from include.settings import Settings
from local.docs import dags
from local.docs.answers import ANSWERS
from local.docs.errors import airflow_does, error_classes, example
from local.docs.markdown import table
from local.docs.pages import PAGES, page_path

ROOT = Path(__file__).parents[3]


# The walks and the hunt take a while: theirs are compared where they are made, in parts or a small size.
@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name) for name in PAGES if name not in ("crash-walk", "run-walk", "trimming")]
)
def test_page_is_what_the_code_says_today(name: str) -> None:
    assert page_path(name).read_text() == PAGES[name](), "run `make docs` and commit what it writes"


def test_errors_page_has_a_line_for_every_class_and_every_answer() -> None:
    page = page_path("errors").read_text()

    assert set(error_classes()) >= {IngestError, errors.Gone, errors.QuotaSpent}
    assert [cls.__name__ for cls in error_classes() if f"`{cls.__name__}` |" not in page] == []
    assert [answer.when for answer in ANSWERS if f"| {answer.when} | {answer.status} |" not in page] == []


@pytest.mark.parametrize(
    ("name", "does"),
    [
        pytest.param("StravaUnavailable", "retries", id="passing"),
        pytest.param("Gone", "fails", id="refused"),
        pytest.param("QuotaSpent", "comes back", id="quota"),
        pytest.param("VersionConflict", "retries", id="neither"),
    ],
)
def test_errors_page_asks_the_retry_policy(name: str, does: str) -> None:
    assert airflow_does(example(getattr(errors, name))) == does


def test_errors_page_knows_every_documented_answer(recorded: Path) -> None:
    documented = recorded / "documented" / "errors.json"
    known = [
        (answer.status, json.loads(answer.body))
        for answer in ANSWERS
        if answer.status >= 400 and answer.body.startswith(b"{")
    ]
    refusals = [case for case in json.loads(documented.read_text()) if (case["status"] or 0) >= 400]

    assert refusals
    assert [case["name"] for case in refusals if (case["status"], case["body"]) not in known] == []


def test_dags_page_has_a_line_for_every_dag() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]\(\.\./dags/(\w+)\.py\)", page_path("dags").read_text(), re.MULTILINE)

    assert listed == [(path.stem, path.stem) for path in sorted((ROOT / "dags").glob("*.py"))]


def test_dag_docs_are_read_from_the_docstring_without_importing_the_file(tmp_path: Path) -> None:
    path = tmp_path / "strava_nap.py"
    path.write_text(
        '"""# Nap\n\nRests, and\nrests.\n\n**Starts**: at | noon.\n\n**Reads**: a,\nb.\n**Writes**: c.\n\n'
        '**Kind**: now.\n\n**If it fails**: nothing.\n"""\nraise SystemExit\n'
    )

    docs = dags.DagDocs.read(path)

    assert (docs.dag_id, docs.does) == ("strava_nap", "Rests, and\nrests.")
    assert dags.render(tmp_path).splitlines()[-1] == (
        "| [`strava_nap`](../dags/strava_nap.py) | Rests, and rests. | at \\| noon. | a, b. | c. | now. | nothing. |"
    )


def test_settings_page_has_a_line_for_every_variable_and_marks_the_secrets() -> None:
    page = page_path("settings").read_text()
    lines = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}

    assert list(lines) == [setting.name.upper() for setting in fields(Settings)]
    assert {name for name, line in lines.items() if "| secret |" in line} == {
        setting.name.upper() for setting in fields(Settings) if not setting.repr
    }


def test_table_keeps_each_row_on_one_line() -> None:
    assert table(("a", "b"), [("1\n2", "x|y"), ("", "z")]) == "| a | b |\n| --- | --- |\n| 1 2 | x\\|y |\n|  | z |"


def test_command_names_the_pages_there_are_when_it_is_asked_for_another() -> None:
    command = [sys.executable, "-m", "local.docs", "poems"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "poems" in ended.stderr
