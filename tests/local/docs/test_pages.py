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
from local.docs import dags, settings
from local.docs.answers import ANSWERS
from local.docs.errors import airflow_does, error_classes, example
from local.docs.markdown import item, paragraph, table
from local.docs.pages import PAGES, page_path

ROOT = Path(__file__).parents[3]
VARIABLES = [setting.name.upper() for setting in fields(Settings)]


# The walks and the attack take minutes: their pages are compared in the tests of each, in parts or a small size.
@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name) for name in PAGES if name not in ("crash-walk", "run-walk", "trimming")]
)
def test_page_is_what_the_code_says_today(name: str) -> None:
    path = page_path(name)

    assert path.is_file(), f"{path.relative_to(ROOT)} is missing: run `make docs ARGS={name}` and commit what it writes"
    assert path.read_text() == PAGES[name](), f"run `make docs ARGS={name}` and commit what it writes"


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


def test_dags_page_has_a_section_for_every_dag() -> None:
    page = page_path("dags").read_text()
    ids = [path.stem for path in sorted((ROOT / "dags").glob("*.py"))]

    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == ids
    assert re.findall(r"^\| \[`(\w+)`\]\(#\w+\) \|", page, re.MULTILINE) == ids


def test_dag_docs_are_read_from_the_docstring_without_importing_the_file(tmp_path: Path) -> None:
    path = tmp_path / "strava_nap.py"
    path.write_text(
        '"""# Nap\n\nRests, and\nrests.\n\n**Starts**: at | noon.\n\n**Reads**: a,\nb.\n**Writes**: c.\n\n'
        '**Kind**: now. At once.\n\n**Limits**: none.\n\n**If it fails**: nothing.\n\n**Owner**: nobody.\n"""\n'
        "raise SystemExit\n"
    )

    docs = dags.DagDocs.read(path)

    assert (docs.dag_id, docs.does) == ("strava_nap", "Rests, and\nrests.")
    assert dags.render(tmp_path).splitlines()[-12:] == [
        "| [`strava_nap`](#strava_nap) | now |",
        "",
        "## strava_nap",
        "",
        "Rests, and rests. Its file: [`dags/strava_nap.py`](../dags/strava_nap.py).",
        "",
        "- **Starts**: at | noon.",
        "- **Reads**: a, b.",
        "- **Writes**: c.",
        "- **Kind**: now. At once.",
        "- **Limits**: none.",
        "- **If it fails**: nothing.",
    ]


def test_dags_page_names_the_file_and_the_heading_when_a_heading_begins_no_line(tmp_path: Path) -> None:
    path = tmp_path / "strava_nap.py"
    path.write_text(
        '"""# Nap\n\nRests.\n\n**Starts**: at noon.\n\n**Reads**: a. **Writes**: b.\n\n**Kind**: now.\n\n'
        '**Limits**: none.\n\n**If it fails**: nothing.\n\n**Owner**: nobody.\n"""\n'
    )

    with pytest.raises(LookupError, match=r"dags/strava_nap\.py with each of \['\*\*Writes\*\*: '\]"):
        dags.render(tmp_path)


def test_settings_page_has_a_line_and_a_section_for_every_variable_and_marks_the_secrets() -> None:
    page = page_path("settings").read_text()
    lines = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| [`")}

    assert list(lines) == re.findall(r"^## (\w+)$", page, re.MULTILINE) == VARIABLES
    assert {name for name, line in lines.items() if "| secret |" in line} == {
        setting.name.upper() for setting in fields(Settings) if not setting.repr
    }


@pytest.mark.parametrize("variable", VARIABLES)
def test_settings_page_says_what_each_variable_does_and_where_it_is_set(variable: str) -> None:
    section = page_path("settings").read_text().partition(f"\n## {variable}\n\n")[2].partition("\n## ")[0]

    assert not section.startswith("- "), "give the field a docstring in include/settings.py"
    assert [line.partition(":")[0] for line in section.splitlines() if line.startswith("- ")] == [
        "- Value",
        "- One machine",
        "- AWS",
    ]


@pytest.mark.parametrize(
    ("variable", "one_machine", "aws"),
    [
        pytest.param("STATE_URL", "`make up` sets `sqlite://$STATE_DIR/state", "from what it builds", id="place"),
        pytest.param("COOKIE_KEY", "`make up` generates it", "the secret", id="secret"),
        pytest.param("STRAVA_API_URL", "while Strava is simulated", "the map `strava_settings`", id="strava"),
        pytest.param("RETENTION_DAYS", "`.env`", "from its variable `retention_days`", id="behaviour"),
        pytest.param("AIRFLOW_PASSWORD", "no task needs it", "not used", id="one-machine-alone"),
    ],
)
def test_settings_page_knows_who_sets_a_variable(variable: str, one_machine: str, aws: str) -> None:
    section = page_path("settings").read_text().partition(f"\n## {variable}\n")[2].partition("\n## ")[0]
    lines = dict(line[2:].split(": ", 1) for line in section.splitlines() if line.startswith("- "))

    assert one_machine in lines["One machine"]
    assert aws in lines["AWS"]


def test_settings_page_asks_for_the_text_of_a_setting_that_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {name: text for name, text in settings.docstrings().items() if name != "queue_url"}
    monkeypatch.setattr(settings, "docstrings", lambda: texts)

    with pytest.raises(LookupError, match=r"Describe .*queue_url.* in include/settings\.py"):
        settings.render()


def test_paragraph_and_item_keep_lines_at_120_characters_and_words_whole() -> None:
    words = ["word"] * 40 + ["x" * 130]
    for text in (paragraph(" ".join(words)), item(" ".join(words))):
        assert text.removeprefix("- ").split() == words
        assert [line for line in text.splitlines() if len(line) > 120 and "x" * 130 not in line] == []
    assert item("a\nb") == "- a b"


def test_table_keeps_each_row_on_one_line() -> None:
    assert table(("a", "b"), [("1\n2", "x|y"), ("", "z")]) == "| a | b |\n| --- | --- |\n| 1 2 | x\\|y |\n|  | z |"


def test_command_names_the_pages_there_are_when_it_is_asked_for_another() -> None:
    command = [sys.executable, "-m", "local.docs", "poems"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "poems" in ended.stderr
