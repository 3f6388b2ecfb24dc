"""Google's encoded polyline format, which Strava uses for an activity's map.

Source: https://developers.google.com/maps/documentation/utilities/polylinealgorithm
"""

from __future__ import annotations

from collections.abc import Sequence


def encode(positions: Sequence[Sequence[float]]) -> str:
    """The line through `[lat, lng]` pairs in degrees, kept to five decimals; empty for no pair."""
    letters: list[str] = []
    last = (0, 0)
    for lat, lng in positions:
        here = (round(lat * 1e5), round(lng * 1e5))
        for before, after in zip(last, here, strict=True):
            letters.append(_encode_step(after - before))
        last = here
    return "".join(letters)


def thin(positions: Sequence[Sequence[float]], limit: int) -> list[Sequence[float]]:
    """At most `limit` (two or more) of the positions, evenly spread, including the first and the last."""
    if len(positions) <= limit:
        return list(positions)
    last = len(positions) - 1
    return [positions[round(index * last / (limit - 1))] for index in range(limit)]


def _encode_step(step: int) -> str:
    value = ~(step << 1) if step < 0 else step << 1
    letters = []
    while value >= 0x20:
        letters.append(chr((0x20 | (value & 0x1F)) + 63))
        value >>= 5
    letters.append(chr(value + 63))
    return "".join(letters)
