"""Tries mutants in a copy of the repository, so that the working tree stays intact."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local.proofs.mutants.mutation import Mutant
from local.proofs.mutants.run import run_tests


class TrialResult(StrEnum):
    """The result of one trial."""

    KILLED = "killed"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant and its result."""

    mutant: Mutant
    result: TrialResult


def copy_repository(source: Path, place: Path) -> Path:
    """A copy of everything that git knows or would add, with the same environment; returns its root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=source,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (source / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, place / name)
    (place / ".venv").symlink_to(source / ".venv")
    return place


def try_mutant(root: Path, mutant: Mutant, groups: Iterable[Sequence[str]]) -> Trial:
    """Break the line in the copy at `root`, run one group of tests after the other, and mend the line again.

    The tests have to pass while nothing is broken.
    """
    path = root / mutant.path
    whole = path.read_text()
    path.write_text(mutant.applied(whole))
    try:
        is_noticed = any(run_tests(root, tests).has_failed for tests in groups)
    finally:
        path.write_text(whole)
    return Trial(mutant, TrialResult.KILLED if is_noticed else TrialResult.SURVIVED)
