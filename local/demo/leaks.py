"""Looks for secrets in everything that the system left on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

KEEPERS = ("secrets.json", "token.key", "passwords.json", "simulator")
"""Files whose purpose is to keep secrets, and the simulator, which plays Strava and knows every token."""


@dataclass(frozen=True, slots=True)
class LeakSearch:
    """How much was searched, and which files hold a secret in clear text."""

    secrets: int
    files: int
    leaks: tuple[str, ...]


def search(root: Path, secrets: Iterable[str]) -> LeakSearch:
    """Search every file below `root`, databases and logs included, for every secret."""
    needles = sorted({secret.encode() for secret in secrets if len(secret) >= 8})
    files = list(_files(root))
    leaks = []
    for path in files:
        content = path.read_bytes()
        found = sum(needle in content for needle in needles)
        if found:
            leaks.append(f"{path.relative_to(root)}: {found} of them")
    return LeakSearch(len(needles), len(files), tuple(leaks))


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not any(part.startswith(KEEPERS) for part in path.relative_to(root).parts):
            yield path
