"""Takes a backup beside a running system: the state first, then the keys, then the lake.

So the lake and the keys of a backup are never older than its state: what the ledgers name is there, and what the lake
holds beyond them is fetched again and rewrites the same rows. Objects of the lake are whole at every moment.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from include.clock import Clock
from include.errors import BadRequest
from include.lake.objects.files import FileObjects
from ops.backup.manifest import LAKE, PRIVATE, STATE, FileRecord, Manifest, copy, record_of, with_progress, write
from ops.machine.state_dir import StateDir


def take(place: StateDir, folder: Path, version: str, clock: Clock) -> Manifest:
    """Copy state, keys and lake of the system in `place` into `folder`, which is new or empty; the system may run.

    Errors: `BadRequest` if there is no state, or something in `folder` already; `OSError` when the disk refuses.
    Effects: an interrupted backup has no manifest, and `restore` refuses it.
    """
    if not place.database.exists():
        raise BadRequest(f"There is no state in {place.root}: start the system once with `make up`, then back it up.")
    if folder.exists() and any(folder.iterdir()):
        raise BadRequest(f"{folder} is not empty: name a new folder with TO=, one for each backup.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    taken_at_epoch_s = int(clock())
    files = {STATE: _state(place.database, folder / STATE)}
    files |= {name: copy(place.root / name, folder / name) for name in PRIVATE if (place.root / name).exists()}
    files |= _lake(place.lake, folder)
    manifest = Manifest(taken_at_epoch_s, version, (place.root / "strava").read_text().strip(), files)
    write(folder, manifest)
    return manifest


def _state(source: Path, target: Path) -> FileRecord:
    """A consistent snapshot of the database, which other processes may write meanwhile."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(source)) as state, closing(sqlite3.connect(target)) as snapshot:
        state.backup(snapshot)  # in one step: what one reader sees, which stops no writer
        snapshot.execute("PRAGMA journal_mode = DELETE")
        [[answer]] = snapshot.execute("PRAGMA quick_check(1)").fetchall()
        if answer != "ok":
            raise BadRequest(f"{source} is damaged ({answer}): no backup was taken; restore an earlier one.")
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return record_of(target)


def _lake(lake: Path, folder: Path) -> dict[str, FileRecord]:
    found: dict[str, FileRecord] = {}
    for key in with_progress(list(FileObjects(lake).list("")), "Copying the lake"):
        try:
            found[f"{LAKE}/{key}"] = copy(lake / key, folder / LAKE / key)
        except FileNotFoundError:
            continue  # removed since the list was made, by an erasure for example
    return found
