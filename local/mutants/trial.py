"""Tries mutants in a copy of the repository, so that the one that is worked in stays whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local.mutants.mutation import Mutant
from local.mutants.selection import witnesses

PATIENCE_S = 600
"""A mutant whose tests take longer has made something endless, and counts as killed."""

_NOTHING_TO_RUN = 5


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant, and what became of it."""

    mutant: Mutant
    fate: Fate


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


def try_mutant(root: Path, mutant: Mutant) -> Trial:
    """Break the line in the copy at `root`, run the tests that could notice, and mend it again."""
    path = root / mutant.path
    whole = path.read_text()
    path.write_text(mutant.applied(whole))
    try:
        noticed = any(_fail(root, tests) for tests in witnesses(root, mutant.path))
    finally:
        path.write_text(whole)
    return Trial(mutant, Fate.KILLED if noticed else Fate.SURVIVED)


def _fail(root: Path, tests: Iterable[str]) -> bool:
    """Whether one of the tests fails, or does not end."""
    options = ["-x", "-q", "--no-header", "--tb=no", "-m", "not slow", "-p", "no:cacheprovider"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, "--basetemp", str(root / ".mutants"), *tests],
        cwd=root,
        # Two mutants of one second and one size share what Python would take for the same bytecode.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(PATIENCE_S) not in (0, _NOTHING_TO_RUN)
    except subprocess.TimeoutExpired:
        return True
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
