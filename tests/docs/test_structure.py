"""Modules and folders stay as small as CONTRIBUTING asks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("dags", "include", "local", "ops", "plugins", "tests", "webhook_api")
SOURCES = [path for folder in CODE for ending in ("py", "html") for path in (ROOT / folder).rglob(f"*.{ending}")]

MOST_LINES = 300
MOST_FILES = 15
ON_A_PATH = {"plugins", "local/aws/airflow_config", "dags"}
"""What Airflow puts on Python's path itself."""


def test_no_module_is_longer_than_300_lines() -> None:
    assert len(SOURCES) > 900
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}, (
        "give a second noun its own module"
    )


def test_no_folder_has_more_than_15_files_of_its_own() -> None:
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in SOURCES)
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}, "group some in a folder"


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in SOURCES if path.suffix == ".py" and not path.is_relative_to(ROOT / "tests")}
    missing = {str(each.relative_to(ROOT)) for each in folders if not (each / "__init__.py").exists()}
    assert missing - ON_A_PATH == set(), "add an __init__.py with a line that says what is in the folder"
