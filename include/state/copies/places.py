"""The hidden places of athletes: the circle around each place at which recordings begin or end."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from include.circle import Circle, Position
from include.crypto.cipher import Cipher
from include.privacy_circle import RandomFraction, covers, hiding_circle, random_centre
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store

_APP = "strava-data-ingest"
_CENTRE = struct.Struct(">ii")
_UNITS_PER_DEG = 1e7
"""Units of a stored centre in one degree: a unit is about a centimetre."""

MOST_IN_ONE = 500
"""Centres that are sealed as one text: 4,000 of the 4,096 bytes that a cipher takes."""


class Places:
    """The hidden places of every athlete: one circle for each place, the same in every copy.

    One row for each athlete and radius. A place is written over the version in which it was searched for, so two
    concurrent workers add it once. A circle never moves: all copies show the same circle, and none reveals where in it
    the place is. Centres are sealed with the cipher of the tokens, and erased with the athlete.

    Errors: `CipherError` when the stored text cannot be opened; no new circle is drawn then, because two circles reveal
    more than one.
    """

    def __init__(self, store: Store, cipher: Cipher, draw: RandomFraction) -> None:
        self._store = store
        self._cipher = cipher
        self._draw = draw

    @retry_on_conflict
    def circles(self, athlete_id: int, radius_m: int, ends: Sequence[Position]) -> tuple[Circle, ...]:
        """The circles that hide these ends of one recording, each once; none for a radius of 0.

        Effects: an end at a new place gets a circle, which is stored before it is returned.
        """
        if radius_m <= 0 or not ends:
            return ()
        key = _key(athlete_id, radius_m)
        item = self._store.get(key)
        sealed: list[str] = list(item.fields["sealed"]) if item else []
        known = [centre for text in sealed for centre in self._opened(athlete_id, text)]
        chosen, count = [], len(known)
        for end in ends:
            centre = next((centre for centre in known if covers(centre, end, radius_m)), None)
            if centre is None:
                centre = _stored(random_centre(end, radius_m, self._draw))
                known.append(centre)
            chosen.append(centre)
        if len(known) > count:
            whole = count - count % MOST_IN_ONE
            added = [
                self._sealed(athlete_id, known[at : at + MOST_IN_ONE]) for at in range(whole, len(known), MOST_IN_ONE)
            ]
            self._put(key, [*sealed[: whole // MOST_IN_ONE], *added], item.version if item else ABSENT)
        return tuple(hiding_circle(centre, radius_m) for centre in dict.fromkeys(chosen))

    def sealed(self, athlete_id: int) -> list[str]:
        """The athlete's sealed texts; none if no place is hidden."""
        return [text for item in self._store.query("places", str(athlete_id)) for text in item.fields["sealed"]]

    def forget(self, athlete_id: int) -> None:
        """Remove every place of the athlete; safe to repeat."""
        for item in list(self._store.query("places", str(athlete_id))):
            self._forget(item.key)

    @retry_on_conflict
    def _forget(self, key: Key) -> None:
        item = self._store.get(key)
        if item is not None:
            self._store.delete(key, expected_version=item.version)

    def reencrypt(self, athlete_id: int, is_current: Callable[[str], bool]) -> int:
        """Seal the athlete's places with the cipher's present key; returns how many texts were not `is_current` before.

        Effects: safe to repeat, and beside workers that add places.
        """
        return sum(self._reencrypt(item.key, is_current) for item in list(self._store.query("places", str(athlete_id))))

    @retry_on_conflict
    def _reencrypt(self, key: Key, is_current: Callable[[str], bool]) -> int:
        item = self._store.get(key)
        stale = [text for text in item.fields["sealed"] if not is_current(text)] if item else []
        if item is None or not stale:
            return 0
        athlete_id = int(key.partition)
        sealed = [
            text if is_current(text) else self._sealed(athlete_id, self._opened(athlete_id, text))
            for text in item.fields["sealed"]
        ]
        self._put(key, sealed, item.version)
        return len(stale)

    def _put(self, key: Key, sealed: Sequence[str], version: int) -> None:
        fields: Mapping[str, Any] = {"athlete_id": int(key.partition), "sealed": list(sealed)}
        self._store.put(key, fields, expected_version=version)

    def _sealed(self, athlete_id: int, centres: Sequence[Position]) -> str:
        packed = b"".join(_CENTRE.pack(*(round(degrees * _UNITS_PER_DEG) for degrees in centre)) for centre in centres)
        return self._cipher.sealer(_context(athlete_id))(packed)

    def _opened(self, athlete_id: int, text: str) -> list[Position]:
        packed = self._cipher.decrypt(text, _context(athlete_id))
        return [Position(lat / _UNITS_PER_DEG, lng / _UNITS_PER_DEG) for lat, lng in _CENTRE.iter_unpack(packed)]


def _stored(centre: Position) -> Position:
    """The centre with the precision of the stored one, so that the first copy is cut like every later one."""
    return Position(*(round(degrees * _UNITS_PER_DEG) / _UNITS_PER_DEG for degrees in centre))


def _key(athlete_id: int, radius_m: int) -> Key:
    return Key("places", str(athlete_id), str(radius_m))


def _context(athlete_id: int) -> dict[str, str]:
    return {"app": _APP, "athlete_id": str(athlete_id), "holds": "places"}
