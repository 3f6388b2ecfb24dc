"""Maps each line to the tests that run it: only they can notice that it is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from coverage import CoverageData

from include.errors import IngestError
from local.proofs.mutants.mutation import Mutant
from local.proofs.mutants.run import run_tests
from local.proofs.mutants.selection import own_tests

FIRST = 40
"""The number of tests that are run first: they kill most mutants."""

MOST = 250
"""The most tests for one mutant: those of its source first, then of its folder, then those that run fewer lines."""

_DAGS = "dags"
"""The folder whose code runs in a process of Airflow, where coverage is not measured: all tests of DAGs are run."""

_RECORD = ".coverage"


class BaselineFails(IngestError):
    """A test fails although no line is broken: then it says nothing about a broken one."""


class CoveringTests:
    """The tests to run for each mutant."""

    def __init__(self, root: Path, lines: CoverageData) -> None:
        self._root = root
        self._lines = lines
        self._breadth: Counter[str] = Counter()
        for path in lines.measured_files():
            for tests in lines.contexts_by_lineno(path).values():
                self._breadth.update(tests)

    @classmethod
    def of_whole_code(cls, root: Path, tests: Sequence[str], *, processes: int) -> CoveringTests:
        """Run the tests in the copy at `root`, in which no line is broken, and record which lines each runs.

        Errors: `BaselineFails` where one fails, with the end of what pytest said.
        """
        record = root / _RECORD
        options = ["--cov=include", "--cov-context=test", "--cov-report=", "-n", str(processes)]
        outcome = run_tests(root, [*options, *tests], environment={"COVERAGE_FILE": str(record)})
        if not outcome.has_passed:
            raise BaselineFails(f"The tests do not pass although no line is broken.\n{outcome.said}")
        lines = CoverageData(str(record))
        lines.read()
        return cls(root, lines)

    def about(self, mutant: Mutant) -> list[list[str]]:
        """Groups of tests, nearest first; each runs only if those before it noticed nothing.

        A line that runs when its module is imported belongs to no single test: all of the source's tests run, and all
        that run any line of the source.
        """
        own = own_tests(self._root, mutant.path)
        folder = f"tests/{Path(mutant.path).parent.as_posix()}/"
        if mutant.path.startswith(f"{_DAGS}/"):
            return [group for group in (own, [f"tests/{_DAGS}"]) if group]
        contexts = self._lines.contexts_by_lineno(str(self._root / mutant.path))
        through = {test for line in mutant.lines for test in contexts.get(line, ()) if test}
        if not through:
            everywhere = {test for tests in contexts.values() for test in tests if test}
            return [group for group in (own, self._nearest(everywhere, own, folder)) if group]
        names = self._nearest(through, own, folder)
        return [group for group in (names[:FIRST], names[FIRST:]) if group]

    def _nearest(self, tests: Collection[str], own: Collection[str], folder: str) -> list[str]:
        near = sorted(tests, key=lambda test: (_distance(test, own, folder), self._breadth[test], test))
        return list(dict.fromkeys(test.rpartition("|")[0] for test in near))[:MOST]


def _distance(test: str, own: Collection[str], folder: str) -> int:
    """0 for a test of the source itself, 1 for one of its folder, 2 for any other."""
    path = test.split("::", maxsplit=1)[0]
    return 0 if path in own else 1 if path.startswith(folder) else 2
