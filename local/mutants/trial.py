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

from include.errors import IngestError
from local.mutants.mutation import Mutant
from local.mutants.selection import witnesses

PATIENCE_S = 600
"""A mutant whose tests take longer has made something endless, and counts as killed."""

_NOTHING_TO_RUN = 5


class BaselineFails(IngestError):
    """A test fails without any mutant: it can tell nothing about one."""


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


def try_mutant(root: Path, mutant: Mutant, sound: set[str]) -> Trial:
    """Break the line in the copy at `root`, run the tests that could notice, and mend it again.

    `sound` are the tests that are known to pass while nothing is broken; more are added as they are asked.
    Errors: `BaselineFails` where the tests that noticed something fail without it too.
    """
    path = root / mutant.path
    whole = path.read_text()
    path.write_text(mutant.applied(whole))
    try:
        noticed_by = next((tests for tests in witnesses(root, mutant.path) if _fail(root, tests)), None)
    finally:
        path.write_text(whole)
    if noticed_by is None:
        return Trial(mutant, Fate.SURVIVED)
    if not sound >= {*noticed_by}:
        if _fail(root, noticed_by):
            raise BaselineFails(f"These fail although no line is broken; mend them first: {' '.join(noticed_by)}")
        sound.update(noticed_by)
    return Trial(mutant, Fate.KILLED)


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
