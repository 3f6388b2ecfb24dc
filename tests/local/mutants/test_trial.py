"""A mutant is tried in a copy, against the nearest tests first, and the copy is whole again afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.mutants.mutation import mutants
from local.mutants.selection import MODULES, sample, witnesses
from local.mutants.trial import BaselineFails, Fate, copy_repository, try_mutant

SOURCE = "def is_old(days):\n    return days > 7\n"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def repository(tmp_path):
    """A small repository with one module and a test of its bound."""
    root = tmp_path / "repository"
    (root / "include/state").mkdir(parents=True)
    (root / "tests/include/state").mkdir(parents=True)
    (root / ".venv").mkdir()
    (root / "include/state/age.py").write_text(SOURCE)
    (root / ".gitignore").write_text(".venv\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def write_test(root, body):
    text = f"import sys\nsys.path.insert(0, '.')\nfrom include.state.age import is_old\n\ndef test_age():\n    {body}\n"
    (root / "tests/include/state/test_age.py").write_text(text)


@pytest.mark.parametrize(
    ("body", "fate"),
    [
        pytest.param("assert not is_old(7)", Fate.KILLED, id="the bound is tested"),
        pytest.param("assert is_old(9)", Fate.SURVIVED, id="the bound is not tested"),
    ],
)
def test_mutant_survives_exactly_where_no_test_notices_it(repository, tmp_path, body, fate):
    write_test(repository, body)
    copied = copy_repository(repository, tmp_path / "copy")
    [mutant] = [each for each in mutants("include/state/age.py", SOURCE) if each.after == "days >= 7"]

    assert try_mutant(copied, mutant, set()).fate is fate
    assert (copied / "include/state/age.py").read_text() == SOURCE
    assert (repository / "include/state/age.py").read_text() == SOURCE


def test_tests_that_fail_without_a_mutant_tell_nothing(repository, tmp_path):
    write_test(repository, "assert is_old(1)")
    copied = copy_repository(repository, tmp_path / "copy")

    with pytest.raises(BaselineFails, match="test_age"):
        try_mutant(copied, mutants("include/state/age.py", SOURCE)[0], set())
    assert (copied / "include/state/age.py").read_text() == SOURCE


def test_copy_holds_what_git_would_and_the_environment(repository, tmp_path):
    (repository / ".venv" / "big").write_text("x")
    copied = copy_repository(repository, tmp_path / "copy")

    assert (copied / "include/state/age.py").read_text() == SOURCE
    assert (copied / ".venv").resolve() == (repository / ".venv").resolve()


def test_nearest_tests_are_asked_first():
    own, wider = witnesses(ROOT, "include/state/quota.py")

    assert own == ["tests/include/state/test_quota.py"]
    assert "tests/include/state" in wider


@pytest.mark.parametrize("folder", MODULES.values())
def test_every_module_has_tests_that_could_notice(folder):
    for path in (ROOT / folder).rglob("*.py"):
        for group in witnesses(ROOT, path.relative_to(ROOT).as_posix()):
            assert group
            assert all((ROOT / place).exists() for place in group)


def test_sample_is_the_same_for_the_same_seed_and_another_for_another():
    first, again, other = (sample(ROOT, ["include/state"], count=20, seed=seed) for seed in (7, 7, 8))

    assert first == again != other
    assert len(set(first)) == 20
