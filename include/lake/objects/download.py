"""Local copies of the objects of a remote lake."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from include.lake.objects.objects import ObjectStore
from include.lake.schemas import PARTITION_KEYS


@contextmanager
def downloaded(objects: ObjectStore, tables: Collection[str], athlete_id: int | None) -> Iterator[Path]:
    """A directory with copies of the tables' present objects; only those of `athlete_id`, if given.

    Shape: paths are the lake's keys. Objects of `copies` hold rows of several athletes and are always copied.
    Errors: those of the object store. Effects: the directory is removed when the block ends.
    """
    with tempfile.TemporaryDirectory() as folder:
        for table in tables:
            is_by_athlete = athlete_id is not None and "athlete_id" in PARTITION_KEYS[table]
            for key in objects.list(f"{table}/athlete_id={athlete_id}/" if is_by_athlete else f"{table}/"):
                stored = objects.get(key)
                if stored is not None:  # None if it was deleted since it was listed
                    path = Path(folder, key)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(stored.body)
        yield Path(folder)
