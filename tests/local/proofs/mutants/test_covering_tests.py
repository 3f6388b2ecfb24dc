"""Those tests are asked about a broken line that run through it, nearest first."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.proofs.mutants import selection
from local.proofs.mutants.covering_tests import FIRST, BaselineFails, CoveringTests
from local.proofs.mutants.mutation import Mutant, mutants
from local.proofs.mutants.selection import MODULES, own_tests, sample

ROOT = Path(__file__).parents[4]
PATH = "include/state/age.py"
OWN, OTHER = "tests/include/state/test_age.py", "tests/include/state/test_other.py"


def covering_tests(root):
    return CoveringTests.of_whole_code(root, ["tests/include/state"], processes=1)


def broken(root, after):
    [mutant] = [each for each in mutants(PATH, (root / PATH).read_text()) if each.after == after]
    return mutant


def test_tests_that_run_through_the_line_are_asked_its_own_first(repository, write_test):
    write_test(test_old="assert is_old(9)", test_new="assert is_new(0)", test_nothing="pass")
    write_test("test_other.py", **{f"test_{number}": "assert is_old(9)" for number in range(FIRST)})

    asked = covering_tests(repository)
    few, rest = asked.about(broken(repository, "days >= LIMIT"))
    whole, about_import = asked.about(broken(repository, "8"))

    assert few[:2] == [f"{OWN}::test_old", f"{OTHER}::test_0"]
    assert (len(few), len(rest)) == (FIRST, 1)
    assert asked.about(broken(repository, "days <= 1")) == [[f"{OWN}::test_new"]]
    assert whole == [OWN]
    assert sorted(about_import[:2]) == [f"{OWN}::test_new", f"{OWN}::test_old"], "every import runs the line"
    assert f"{OWN}::test_nothing" not in about_import


def test_own_tests_are_asked_about_a_line_that_no_test_runs_and_all_of_dags_about_a_dag(repository, write_test):
    write_test(test_nothing="pass")

    asked = covering_tests(repository)

    assert asked.about(broken(repository, "days >= LIMIT")) == [[OWN]]
    assert asked.about(Mutant("dags/strava_retention.py", 1, 0, 1, "a", "b")) == [["tests/dags"]]


def test_tests_that_fail_without_a_mutant_tell_nothing(repository, write_test):
    write_test(test_age="assert is_old(1)")

    with pytest.raises(BaselineFails, match="test_age"):
        covering_tests(repository)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_tests_that_could_notice(module):
    assert selection.tests_of(ROOT, [module])


def test_own_tests_bear_the_name_of_the_source():
    in_folder, in_file = "include/state/application/quota", "include/lake/rows/cells"
    behaviours = sorted((ROOT / "tests" / in_folder).glob("test_*.py"))

    assert own_tests(ROOT, f"{in_folder}.py") == [file.relative_to(ROOT).as_posix() for file in behaviours] != []
    assert own_tests(ROOT, f"{in_file}.py") == ["tests/include/lake/rows/test_cells.py"]
    assert own_tests(ROOT, "dags/strava_retention.py") == ["tests/dags/test_retention.py"]


def test_sample_is_the_same_for_the_same_seed_and_another_for_another():
    first, again, other = (sample(ROOT, ["state"], count=20, seed=seed) for seed in (7, 7, 8))

    assert first == again != other
    assert len(set(first)) == 20
