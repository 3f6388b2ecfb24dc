"""The raw zone: Strava's answers byte for byte, so that the tables can be rebuilt without a call."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from include.errors import ObjectConflict, UnexpectedShape
from include.lake import keys
from include.lake.objects.conflict import Guard, until_written
from include.lake.objects.objects import Condition, ObjectStore, StoredObject
from include.strava.models import Activity, StreamSet


class RawZone:
    """Strava's answers about each activity: one gzipped object per activity and kind of answer.

    The same answer gives the same bytes, and an object that already holds them is not written again.
    """

    def __init__(self, objects: ObjectStore, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._objects = objects
        self._sleep = sleep

    def put_detail(self, activity: Activity, *, guard: Guard) -> None:
        """Store the answer about the activity itself; `guard` is called between reading and writing, as in `Lake`.

        Errors: whatever `guard` raises; `ObjectConflict` when other writers won every one of many tries.
        """
        self._put(keys.raw_detail_key(activity.athlete_id, activity.activity_id), activity.body, guard)

    def put_summary(self, activity: Activity) -> None:
        """Store a row of a list; it replaces an older row, but not a detailed answer."""
        key = keys.raw_detail_key(activity.athlete_id, activity.activity_id)
        stored = self._objects.get(key)
        if stored is not None and _is_detail(stored):
            return
        try:
            self._objects.put(key, _pack(activity.body), expected=stored.etag if stored else Condition.ABSENT)
        except ObjectConflict:
            return  # another worker has stored a newer answer

    def put_streams(self, athlete_id: int, activity_id: int, streams: StreamSet, *, guard: Guard) -> None:
        """Store the answer with the activity's streams, under the same condition."""
        self._put(keys.raw_streams_key(athlete_id, activity_id), streams.body, guard)

    @contextmanager
    def storing_unreadable(self, athlete_id: int, activity_id: int, *, guard: Guard) -> Iterator[None]:
        """A block that fetches the activity: an unreadable answer is stored as long as the activity is.

        Errors: those of the block; for an unreadable answer also those of `put_detail`.
        """
        try:
            yield
        except UnexpectedShape as error:
            if error.answer is not None:
                self._put(keys.raw_odd_key(athlete_id, activity_id), error.answer, guard)
            raise

    def detail(self, athlete_id: int, activity_id: int) -> Activity | None:
        """The activity's last stored answer, or None. Errors: `UnexpectedShape` for a broken object."""
        stored = self._objects.get(keys.raw_detail_key(athlete_id, activity_id))
        return None if stored is None else _activity(stored)

    def streams(self, athlete_id: int, activity_id: int) -> StreamSet | None:
        """The last stored streams, or None. Errors: `UnexpectedShape` for a broken object."""
        stored = self._objects.get(keys.raw_streams_key(athlete_id, activity_id))
        return None if stored is None else StreamSet.parse(_unpack(stored))

    def remove_streams(self, athlete_id: int, activity_id: int, *, guard: Guard) -> None:
        """Remove the activity's streams, which Strava no longer has; safe to repeat."""
        self._remove(keys.raw_streams_key(athlete_id, activity_id), guard)

    def remove(self, athlete_id: int, activity_id: int, *, guard: Guard) -> None:
        """Remove the activity's answers and its upload files; safe to repeat."""
        for key in (
            keys.raw_detail_key(athlete_id, activity_id),
            keys.raw_streams_key(athlete_id, activity_id),
            keys.raw_odd_key(athlete_id, activity_id),
            *self._objects.list(keys.gpx_prefix(athlete_id, activity_id)),
        ):
            self._remove(key, guard)

    def _put(self, key: str, body: bytes, guard: Guard) -> None:
        until_written(self._sleep)(self._put_once, key, _pack(body), guard)

    def _put_once(self, key: str, packed: bytes, guard: Guard) -> None:
        stored = self._objects.get(key)
        guard()
        if stored is None or stored.body != packed:
            self._objects.put(key, packed, expected=stored.etag if stored else Condition.ABSENT)

    def _remove(self, key: str, guard: Guard) -> None:
        until_written(self._sleep)(self._remove_once, key, guard)

    def _remove_once(self, key: str, guard: Guard) -> None:
        stored = self._objects.get(key)
        guard()
        if stored is not None:
            self._objects.delete(key, expected=stored.etag)


def _pack(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)


def _unpack(stored: StoredObject) -> bytes:
    try:
        return gzip.decompress(stored.body)
    except (OSError, EOFError, zlib.error) as err:
        raise UnexpectedShape(f"{stored.key}: the object is not gzip; fetch the activity from Strava again") from err


def _activity(stored: StoredObject) -> Activity:
    body = _unpack(stored)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise UnexpectedShape(f"{stored.key}: the object is not JSON; fetch the activity from Strava again") from err
    if not isinstance(answer, dict):
        raise UnexpectedShape(f"{stored.key}: the object is not an activity; fetch the activity from Strava again")
    return Activity.parse(answer, body)


def _is_detail(stored: StoredObject) -> bool:
    """Whether it is a readable detailed answer."""
    try:
        return _activity(stored).is_detail
    except UnexpectedShape:
        return False
