"""A small repository with one module and tests of it."""

from __future__ import annotations

import subprocess

import pytest

SOURCE = """LIMIT = 7


def is_old(days):
    return days > LIMIT


def is_new(days):
    return days < 1
"""


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "repository"
    (root / "include/state").mkdir(parents=True)
    (root / "tests/include/state").mkdir(parents=True)
    (root / ".venv").mkdir()
    (root / "include/state/age.py").write_text(SOURCE)
    (root / ".gitignore").write_text(".venv\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


@pytest.fixture
def write_test(repository):
    """Writes a file of tests, each a name and a line."""

    def write(file="test_age.py", **bodies):
        tests = "".join(f"\ndef {name}():\n    {body}\n" for name, body in bodies.items())
        head = "import sys\nsys.path.insert(0, '.')\nfrom include.state.age import is_new, is_old\n"
        (repository / "tests/include/state" / file).write_text(head + tests)

    return write
