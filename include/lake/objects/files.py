"""The lake's objects as local files."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.errors import ObjectConflict, RetryLater
from include.lake.keys import check_key
from include.lake.objects.objects import Condition, StoredObject

READING = ".reading"
"""The folder of readers' snapshots."""
_WRITING = ".writing"
_REFUSED_BY_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class FileObjects:
    """Objects as files in one directory, safe for any number of processes and threads.

    A write goes to a temporary file that is renamed over the object, so a reader opens the old or the new bytes.
    The etag is the SHA-256 of the content: it is not stored, and is right after a crash or a copy of the directory.
    Writers of one key take turns on one of 256 lock files, which also name the temporary files: the next writer
    overwrites the remains of a crash, so nothing accumulates.
    Directories are made as needed and stay when they become empty, until `prune`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, key: str) -> StoredObject | None:
        """The object, or None where there is none."""
        body = self._read(self._path(key))
        return None if body is None else StoredObject(key=key, body=body, etag=_etag(body))

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        """Write if the present etag is `expected` (or absent, or anything); returns the new etag.

        Errors: `ObjectConflict` when it is not; read again and decide again.
        Effects: the bytes are on the disk when this returns. A full disk raises `RetryLater`; the old bytes stay.
        """
        path = self._path(key)
        with _refusal_means_later(path), self._turn(key) as temporary:
            self._check(path, key, expected)
            with temporary.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            _move(temporary, path)
            _sync_directory(path.parent)
        return _etag(body)

    def delete(self, key: str, *, expected: str | Condition) -> None:
        """Remove under the same condition; an absent object is no conflict with `ANYTHING`, but is one with an etag."""
        path = self._path(key)
        with self._turn(key):
            self._check(path, key, expected)
            if path.is_file():
                path.unlink()
                _sync_directory(path.parent)

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that start with `prefix`, sorted."""
        start = self._root.joinpath(*(check_key(prefix.rpartition("/")[0]).split("/") if "/" in prefix else ()))
        keys: list[str] = []
        for directory, subdirectories, names in os.walk(start):
            if Path(directory) == self._root:
                subdirectories[:] = [name for name in subdirectories if name not in {READING, _WRITING}]
            keys.extend((Path(directory) / name).relative_to(self._root).as_posix() for name in names)
        return iter(sorted(key for key in keys if key.startswith(prefix)))

    def prune(self, prefix: str) -> None:
        """Remove the empty directories below the prefix, and its own; directories that hold an object stay."""
        for directory, _, _ in os.walk(self._path(prefix.removesuffix("/")), topdown=False):
            try:
                Path(directory).rmdir()
            except OSError as err:
                if err.errno not in {errno.ENOTEMPTY, errno.ENOENT}:
                    raise

    def url(self, key: str) -> str:
        """The absolute path of the object's file."""
        return str(self._path(key))

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*check_key(key).split("/"))

    @staticmethod
    def _read(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def _check(self, path: Path, key: str, expected: str | Condition) -> None:
        if expected is Condition.ANYTHING:
            return
        body = self._read(path)
        present = Condition.ABSENT if body is None else _etag(body)
        if present != expected:
            raise ObjectConflict(f"{key} was changed by another writer: read it again and decide again")

    @contextmanager
    def _turn(self, key: str) -> Iterator[Path]:
        """Wait for the exclusive right to write `key`; yields its temporary file."""
        directory = self._root / _WRITING
        directory.mkdir(parents=True, exist_ok=True)
        stripe = hashlib.sha256(key.encode()).hexdigest()[:2]
        with (directory / f"{stripe}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file closes, also by a crash
            yield directory / f"{stripe}.tmp"


@contextmanager
def _refusal_means_later(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        if err.errno not in _REFUSED_BY_DISK:
            raise
        raise RetryLater(
            f"{path} cannot be written ({err.strerror}): free some space or make it writable, then try again"
        ) from err


def _etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _move(source: Path, target: Path) -> None:
    """Rename the file, and create its directory: an empty directory may be pruned at any moment."""
    while True:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
        except FileNotFoundError:
            continue
        return


def _sync_directory(directory: Path) -> None:
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except FileNotFoundError:
        return  # it was emptied and pruned meanwhile
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
