"""Which mutants are tried, and which tests could notice them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from random import Random

from local.proofs.mutants.mutation import Mutant, mutants

MODULES: Mapping[str, str] = {
    "store": "include/store",
    "state": "include/state",
    "pipeline": "include/pipeline",
    "copying": "include/copying",
    "lake": "include/lake",
    "dags": "dags",
}
"""The modules in which a broken line would lose, double or reveal data."""

_TESTS: Mapping[str, Sequence[str]] = {
    "store": ("tests/include/store", "tests/include/state", "tests/contract/store"),
    "state": ("tests/include/state", "tests/contract/store", "tests/include/linking", "tests/include/pipeline"),
    "pipeline": ("tests/include/pipeline", "tests/local/proofs/crash_walk", "tests/upgrade"),
    "copying": ("tests/include/copying", "tests/include/pipeline"),
    "lake": (
        "tests/include/lake",
        "tests/contract/s3_faults",
        "tests/contract/test_objects.py",
        "tests/contract/test_catalog.py",
        "tests/include/pipeline",
    ),
    "dags": ("tests/dags",),
}


def sample(root: Path, modules: Collection[str], *, count: int, seed: int) -> list[Mutant]:
    """`count` mutants of the modules' sources, all equally likely; the same seed gives the same ones."""
    sources = sorted(path for name in modules for path in (root / MODULES[name]).rglob("*.py"))
    found = [each for path in sources for each in mutants(path.relative_to(root).as_posix(), path.read_text())]
    return Random(seed).sample(found, min(count, len(found)))


def tests_of(root: Path, modules: Collection[str]) -> list[str]:
    """The folders and files whose tests could notice a mutant of the modules."""
    named = sorted({place for name in modules for place in _TESTS[name]})
    return [place for place in named if (root / place).exists()]


def own_tests(root: Path, path: str) -> list[str]:
    """The test files that are named after the source, or are in a folder named after it."""
    source = Path(path)
    stem = source.stem.removeprefix("strava_")
    folder = root / "tests" / source.parent
    found = {*folder.rglob(f"test_{stem}*.py"), *(folder / stem).rglob("test_*.py")}
    return [file.relative_to(root).as_posix() for file in sorted(found)]
