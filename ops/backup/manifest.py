"""The manifest of a backup. It is written last, so a folder that has one is complete."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import track

from include.errors import BadRequest

FILE = "manifest.json"
FORMAT = 1
STATE, LAKE = "state.sqlite", "lake"
KEY = "token.key"
PRIVATE = (KEY, "secrets.json")
"""The files with keys and secrets."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The hash and size of one file of a backup."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of a backup; `files` are by their paths in its folder."""

    taken_at_epoch_s: int
    """When the state was copied: later changes are not in it."""
    version: str
    strava: str
    """Whether the athletes are those of the simulated or of the real Strava."""
    files: Mapping[str, FileRecord]

    @property
    def taken_at(self) -> str:
        """When the state was copied, in words."""
        return f"{datetime.fromtimestamp(self.taken_at_epoch_s, UTC):%Y-%m-%d %H:%M:%S} UTC"

    @property
    def megabytes(self) -> float:
        """The size of all files."""
        return sum(kept.bytes for kept in self.files.values()) / 1e6


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest in one step, after everything else is on the disk."""
    draft = folder / f"{FILE}.draft"
    with draft.open("w") as file:
        json.dump({"format": FORMAT, **asdict(manifest)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def read(folder: Path) -> Manifest:
    """The manifest of the backup in `folder`. Errors: `BadRequest` unless it is complete and of this format."""
    try:
        document = json.loads((folder / FILE).read_text())
        if document["format"] != FORMAT:
            raise BadRequest(f"{folder} is a backup of format {document['format']}, and this version reads {FORMAT}.")
        files = {name: FileRecord(**kept) for name, kept in document["files"].items()}
        return Manifest(int(document["taken_at_epoch_s"]), str(document["version"]), str(document["strava"]), files)
    except FileNotFoundError:
        raise BadRequest(
            f"{folder} holds no whole backup: it has no {FILE}, which `make backup` writes last. Take another one."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise BadRequest(f"{folder / FILE} cannot be read ({err}): take another backup.") from err


def copy(source: Path, target: Path, mode: int = 0o600) -> FileRecord:
    """Copy a file to a new one, readable by its owner alone, and onto the disk. Errors: `OSError`."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with source.open("rb") as old, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as new:
        while chunk := old.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
            new.write(chunk)
        new.flush()
        os.fsync(new.fileno())
    return FileRecord(digest.hexdigest(), size)


def with_progress(names: Collection[str], what: str) -> Iterable[str]:
    """The names; while they are read, standard error shows a progress bar if it is a terminal."""
    return track(names, what, console=Console(stderr=True), transient=True)


def record_of(path: Path) -> FileRecord:
    """The record of the file as it is now. Errors: `OSError`."""
    with path.open("rb") as file:
        return FileRecord(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
