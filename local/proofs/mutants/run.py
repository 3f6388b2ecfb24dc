"""Runs pytest in a copy of the repository, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 3600
"""After this time the tests have no result. A test that hangs fails long before, by its own time limit."""

_NOTHING_TO_RUN = 5
_SAID_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of pytest; both flags are false where it did not finish in time."""

    has_passed: bool
    has_failed: bool
    said: str
    """The end of what it printed."""


def run_tests(root: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Outcome:
    """Run the tests that the arguments name, except slow ones, until the first failure."""
    options = ["-x", "-q", "--no-header", "--tb=line", "-m", "not slow", "-p", "no:cacheprovider"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, "--basetemp", str(root / ".mutants"), *arguments],
        cwd=root,
        # Python would reuse the bytecode of another mutant that was written in the same second and has the same size.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return Outcome(False, False, f"The tests were not through after {PATIENCE_S} s.")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    has_passed = process.returncode in (0, _NOTHING_TO_RUN)
    return Outcome(has_passed, not has_passed, said[-_SAID_CHARACTERS:])
