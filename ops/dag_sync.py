"""Synchronises the dags folder of MWAA's bucket with a local folder."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from include.errors import SettingsError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX = "dags/"
FIRST = "include/"
"""MWAA copies objects one by one: modules that DAG files import must be uploaded before them and deleted after them."""

OTHERS = frozenset({"constraints-3.3.1.txt"})
"""A file that Terraform keeps in that folder, because the environment's first start needs it."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The result of a sync."""

    uploaded: int
    unchanged: int
    deleted: int


def sync_dags(client: S3Client, bucket: str, folder: Path) -> SyncReport:
    """Make `dags/` of the bucket hold the files of `folder`; `client` is boto3's for S3.

    Effects: uploads files whose SHA-256 differs, code before DAG files, then deletes removed files; safe to repeat.
    Errors: `SettingsError` for a folder without DAGs, so that a missing build empties nothing.
    """
    files = dict(_files(folder))
    if not any(name.endswith(".py") and "/" not in name for name in files):
        raise SettingsError(f"{folder} contains no DAG files: run make package first")
    present = set(_names(client, bucket))
    changed = [name for name in sorted(files, key=_order) if not _is_same(client, bucket, name, files[name], present)]
    for name in changed:
        client.put_object(
            Bucket=bucket, Key=f"{PREFIX}{name}", Body=files[name].read_bytes(), ChecksumAlgorithm="SHA256"
        )
    gone = sorted(present - files.keys(), key=_order, reverse=True)
    for name in gone:
        client.delete_object(Bucket=bucket, Key=f"{PREFIX}{name}")
    return SyncReport(len(changed), len(files) - len(changed), len(gone))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and "__pycache__" not in path.parts and name not in OTHERS:
            yield name, path


def _names(client: S3Client, bucket: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        names = (entry["Key"].removeprefix(PREFIX) for entry in page.get("Contents", ()))
        yield from (name for name in names if name and not name.endswith("/") and name not in OTHERS)


def _order(name: str) -> tuple[bool, str]:
    return not name.startswith(FIRST), name


def _is_same(client: S3Client, bucket: str, name: str, path: Path, present: set[str]) -> bool:
    if name not in present:
        return False
    answer = client.head_object(Bucket=bucket, Key=f"{PREFIX}{name}", ChecksumMode="ENABLED")
    return bool(answer.get("ChecksumSHA256") == base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode())
