"""An object store that notes the partition of each changed table object for the catalogue, before the change."""

from __future__ import annotations

from collections.abc import Iterator

from include.errors import BadKey
from include.lake.keys import partition_of
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.state.partitions import Partitions


class NotedObjects:
    """Wraps another object store, so that every change of a partition is noted first."""

    def __init__(self, objects: ObjectStore, partitions: Partitions) -> None:
        self._objects = objects
        self._partitions = partitions

    def get(self, key: str) -> StoredObject | None:
        """The object, or None where there is none."""
        return self._objects.get(key)

    def put(self, key: str, body: bytes, *, expected: str | Condition) -> str:
        """Note the partition, then write under the condition; returns the new etag. Errors: `ObjectConflict`."""
        self._note(key)
        return self._objects.put(key, body, expected=expected)

    def delete(self, key: str, *, expected: str | Condition) -> None:
        """Note the partition, then remove under the condition. Errors: `ObjectConflict`."""
        self._note(key)
        self._objects.delete(key, expected=expected)

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that start with `prefix`, sorted."""
        return self._objects.list(prefix)

    def prune(self, prefix: str) -> None:
        """Remove the folders that an empty prefix leaves behind."""
        self._objects.prune(prefix)

    def url(self, key: str) -> str:
        """The object's address for other programs."""
        return self._objects.url(key)

    def _note(self, key: str) -> None:
        try:
            partition = partition_of(key)
        except BadKey:
            return  # not a table object: a raw answer, an upload file or a certificate
        self._partitions.note(partition)
