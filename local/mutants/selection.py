"""Which mutants are tried, and which tests could notice each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from random import Random

from local.mutants.mutation import Mutant, mutants

MODULES: Mapping[str, str] = {
    "state": "include/state",
    "pipeline": "include/pipeline",
    "copying": "include/copying",
    "lake": "include/lake",
    "dags": "dags",
}
"""Where a broken line would lose, double or reveal something."""

_WIDER: Mapping[str, Sequence[str]] = {
    "include/state": ("tests/include/state", "tests/contract/test_store.py", "tests/include/pipeline"),
    "include/pipeline": ("tests/include/pipeline", "tests/local/crash_walk", "tests/upgrade"),
    "include/copying": ("tests/include/copying", "tests/include/pipeline"),
    "include/lake": ("tests/include/lake", "tests/contract", "tests/include/pipeline"),
    "dags": ("tests/dags",),
}
"""The tests that are asked when those of the module itself have noticed nothing."""


def sample(root: Path, folders: Collection[str], *, count: int, seed: int) -> list[Mutant]:
    """So many mutants of the sources in the folders, each as likely as the other; the same for the same seed."""
    sources = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    found = [each for path in sources for each in mutants(path.relative_to(root).as_posix(), path.read_text())]
    return Random(seed).sample(found, min(count, len(found)))


def witnesses(root: Path, path: str) -> list[list[str]]:
    """The tests to ask about a source, nearest first: those of its own name, then all that use it.

    Each list is asked only when those before it noticed nothing.
    """
    source = Path(path)
    folder = next(folder for folder in MODULES.values() if path.startswith(f"{folder}/"))
    stem = source.stem.removeprefix("strava_")
    own = sorted((root / "tests" / source.parent).rglob(f"test_{stem}*.py"))
    wider = [place for place in _WIDER[folder] if (root / place).exists()]
    return [group for group in ([path.relative_to(root).as_posix() for path in own], wider) if group]
