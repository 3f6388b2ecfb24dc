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
    """A directory with copies of the tables' objects as they are now; of one athlete's alone, if one is named.

    Shape: the lake's keys as paths. The objects of `copies` hold several athletes and always come whole.
    Errors: those of the object store. Effects: the copies are gone when the block ends.
    """
    with tempfile.TemporaryDirectory() as folder:
        for table in tables:
            is_by_athlete = athlete_id is not None and "athlete_id" in PARTITION_KEYS[table]
            for key in objects.list(f"{table}/athlete_id={athlete_id}/" if is_by_athlete else f"{table}/"):
                stored = objects.get(key)
                if stored is not None:  # nothing where it was deleted since it was listed
                    path = Path(folder, key)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(stored.body)
        yield Path(folder)
