"""The guards as a proof: each is taken out in a copy of the repository, and its test has to fail."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from local.proofs.guards.requirement import Guard
from local.proofs.guards.requirements import GUARDS, REQUIREMENTS
from local.proofs.mutants.covering_tests import BaselineFails
from local.proofs.mutants.run import run_tests
from local.proofs.mutants.search import PROCESSES, try_all
from local.proofs.mutants.trial import Trial, TrialResult, copy_repository
from local.proofs.proof import LONGEST_S, Effort
from local.proofs.verdict import Verdict
from ops.repository import REPOSITORY

_SMALL_COUNT = 3
_TIME_FOR_THE_LAST_S = 60
_NO_EXCUSE = "REQUIRE_TERRAFORM"
"""The tests of Terraform fail under it where that is missing: a test that is skipped notices nothing."""


def prove_guards(effort: Effort) -> list[Verdict]:
    """Every guard, or three of them in the smallest size, which leaves Terraform alone."""
    among = [guard for guard in GUARDS if not (effort.is_small and _is_terraforms(guard))]
    chosen = Random(effort.seed).sample(among, effort.rounds(len(among), small=_SMALL_COUNT))
    done: list[Trial] = []

    def tell(trial: Trial) -> None:
        done.append(trial)
        effort.advance(len(done))

    trials = _tried(chosen, tell, until=time.monotonic() + effort.within_s(LONGEST_S - _TIME_FOR_THE_LAST_S))
    unnoticed = "; ".join(str(trial.mutant) for trial in trials if trial.result is TrialResult.SURVIVED)
    noticed = sum(trial.result is TrialResult.KILLED for trial in trials)
    return [
        Verdict(
            "guards",
            "The test of each guard of docs/security.md fails when that guard is taken out",
            f"{noticed} of {len(chosen)} noticed, of {len(REQUIREMENTS)} requirements"
            f"{f'; not noticed: {unnoticed}' if unnoticed else ''}"
            f"{f'; no time for {len(chosen) - len(trials)}' if len(trials) < len(chosen) else ''}",
            noticed == len(chosen),
        )
    ]


def _tried(chosen: Sequence[Guard], tell: Callable[[Trial], None], *, until: float) -> list[Trial]:
    """The trial of each guard. Errors: `BaselineFails` where a test fails while nothing is taken out."""
    with tempfile.TemporaryDirectory() as folder:
        roots = [copy_repository(REPOSITORY, Path(folder) / str(number)) for number in range(PROCESSES)]
        outcome = run_tests(
            roots[0], ["-n", str(PROCESSES), *sorted({guard.test for guard in chosen})], {_NO_EXCUSE: "1"}
        )
        if not outcome.has_passed:
            raise BaselineFails(f"The guards' tests do not pass although nothing is taken out.\n{outcome.said}")
        questions = [(guard.taken_out_of((roots[0] / guard.path).read_text()), [[guard.test]]) for guard in chosen]
        return try_all(roots, questions, tell, until=until)


def _is_terraforms(guard: Guard) -> bool:
    return guard.path.startswith("terraform/")
