"""What the page of the architecture says of tables and folders is so."""

from __future__ import annotations

import re
from pathlib import Path

from include.store.store import TABLES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_architecture_lists_every_table_of_the_state() -> None:
    section = PAGE.partition("## Tables")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(TABLES)


def test_code_of_each_table_names_it() -> None:
    for table, path in re.findall(r"^\| `(\w+)` \| .* \| `([\w/.]+)` \|$", PAGE, re.MULTILINE):
        place = ROOT / path
        files = [place] if place.is_file() else list(place.glob("*.py"))
        assert any(f'"{table}"' in file.read_text() for file in files), f"{path} says nothing of {table}"


def test_architecture_names_every_folder_of_code() -> None:
    for folder in ("dags/", "plugins/strava_airflow/", "include/", "webhook_api/", "ops/", "local/"):
        assert f"`{folder}" in PAGE, folder
