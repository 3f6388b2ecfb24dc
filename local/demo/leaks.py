"""Searches all files of the system for secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

KEEPERS = ("secrets.json", "token.key", "passwords.json", "simulator", "postgres")
"""Files whose purpose is to keep secrets; the simulator's, which knows every token as Strava does; and PostgreSQL's,
which change while they are read, and are searched as a dump instead, in `outside`."""


@dataclass(frozen=True, slots=True)
class LeakSearch:
    """The extent of the search, and the files with a secret in clear text."""

    secrets: int
    files: int
    outside: int
    """The number of rows, messages and old versions of objects that are in no file."""
    leaks: tuple[str, ...]


def search(root: Path, secrets: Iterable[str], outside: Mapping[str, bytes] | None = None) -> LeakSearch:
    """Search every file below `root`, including databases and logs, and the data `outside`, for every secret."""
    needles = sorted({secret.encode() for secret in secrets if len(secret) >= 8})
    outside = outside or {}
    files = list(_files(root))
    contents = chain(((str(path.relative_to(root)), path.read_bytes()) for path in files), outside.items())
    leaks = []
    for name, content in contents:
        found = sum(needle in content for needle in needles)
        if found:
            leaks.append(f"{name}: {found} of them")
    return LeakSearch(len(needles), len(files), len(outside), tuple(leaks))


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not any(part.startswith(KEEPERS) for part in path.relative_to(root).parts):
            yield path
