"""A search tries every mutant that is drawn, and a proof says how many were noticed."""

from __future__ import annotations

import time
from contextlib import ExitStack
from unittest.mock import create_autospec

import pytest

from local.proofs.mutants import proof
from local.proofs.mutants import search as searching
from local.proofs.mutants.mutation import Mutant
from local.proofs.mutants.search import Search, killed_share, search, try_all
from local.proofs.mutants.trial import Trial, TrialResult
from local.proofs.proof import LONGEST_S, Effort

KILLED, SURVIVED = (Trial(Mutant("include/state/age.py", 3, 0, 1, "a", result), result) for result in TrialResult)


def test_search_tells_the_result_of_every_mutant(repository, write_test, monkeypatch):
    write_test(test_age="assert is_old(9) and not is_old(7)")
    (repository / "include/state/age.py").write_text(
        "LIMIT = 7\n\ndef is_old(days):\n    return days > LIMIT\n\ndef is_new(days):\n    ...\n"
    )
    monkeypatch.setattr(searching, "REPOSITORY", repository)
    told = []

    trials = search(Search(["state"], count=100, seed=7, longest_s=600), told.append)

    assert sorted(map(str, told)) == sorted(map(str, trials))
    assert {trial.mutant.after: trial.result for trial in trials} == {
        "8": TrialResult.SURVIVED,
        "None": TrialResult.KILLED,
        "days >= LIMIT": TrialResult.KILLED,
    }


def test_no_mutant_is_tried_after_the_time_is_over(tmp_path):
    assert try_all([tmp_path], [(KILLED.mutant, [["tests"]])], pytest.fail, until=time.monotonic() - 1) == []


@pytest.mark.parametrize(
    ("trials", "share"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([KILLED], 1, id="one"),
        pytest.param([KILLED, SURVIVED, KILLED, KILLED], 0.75, id="some"),
    ],
)
def test_share_is_what_the_tests_noticed(trials, share):
    assert killed_share(trials) == share


@pytest.mark.parametrize(
    ("is_small", "killed", "holds"),
    [
        pytest.param(False, 92, True, id="at the bound"),
        pytest.param(False, 91, False, id="below it"),
        pytest.param(True, 15, True, id="small"),
        pytest.param(True, 14, False, id="small and below it"),
    ],
)
def test_proof_holds_when_the_tests_notice_enough(monkeypatch, is_small, killed, holds):
    asked = create_autospec(search, return_value=[KILLED] * killed + [SURVIVED] * (100 - killed))
    monkeypatch.setattr(proof, "search", asked)

    [verdict] = proof.state(Effort(is_small, seed=7, advance=print, closing=ExitStack()))

    assert verdict.holds is holds
    assert f"{killed}% of 100 noticed" in verdict.figures
    assert str(SURVIVED.mutant) in verdict.figures
    [wanted] = [call.args[0] for call in asked.call_args_list]
    assert (wanted.modules, wanted.seed, wanted.asks_own_tests_only) == (("store", "state"), 7, is_small)
    assert wanted.longest_s < LONGEST_S


def test_proof_tells_how_many_are_done(monkeypatch):
    def two(wanted, tell):
        tell(KILLED)
        tell(SURVIVED)
        return [KILLED, SURVIVED]

    advanced = []
    monkeypatch.setattr(proof, "search", create_autospec(search, side_effect=two))
    proof.dags(Effort(is_small=True, seed=7, advance=advanced.append, closing=ExitStack()))

    assert advanced == [1, 2]
