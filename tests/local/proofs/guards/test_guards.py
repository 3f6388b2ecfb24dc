"""Every requirement of the page on security names lines that are there and a test that is, and the proof asks it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from local.proofs.guards import proof
from local.proofs.guards.design import DESIGNS
from local.proofs.guards.gaps import GAPS, INAPPLICABLE
from local.proofs.guards.requirement import Guard
from local.proofs.guards.requirements import GUARDS, REQUIREMENTS
from local.proofs.mutants.covering_tests import BaselineFails
from local.proofs.mutants.run import Outcome, run_tests
from local.proofs.mutants.search import try_all
from local.proofs.mutants.trial import Trial, TrialResult, copy_repository
from local.proofs.proof import Effort

ROOT = Path(__file__).parents[4]
LEVEL_2: Mapping[str, Collection[int]] = {
    **{"2.1": range(1, 13), "2.2": (1, 2, 3), "2.3": (1, 2, 3), "2.4": range(1, 6), "2.5": range(1, 8)},
    **{"2.6": (1, 2, 3), "2.7": range(1, 7), "2.8": range(1, 8), "2.9": (1, 2, 3), "2.10": range(1, 5)},
    **{"3.1": (1,), "3.2": range(1, 5), "3.3": range(1, 5), "3.4": range(1, 6), "3.5": (1, 2, 3), "3.7": (1,)},
    **{"4.1": (1, 2, 3, 5), "4.2": (1, 2), "4.3": (1, 2, 3)},
    **{"5.1": range(1, 6), "5.2": range(1, 9), "5.3": range(1, 11), "5.4": (1, 2, 3), "5.5": range(1, 5)},
    **{"6.1": (1, 2, 3), "6.2": range(1, 7), "6.3": (1, 2), "6.4": (1, 2)},
    **{"7.1": range(1, 5), "7.2": (1, 2), "7.3": (1, 3, 4), "7.4": (1, 2, 3)},
    **{"8.1": range(1, 5), "8.2": (1, 2, 3), "8.3": range(1, 9), "9.1": (1, 2, 3), "9.2": range(1, 5)},
    **{"10.2": (1, 2), "10.3": (1, 2, 3), "11.1": range(1, 9)},
    **{"12.1": (1, 2, 3), "12.2": (1,), "12.3": range(1, 7), "12.4": (1, 2), "12.5": (1, 2), "12.6": (1,)},
    **{"13.1": (1, 3, 4, 5), "13.2": (1, 2, 3, 5, 6), "13.3": (1, 2), "13.4": (1, 2)},
    **{"14.1": range(1, 5), "14.2": range(1, 7), "14.3": (2, 3), "14.4": range(1, 8), "14.5": range(1, 5)},
}
"""What version 4.0.3 of the standard asks for at level 2, beyond documents of design (chapter 1)."""
HALF = Guard("a.py", "if is_ours:", "if True:", "tests/test_a.py::test_a")


@cache
def decorators_of(path: str) -> dict[str, str]:
    """The names of the file's tests, each with the decorators that it wears."""
    tree = ast.parse((ROOT / path).read_text())
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {node.name: " ".join(map(ast.unparse, node.decorator_list)) for node in found}


def test_every_guard_stands_once_in_its_file_and_leaves_a_program_when_it_is_taken_out() -> None:
    for guard in GUARDS:
        source = (ROOT / guard.path).read_text()
        changed = guard.taken_out_of(source).applied(source)
        assert changed != source
        if guard.path.endswith(".py"):
            compile(changed, guard.path, "exec")


def test_every_guard_names_a_test_that_is_run() -> None:
    for guard in GUARDS:
        path, _, name = guard.test.partition("::")
        assert name in decorators_of(path), guard.test
        assert "slow" not in decorators_of(path)[name], guard.test


def test_requirements_are_of_one_standard_each_once_and_in_order() -> None:
    numbers = [tuple(map(int, one.number.split("."))) for one in REQUIREMENTS]

    assert numbers == sorted(set(numbers))
    assert all(len(number) == 3 for number in numbers)
    assert all(one.guards for one in REQUIREMENTS)


def test_every_requirement_of_level_2_is_in_a_table_and_no_table_names_another() -> None:
    asked = {f"{section}.{number}" for section, numbers in LEVEL_2.items() for number in numbers}
    named = [one.number for one in (*REQUIREMENTS, *DESIGNS)] + [number for gap in GAPS for number in gap.numbers]
    parts = [part for one in INAPPLICABLE for part in one.parts]
    beyond = {number for number in asked for part in parts if number == part or number.startswith(f"{part}.")}

    assert asked - set(named) - beyond == set()
    assert set(named) - asked == set()
    assert set(named) & beyond == set()
    assert {
        part for part in parts if part != "1" and not any(f"{one}.".startswith(f"{part}.") for one in asked)
    } == set()
    assert {one.number for one in REQUIREMENTS} & {one.number for one in DESIGNS} == set()


@pytest.mark.parametrize("source", ["", "if is_ours:\nif is_ours:\n"])
def test_guard_that_is_gone_or_there_twice_is_told(source: str) -> None:
    with pytest.raises(ValueError, match=r"a\.py holds this guard"):
        HALF.taken_out_of(source)


def test_guard_is_taken_out_where_it_stands_and_nothing_else_changes() -> None:
    source = "é = 1\n\nif is_ours:\n    pass\n"

    mutant = HALF.taken_out_of(source)

    assert mutant.applied(source) == "é = 1\n\nif True:\n    pass\n"
    assert mutant.line == 3


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[TrialResult]:
    """What becomes of the guards that the proof tries, in a row; nothing is copied and no test run."""
    results: list[TrialResult] = []

    def tried(roots, questions, tell, *, until):
        assert all(group == [[group[0][0]]] for _, group in questions)
        trials = [Trial(mutant, result) for (mutant, _), result in zip(questions, results, strict=False)]
        for trial in trials:
            tell(trial)
        return trials

    monkeypatch.setattr(proof, "copy_repository", create_autospec(copy_repository, return_value=ROOT))
    monkeypatch.setattr(proof, "run_tests", create_autospec(run_tests, return_value=Outcome(True, False, "")))
    monkeypatch.setattr(proof, "try_all", create_autospec(try_all, side_effect=tried))
    return results


@pytest.mark.parametrize(
    ("results", "holds"),
    [
        pytest.param([TrialResult.KILLED] * 3, True, id="all noticed"),
        pytest.param([TrialResult.KILLED, TrialResult.SURVIVED, TrialResult.KILLED], False, id="one not noticed"),
        pytest.param([TrialResult.KILLED] * 2, False, id="no time for one"),
    ],
)
def test_proof_holds_when_every_guard_is_noticed(
    answers: list[TrialResult], results: list[TrialResult], holds: bool
) -> None:
    answers += results
    advanced: list[int] = []

    [verdict] = proof.prove_guards(Effort(is_small=True, seed=7, advance=advanced.append, closing=ExitStack()))

    assert verdict.holds is holds
    assert advanced == list(range(1, len(results) + 1))
    assert ("not noticed:" in verdict.figures) is (TrialResult.SURVIVED in results)
    assert ("no time for 1" in verdict.figures) is (len(results) < 3)


def test_proof_says_so_when_the_tests_fail_without_any_change(
    answers: list[TrialResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "run_tests", create_autospec(run_tests, return_value=Outcome(False, True, "1 failed")))

    with pytest.raises(BaselineFails, match="1 failed"):
        proof.prove_guards(Effort(is_small=True, seed=7, advance=print, closing=ExitStack()))
