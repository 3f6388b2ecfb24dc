"""Who may import whom: the contracts of pyproject.toml hold, and an import against each of them breaks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("include", "webhook_api", "plugins", "dags", "ops", "local")
DAG = "dags/strava_ingest.py"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources and their contracts, to break."""
    sources = shutil.ignore_patterns("__pycache__", "*.md", "*.html", "*.sql", "*.json", "*.png", "static")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=sources)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(root: Path) -> list[str]:
    """The contracts that the sources below `root` break."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": "plugins", "COLUMNS": "1000"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return [line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")]


def names() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [contract["name"] for contract in contracts]


def test_sources_keep_every_contract(copy: Path) -> None:
    assert broken(copy) == []


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("include/strava/client.py", "import include.pipeline.catalog", "Within the domain"),
        ("include/store/codec.py", "from include.state.links import Link", "Within the domain"),
        ("include/copying/gpx.py", "from include.lake.keys import check_key", "Within the domain"),
        ("include/clock.py", "import webhook_api.app", "Hosts import the domain"),
        (DAG, "import ops.machine.ports", "Hosts import the domain"),
        ("ops/keys.py", "import local.stack.progress", "Hosts import the domain"),
        ("include/clock.py", "def late():\n    from flask import g", "The domain knows neither"),
        (DAG, "from webhook_api.app import create_app", "Airflow does not import"),
        ("include/queue/backend.py", "import pyarrow", "The web edge"),
        (DAG, "import dags.strava_erase", "No DAG imports"),
        ("ops/keys.py", "from plugins.strava_airflow import hook", "Nothing imports tests"),
    ],
)
def test_import_against_a_contract_breaks_it(copy: Path, file: str, line: str, contract: str) -> None:
    with (copy / file).open("a") as source:
        source.write(f"\n{line}\n")

    assert any(name.startswith(contract) for name in broken(copy))


def test_package_that_no_layer_names_breaks_the_contract_of_layers(copy: Path) -> None:
    (copy / "include" / "extra.py").touch()

    assert broken(copy) == [next(name for name in names() if name.startswith("Within the domain"))]
