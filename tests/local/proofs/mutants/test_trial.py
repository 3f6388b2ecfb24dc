"""A mutant is tried in a copy, one group of tests after the other, and the copy is whole again afterwards."""

from __future__ import annotations

import pytest

from local.proofs.mutants.mutation import mutants
from local.proofs.mutants.run import run_tests
from local.proofs.mutants.trial import TrialResult, copy_repository, try_mutant

PATH = "include/state/age.py"
TESTS = "tests/include/state/test_age.py"


def bound(root):
    [mutant] = [each for each in mutants(PATH, (root / PATH).read_text()) if each.after == "days >= LIMIT"]
    return mutant


@pytest.mark.parametrize(
    ("body", "result"),
    [
        pytest.param("assert not is_old(7)", TrialResult.KILLED, id="the bound is tested"),
        pytest.param("assert is_old(9)", TrialResult.SURVIVED, id="the bound is not tested"),
    ],
)
def test_mutant_survives_exactly_where_no_test_notices_it(repository, write_test, tmp_path, body, result):
    write_test(test_age=body)
    whole = (repository / PATH).read_text()
    copied = copy_repository(repository, tmp_path / "copy")

    assert try_mutant(copied, bound(copied), [[TESTS]]).result is result
    assert (copied / PATH).read_text() == whole
    assert (repository / PATH).read_text() == whole


def test_later_group_is_asked_when_the_first_noticed_nothing(repository, write_test):
    write_test(test_far="assert is_old(9)", test_near="assert not is_old(7)")

    assert try_mutant(repository, bound(repository), [[f"{TESTS}::test_far"]]).result is TrialResult.SURVIVED
    groups = [[f"{TESTS}::test_far"], [f"{TESTS}::test_near"]]
    assert try_mutant(repository, bound(repository), groups).result is TrialResult.KILLED


def test_run_says_what_failed_and_nothing_is_no_failure(repository, write_test):
    write_test(test_age="assert is_old(1)")

    failed = run_tests(repository, [TESTS])
    nothing = run_tests(repository, [f"--deselect={TESTS}", TESTS])

    assert (failed.has_passed, failed.has_failed) == (False, True)
    assert "1 failed" in failed.said
    assert (nothing.has_passed, nothing.has_failed) == (True, False)


def test_copy_holds_what_git_would_and_the_environment(repository, tmp_path):
    (repository / ".venv" / "big").write_text("x")
    copied = copy_repository(repository, tmp_path / "copy")

    assert (copied / PATH).read_text() == (repository / PATH).read_text()
    assert (copied / ".venv").resolve() == (repository / ".venv").resolve()
