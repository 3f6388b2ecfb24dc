"""The raw zone: Strava's answers byte for byte, so that the tables can be made again without a call."""

from __future__ import annotations

import gzip
import json
import zlib

from include.errors import ObjectConflict, UnexpectedShape
from include.lake import keys
from include.lake.objects import Condition, ObjectStore
from include.strava.models import Activity, StreamSet


class RawZone:
    """Strava's answers about each activity, gzipped, one object per activity and kind of answer.

    The same answer gives the same bytes, and an object that already holds them is not written again.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def put_detail(self, activity: Activity, *, only_if_absent: bool = False) -> str:
        """Keep the answer about the activity itself; returns its key.

        `only_if_absent` keeps what is there: for a summary from a list, which must not replace a detailed answer.
        """
        key = keys.raw_detail_key(activity.athlete_id, activity.activity_id)
        if only_if_absent:
            self._put_if_absent(key, activity.body)
        else:
            self._put(key, activity.body)
        return key

    def put_streams(self, athlete_id: int, activity_id: int, streams: StreamSet) -> str:
        """Keep the answer with the activity's streams; returns its key."""
        key = keys.raw_streams_key(athlete_id, activity_id)
        self._put(key, streams.body)
        return key

    def detail(self, athlete_id: int, activity_id: int) -> Activity | None:
        """The activity as last kept, None where there is none. Errors: `UnexpectedShape` for a broken object."""
        key = keys.raw_detail_key(athlete_id, activity_id)
        body = self._get(key)
        if body is None:
            return None
        try:
            answer = json.loads(body)
        except ValueError as err:
            raise UnexpectedShape(f"{key}: the object holds no JSON; fetch the activity from Strava again") from err
        return Activity.parse(answer, body)

    def streams(self, athlete_id: int, activity_id: int) -> StreamSet | None:
        """The streams as last kept, None where there are none. Errors: `UnexpectedShape` for a broken object."""
        body = self._get(keys.raw_streams_key(athlete_id, activity_id))
        return None if body is None else StreamSet.parse(body)

    def remove(self, athlete_id: int, activity_id: int) -> None:
        """Remove the activity's answers and the upload files made of it; safe to repeat."""
        for key in (
            keys.raw_detail_key(athlete_id, activity_id),
            keys.raw_streams_key(athlete_id, activity_id),
            *self._objects.list(keys.gpx_prefix(athlete_id, activity_id)),
        ):
            self._objects.delete(key, expected=Condition.ANYTHING)

    def _get(self, key: str) -> bytes | None:
        stored = self._objects.get(key)
        if stored is None:
            return None
        try:
            return gzip.decompress(stored.body)
        except (OSError, EOFError, zlib.error) as err:
            raise UnexpectedShape(f"{key}: the object is no gzip; fetch the activity from Strava again") from err

    def _put(self, key: str, body: bytes) -> None:
        stored = self._objects.get(key)
        packed = _pack(body)
        if stored is None or stored.body != packed:
            self._objects.put(key, packed, expected=Condition.ANYTHING)

    def _put_if_absent(self, key: str, body: bytes) -> None:
        try:
            self._objects.put(key, _pack(body), expected=Condition.ABSENT)
        except ObjectConflict:
            return  # what is there stays, as asked


def _pack(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)
