"""A search for broken lines that no test notices: draws mutants, and tries them in copies of the repository."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from local.proofs.mutants.covering_tests import CoveringTests
from local.proofs.mutants.mutation import Mutant
from local.proofs.mutants.selection import own_tests, sample, tests_of
from local.proofs.mutants.trial import Trial, TrialResult, copy_repository, try_mutant
from ops.repository import REPOSITORY

PROCESSES = 2

Question = tuple[Mutant, list[list[str]]]
"""A mutant, and the groups of tests to run for it."""


@dataclass(frozen=True, slots=True)
class Search:
    """Which mutants to try, against which tests, and for how long."""

    modules: Collection[str]
    count: int
    seed: int
    longest_s: float
    """No mutant is started after this time."""
    asks_own_tests_only: bool = False
    """Whether only the tests run that are named after the broken source."""


def search(wanted: Search, tell: Callable[[Trial], None]) -> list[Trial]:
    """The trial of each mutant, in the order of the draw; mutants for which no time was left are missing.

    Each is passed to `tell` as soon as it is known.
    Errors: `BaselineFails` where a test fails although no line is broken.
    """
    until = time.monotonic() + wanted.longest_s
    drawn = sample(REPOSITORY, wanted.modules, count=wanted.count, seed=wanted.seed)
    tests = tests_of(REPOSITORY, wanted.modules)
    if wanted.asks_own_tests_only:
        tests = sorted({test for mutant in drawn for test in own_tests(REPOSITORY, mutant.path)}) or tests
    with tempfile.TemporaryDirectory() as folder:
        roots = [copy_repository(REPOSITORY, Path(folder) / str(number)) for number in range(PROCESSES)]
        covering_tests = CoveringTests.of_whole_code(roots[0], tests, processes=PROCESSES)
        return try_all(roots, [(mutant, covering_tests.about(mutant)) for mutant in drawn], tell, until=until)


def try_all(
    roots: Sequence[Path], questions: Sequence[Question], tell: Callable[[Trial], None], *, until: float
) -> list[Trial]:
    """The trial of each mutant in the order of the questions, one at a time in each copy of the repository.

    Mutants for which no time was left are missing.
    """
    free: SimpleQueue[Path] = SimpleQueue()
    for root in roots:
        free.put(root)

    def tried(question: Question) -> Trial | None:
        if time.monotonic() > until:
            return None
        root = free.get()
        try:
            trial = try_mutant(root, *question)
        finally:
            free.put(root)
        tell(trial)
        return trial

    with ThreadPoolExecutor(len(roots)) as pool:
        return [trial for trial in pool.map(tried, questions) if trial is not None]


def killed_share(trials: Sequence[Trial]) -> float:
    """The share of them that the tests noticed, from 0 to 1; 0 where there are none."""
    return sum(trial.result is TrialResult.KILLED for trial in trials) / max(len(trials), 1)
