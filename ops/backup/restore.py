"""Restores a backup: checks all of it, prepares its files in a folder, then moves them in steps that can be repeated.

A backup is older than Strava's state: tokens that were renewed after it are invalid, and athletes may have been erased
or have ended links. If the replaced state can be read, these decisions are copied from it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from include.clock import Clock
from include.errors import BadRequest, SettingsError
from include.lake.keys import athlete_prefixes
from ops.backup import decisions
from ops.backup.decisions import Decisions, TakenOver
from ops.backup.manifest import FILE, KEY, LAKE, PRIVATE, STATE, Manifest, copy, read, record_of, with_progress
from ops.machine.state_dir import StateDir

_PREPARED = "prepared"
"""The folder of a restore that has replaced nothing yet, or everything."""
_ASIDE = "aside"
"""The note in the folder of a restore that says where the replaced files go."""
_TAKEN_OVER = "taken-over.json"
"""The note that says which decisions are in its state; absent where they are not known."""
_OWNER = "strava"
_MOVED = (STATE, f"{STATE}-wal", f"{STATE}-shm", *PRIVATE, LAKE)
_MADE_ANEW = ("airflow", "catalog.duckdb")
"""Both are created anew: Airflow's runs belong to the replaced state, and would count as runs of the restored one."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore, or of its dry run."""

    manifest: Manifest
    taken_over: TakenOver | None
    """The decisions copied from the replaced state; None where there was none, or it could not be read."""
    aside: Path | None
    """Where the replaced files are."""


def check(folder: Path) -> Manifest:
    """The manifest, if every file of the backup is there, unchanged. Errors: `BadRequest` names one that is not."""
    manifest = read(folder)
    for name in with_progress(list(manifest.files), "Checking the backup"):
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadRequest(f"{folder} names a file outside of itself, {name}: nothing was restored.")
        if not path.is_file() or record_of(path) != manifest.files[name]:
            raise BadRequest(f"{path} is missing or has changed since the backup: nothing was restored.")
    return manifest


def restore(place: StateDir, folder: Path, *, over: bool, clock: Clock, dry_run: bool = False) -> Restored:
    """Restore the backup in `folder` into `place`; nothing changes before all of it is checked and prepared.

    Errors: `SettingsError` while a system runs there; `BadRequest` for an incomplete backup, for one of another Strava,
    while the restore of another backup is interrupted, and without `over` where a system exists.
    Effects: moves replaced files to a new folder beside the directory; after an interruption the next call continues.
    """
    if dry_run and not place.root.exists():
        return Restored(check(folder), None, None)
    with place.hold(restores=True):
        manifest = check(folder)
        if place.restoring.exists():
            taken_over = _begun(place, manifest)
            return Restored(manifest, taken_over, None if dry_run else _move(place))
        _refuse(place, manifest, over=over or dry_run)
        prepared = place.root / _PREPARED
        shutil.rmtree(prepared, ignore_errors=True)
        prepared.mkdir(mode=0o700)
        for name in (STATE, *(name for name in PRIVATE if name in manifest.files)):
            copy(folder / name, prepared / name)
        _keep_later_keys(place.root / KEY, prepared / KEY)
        decided = _decisions(place, prepared, folder, clock)
        taken_over = None if decided is None else decided.counted
        if dry_run:
            shutil.rmtree(prepared)
            return Restored(manifest, taken_over, None)
        _lake(place, folder, prepared, manifest, decided or Decisions())
        decisions.apply(decided or Decisions(), prepared / STATE, clock)
        if taken_over is not None:
            (prepared / _TAKEN_OVER).write_text(json.dumps(asdict(taken_over)))
        shutil.copyfile(folder / FILE, prepared / FILE)
        (prepared / _OWNER).write_text(f"{manifest.strava}\n")
        aside = place.root.with_name(f"{place.root.name}.before-{datetime.fromtimestamp(clock(), UTC):%Y%m%dT%H%M%SZ}")
        (prepared / _ASIDE).write_text(str(aside))
        prepared.rename(place.restoring)  # from here on the restore is only finished, never undone
        return Restored(manifest, taken_over, _move(place))


def _begun(place: StateDir, manifest: Manifest) -> TakenOver | None:
    """What an interrupted restore of this backup had taken over. Errors: `BadRequest` where it was of another one."""
    if (place.restoring / FILE).exists() and (begun := read(place.restoring)) != manifest:
        raise BadRequest(
            f"A restore into {place.root} of another backup, as of {begun.taken_at}, was interrupted: run `make "
            "restore` with that one first, which ends it; then restore this one."
        )
    note = place.restoring / _TAKEN_OVER
    return TakenOver.from_json(json.loads(note.read_text())) if note.exists() else None


def _refuse(place: StateDir, manifest: Manifest, *, over: bool) -> None:
    """Check that the backup may be restored into `place`. Errors: `BadRequest`."""
    owner = place.root / _OWNER
    if owner.exists() and owner.read_text().strip() != manifest.strava:
        raise BadRequest(
            f"{place.root} is of the {owner.read_text().strip()}, the backup of the {manifest.strava}: set STATE_DIR "
            "to another directory."
        )
    if (place.database.exists() or place.lake.exists()) and not over:
        raise BadRequest(
            f"{place.root} holds a system. Say ARGS=--over to replace it: what is there is moved aside, not deleted, "
            "and erasures and links decided since the backup are taken over from it. ARGS=--dry-run tells which."
        )


def _decisions(place: StateDir, prepared: Path, folder: Path, clock: Clock) -> Decisions | None:
    if not place.database.exists():
        return None
    try:
        return decisions.since(prepared / STATE, folder / LAKE, place.database, place.lake, clock)
    except SettingsError:
        return None  # it is damaged, which may be why a backup is restored


def _keep_later_keys(later: Path, prepared: Path) -> None:
    """Take the key file that stands where it has every key of the backup's: rows sealed since then need its new ones.

    A key file that is lost or damaged, which may be why a backup is restored, gives way to the backup's.
    """
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        keys = [json.loads(path.read_bytes())["keys"].items() for path in (prepared, later)]
        if keys[0] < keys[1]:
            prepared.unlink()
            copy(later, prepared)


def _lake(place: StateDir, folder: Path, prepared: Path, manifest: Manifest, taken_over: Decisions) -> None:
    """Copy the lake, without the objects of athletes who were erased after the backup, and add their certificates."""
    gone = tuple(f"{LAKE}/{prefix}" for one in taken_over.erased for prefix in athlete_prefixes(one))
    (prepared / LAKE).mkdir(mode=0o700)
    for name in with_progress([name for name in manifest.files if name.startswith(f"{LAKE}/")], "Copying the lake"):
        if not name.startswith(gone):
            copy(folder / name, prepared / name)
    for key in taken_over.certificates:
        copy(place.lake / key, prepared / LAKE / key)


def _move(place: StateDir) -> Path | None:
    """Move replaced files aside and prepared ones to their places; the state comes last, and completes the restore."""
    prepared = place.restoring
    aside = Path((prepared / _ASIDE).read_text())
    for name in _MADE_ANEW:
        _set_aside(place.root / name, aside)
    for name in (LAKE, *PRIVATE, _OWNER, STATE):
        if (prepared / name).exists():
            for replaced in _belonging(name):
                _set_aside(place.root / replaced, aside)
            (prepared / name).rename(place.root / name)
    place.airflow.mkdir(mode=0o700, exist_ok=True)
    done = prepared.rename(place.root / _PREPARED)  # at once: half a folder of notes could not be finished
    shutil.rmtree(done)
    return aside if aside.exists() else None


def _belonging(name: str) -> Sequence[str]:
    return [moved for moved in (*_MOVED, _OWNER) if moved == name or moved.startswith(f"{name}-")]


def _set_aside(path: Path, aside: Path) -> None:
    is_empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not is_empty and not (aside / path.name).exists():
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside / path.name)
