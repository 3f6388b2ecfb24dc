"""The protocol of the lake's object store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Condition(Enum):
    """The condition of a write that expects no particular etag."""

    ANYTHING = "anything"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as read: its bytes and the etag that a later conditional write names."""

    key: str
    body: bytes
    etag: str


class ObjectStore(Protocol):
    """Whole objects under slash-separated keys, each write atomic: a reader sees the old or the new bytes.

    Every implementation passes `tests/contract/test_objects.py` unchanged.
    """

    def get(self, key: str) -> StoredObject | None:
        """The object, or None where there is none."""
        ...

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        """Write if the present etag is `expected` (or absent, or anything); returns the new etag.

        Errors: `ObjectConflict` when it is not; read again and decide again.
        """
        ...

    def delete(self, key: str, *, expected: str | Condition) -> None:
        """Remove under the same condition; an absent object is no conflict with `ANYTHING`, but is one with an etag."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that start with `prefix`, sorted."""
        ...

    def prune(self, prefix: str) -> None:
        """Remove the empty folders below a prefix that holds no object; the prefix ends with a slash.

        Call it only when no worker writes below the prefix.
        """
        ...

    def url(self, key: str) -> str:
        """The object's address for other programs: a path or an s3 URL."""
        ...
