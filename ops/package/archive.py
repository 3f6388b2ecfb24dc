"""Reproducible archives: equal contents become equal bytes, whatever the machine's clock, umask or order of files."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Contents = Mapping[str, bytes]
"""Files by their path below a root, with forward slashes."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE_FILE = 0o100644


@dataclass(frozen=True, slots=True)
class Artefact:
    """One artefact that was built."""

    name: str
    size_bytes: int
    sha256: str
    """For a folder, the hash of its files' hashes in the format of `sha256sum`."""
    files: Mapping[str, int]
    """Its files, with sizes in bytes."""


def write_zip(folder: Path, name: str, contents: Contents) -> Artefact:
    """Write a zip. Effects: replaces `folder/name`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(contents):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE_FILE << 16
            archive.writestr(entry, contents[path], zipfile.ZIP_DEFLATED, compresslevel=9)
    return _write(folder, name, buffer.getvalue(), contents)


def write_file(folder: Path, name: str, content: bytes) -> Artefact:
    """Write a single file. Effects: replaces `folder/name`."""
    return _write(folder, name, content, {name: content})


def write_tree(folder: Path, name: str, contents: Contents) -> Artefact:
    """Write files below `folder/name`, each under its own path. Effects: replaces those files, deletes none."""
    for path, content in contents.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    sums = "".join(f"{_sum(contents[path])}  {path}\n" for path in sorted(contents))
    return Artefact(f"{name}/", sum(map(len, contents.values())), _sum(sums.encode()), _sizes(contents))


def _write(folder: Path, name: str, content: bytes, contents: Contents) -> Artefact:
    (folder / name).write_bytes(content)
    return Artefact(name, len(content), _sum(content), _sizes(contents))


def _sizes(contents: Contents) -> dict[str, int]:
    return {path: len(contents[path]) for path in sorted(contents)}


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
