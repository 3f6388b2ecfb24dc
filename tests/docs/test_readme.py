"""What the README and the requirement files say is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[a-z0-9,]+\])?==([^\s;]+)", re.MULTILINE)


def pins(path):
    return {name.lower(): version for name, version in PIN.findall((ROOT / path).read_text())}


def test_every_link_of_the_documents_leads_somewhere():
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_dag_is_in_the_readme():
    for path in (ROOT / "dags").glob("*.py"):
        assert f"`{path.stem}`" in README


def test_readme_fits_on_a_few_screens():
    assert len(README.splitlines()) <= 250


@pytest.mark.parametrize("path", ["requirements.txt", "webhook_api/requirements.txt"])
def test_requirements_repeat_pins_of_the_lock(path):
    locked = pins("requirements.lock")
    assert pins(path).items() <= locked.items()
    assert pins(path)


def test_mwaa_requirements_name_their_constraints_first():
    first = (ROOT / "requirements.txt").read_text().splitlines()[0]
    assert first == "--constraint /usr/local/airflow/dags/constraints-3.3.1.txt"
    assert (ROOT / "dags" / "constraints-3.3.1.txt").exists()


def test_mwaa_requirements_agree_with_mwaas_constraints():
    constraints = pins("dags/constraints-3.3.1.txt")
    assert all(constraints.get(name, version) == version for name, version in pins("requirements.txt").items())


def test_lock_holds_every_direct_dependency_at_its_pin():
    locked = pins("requirements.lock")
    for group in PROJECT["dependency-groups"].values():
        for requirement in group:
            name, version = PIN.findall(requirement)[0]
            assert locked[name.lower()] == version


def test_lock_holds_the_uv_that_builds_the_environment():
    bootstrap = (ROOT / "local" / "bootstrap.py").read_text()
    assert f'UV = "uv=={pins("requirements.lock")["uv"]}"' in bootstrap


def test_prose_of_the_documents_keeps_to_120_characters_a_line():
    """Tables, headings, pictures and what stands in fences have no other line to go to."""
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
        long = [
            line for line in prose.splitlines() if len(line) > 120 and not line.startswith(("|", "#", "![", "<img"))
        ]
        assert long == [], document.name
