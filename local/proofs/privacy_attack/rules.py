"""Three ways to hide a home, each a function of a recording to the track that is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from include.circle import Circle, Position
from include.copying.samples import Samples, positioned_samples, recorded_ends
from include.state.copies.places import Places
from include.state.links import CopyOptions
from include.strava.models import Activity, StreamSet

Track = list[list[Position]]
"""The written positions, by segment."""

Rule = Callable[[int, StreamSet], Track]
"""The written track of an athlete's recording."""

RADIUS_M = 200

_ACTIVITY = Activity.parse({"id": 1, "athlete": {"id": 1}, "start_date": "2026-06-01T06:00:00Z"})


def by_distance(_athlete_id: int, streams: StreamSet) -> Track:
    """The first and the last metres travelled are cut off."""
    travelled = streams.channels["distance"]
    last = travelled[-1]
    places = zip(travelled, streams.channels["latlng"], strict=True)
    return [[Position(*place) for here, place in places if RADIUS_M <= here <= last - RADIUS_M]]


def by_exact_circle(_athlete_id: int, streams: StreamSet) -> Track:
    """The points within the radius of an end are left out."""
    return _left(streams, [Circle(end, RADIUS_M) for end in recorded_ends(streams)])


def by_moved_circle(places: Places) -> Rule:
    """The rule of copies: the points in the circles of `places` are left out."""
    return lambda athlete_id, streams: _left(streams, places.circles(athlete_id, RADIUS_M, recorded_ends(streams)))


def _left(streams: StreamSet, hidden: Sequence[Circle]) -> Track:
    samples = positioned_samples(_ACTIVITY, streams, CopyOptions(), hidden)
    bounds = (0, *samples.segment_starts, len(samples))
    return [_positions(samples, start, end) for start, end in pairwise(bounds) if start < end]


def _positions(samples: Samples, start: int, end: int) -> list[Position]:
    places = zip(samples.lat[start:end], samples.lon[start:end], strict=True)
    return [Position(lat or 0, lng or 0) for lat, lng in places]
