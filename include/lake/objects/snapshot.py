"""Snapshots of a local lake: hard links under names that no writer uses."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from include.lake.objects.files import READING

_OWNER = "owner"


@contextmanager
def snapshot(lake_root: Path, tables: Collection[str]) -> Iterator[Path]:
    """A directory with the tables' present objects, unchanged until the block ends.

    DuckDB opens a file once for its footer and again for its pages: if a writer replaced the object in between, DuckDB
    would read the new pages with the old footer. Under a name that no writer uses this cannot happen.

    Effects: hard links, no copies; the next reader removes the links of a reader that was killed.
    """
    if not lake_root.is_dir():
        yield lake_root
        return
    reading = lake_root / READING
    reading.mkdir(exist_ok=True)
    with _turn(reading):
        _sweep(reading)
        folder = Path(tempfile.mkdtemp(dir=reading))
        owner = (folder / _OWNER).open("ab")
        fcntl.flock(owner, fcntl.LOCK_EX)
    try:
        _link(lake_root, folder, tables)
        yield folder
    finally:
        with _turn(reading):
            shutil.rmtree(folder)
        owner.close()


@contextmanager
def _turn(reading: Path) -> Iterator[None]:
    """A lock for creating, removing and sweeping snapshots, so that an unfinished folder never counts as abandoned."""
    with (reading / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _link(lake_root: Path, folder: Path, tables: Collection[str]) -> None:
    for table in tables:
        for path in (lake_root / table).rglob("*.parquet"):
            name = folder / path.relative_to(lake_root)
            name.parent.mkdir(parents=True, exist_ok=True)
            _link_present(path, name)


def _link_present(path: Path, name: Path) -> None:
    """Link the file at the path; no effect if it was deleted since it was listed."""
    while path.exists():
        try:
            os.link(path, name)
        except FileNotFoundError:
            continue  # the object was replaced while it was being linked
        return


def _sweep(reading: Path) -> None:
    """Remove the snapshots of dead readers: a reader's lock ends with its process."""
    for folder in filter(Path.is_dir, reading.iterdir()):
        with (folder / _OWNER).open("ab") as owner:
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder)
