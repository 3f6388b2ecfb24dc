"""The points of one activity for a file, as columns of one length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import NoneType
from typing import Any

from include.circle import Circle, Position
from include.state.links import CopyOptions
from include.strava.models import Activity, StreamSet
from include.strava.stream_types import BY_KEY, LATITUDE_DEG, LONGITUDE_DEG, STREAM_TYPES, Kind, Range, StreamType

Column = Sequence[int | float | None]

_FEWEST = 2
"""The fewest points of an activity: a single one has no duration."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The values of each point in a file.

    Shape: every column has one entry per point, None where the point lacks the value;
    latitude and longitude are complete, or empty where the points have no position.
    Units: in the names; cadence as Strava counts it, one leg for sports on foot.
    """

    epoch_s: Sequence[int]
    altitude_m: Column
    distance_m: Column
    velocity_mps: Column
    heartrate_bpm: Column
    cadence_rpm: Column
    temp_c: Column
    watts: Column
    has_positions: bool
    """Whether the points have positions, even if there are no points."""
    left_out: int
    """Points without a time, in the same second as the one before, or without the position that the file needs."""
    trimmed: int
    """Points that the link's privacy trimming removed."""
    segment_starts: Sequence[int] = ()
    """The indices of points that follow removed ones; the first point is never among them."""
    track_hidden: bool = False
    """Whether the points lost their positions because trimming would have left fewer than two."""
    lat: Column = ()
    lon: Column = ()

    def __len__(self) -> int:
        """The number of points."""
        return len(self.epoch_s)


_TIME = BY_KEY["time"]
_SENSORS = {each.columns[0]: each for each in STREAM_TYPES if each.is_copied and each.key not in (_TIME.key, "latlng")}
_EASTERNMOST = Range(LONGITUDE_DEG.low, 179.9999999)  # The schemas exclude 180 itself.
_MISSING = (0, 0)
"""How Strava writes a missing position, where it is not null."""


def recorded_ends(streams: StreamSet) -> tuple[Position, ...]:
    """The ends of the recording: the first and last position, and the first and last with a time, each once.

    Empty where too few points have both, so that no position would be written.
    """
    columns, times = _positions(streams), _times(streams)
    positioned = _positioned(columns)
    timed = _increasing(positioned, times)
    if len(timed) < _FEWEST:
        return ()
    places = [(columns["lat"][at], columns["lon"][at]) for at in (positioned[0], timed[0], timed[-1])]
    places.append((columns["lat"][positioned[-1]], columns["lon"][positioned[-1]]))
    return tuple(dict.fromkeys(Position(lat or 0, lng or 0) for lat, lng in places))


def chosen_samples(activity: Activity, streams: StreamSet, options: CopyOptions, hidden: Sequence[Circle]) -> Samples:
    """The points outside the `hidden` circles, if there are two; else the points with times, without positions."""
    samples = positioned_samples(activity, streams, options, hidden)
    if len(samples) >= _FEWEST:
        return samples
    timed = timed_samples(activity, streams, options)
    return replace(timed, track_hidden=len(samples) + samples.trimmed >= _FEWEST)


def too_few_reason(samples: Samples) -> str | None:
    """Why `samples` are too few for an activity, in words for the athlete; None if they suffice."""
    return None if len(samples) >= _FEWEST else "This recording has fewer than two points with a time."


def positioned_samples(
    activity: Activity, streams: StreamSet, options: CopyOptions, hidden: Sequence[Circle]
) -> Samples:
    """The points that have a time and a position, and lie outside the `hidden` circles.

    A trimmed activity's distance starts at zero and does not grow where points were removed: the copy's total is that
    of its points, and does not reveal the distance to the hidden place.
    """
    times, columns = _times(streams), _sensors(streams, options) | _positions(streams)
    positioned = _increasing(_positioned(columns), times)
    kept, segment_starts = _outside(positioned, columns, hidden)
    samples = _samples(activity, times, columns, kept, trimmed=len(positioned) - len(kept))
    if not samples.trimmed:
        return samples
    return replace(
        samples, segment_starts=segment_starts, distance_m=_without_removed_parts(samples.distance_m, segment_starts)
    )


def timed_samples(activity: Activity, streams: StreamSet, options: CopyOptions) -> Samples:
    """The points that have a time, without positions; nothing is trimmed, because no position is written."""
    times = _times(streams)
    kept = _increasing(range(len(times)), times)
    return _samples(activity, times, _sensors(streams, options), kept, trimmed=0)


def holds_any(*columns: Column) -> bool:
    """Whether any of the columns has a value for any point."""
    return any(value is not None for column in columns for value in column)


def times_increase(streams: StreamSet) -> bool:
    """Whether times never decrease and the last is later than the first; True where there are fewer than two."""
    times = [time for time in _times(streams) if time is not None]
    return len(times) < 2 or (times[0] < times[-1] and all(earlier <= later for earlier, later in pairwise(times)))


def _samples(
    activity: Activity, times: Column, columns: Mapping[str, Column], kept: Sequence[int], *, trimmed: int
) -> Samples:
    start_epoch_s = int(activity.start_at.timestamp())
    taken: dict[str, Any] = {name: _at(kept, column) for name, column in columns.items()}
    return Samples(
        epoch_s=[start_epoch_s + int(time) for at in kept if (time := times[at]) is not None],
        has_positions="lat" in columns,
        left_out=len(times) - len(kept) - trimmed,
        trimmed=trimmed,
        **taken,
    )


def _positioned(columns: Mapping[str, Column]) -> list[int]:
    """The points that have a position."""
    places = zip(columns["lat"], columns["lon"], strict=True)
    return [at for at, place in enumerate(places) if None not in place and place != _MISSING]


def _outside(
    positioned: Sequence[int], columns: Mapping[str, Column], hidden: Sequence[Circle]
) -> tuple[Sequence[int], Sequence[int]]:
    """The points of `positioned` outside all circles, and the indices of those that follow removed points."""
    if not hidden:
        return positioned, ()
    latitudes, longitudes = columns["lat"], columns["lon"]
    places = [(at, latitudes[at] or 0.0, longitudes[at] or 0.0) for at in positioned]
    inside = set().union(*(circle.within(places) for circle in hidden))
    kept: list[int] = []
    segment_starts: list[int] = []
    for before, at in zip((None, *positioned), positioned, strict=False):
        if at in inside:
            continue
        if kept and before in inside:
            segment_starts.append(len(kept))
        kept.append(at)
    return kept, segment_starts


def _without_removed_parts(distances: Column, segment_starts: Sequence[int]) -> Column:
    """The distances of the track, starting at zero and without the parts that were removed."""
    run: list[int | float | None] = []
    covered: int | float = 0
    for start, end in pairwise((0, *segment_starts, len(distances))):
        part = distances[start:end]
        first = next((distance for distance in part if distance is not None), 0)
        run += [None if distance is None else max(distance - first, 0) + covered for distance in part]
        covered = max((distance for distance in run[start:] if distance is not None), default=covered)
    return run


def _increasing(indices: Sequence[int], times: Column) -> list[int]:
    """The indices whose time is later than every one before: Strava refuses a file in which a time repeats."""
    kept, latest = [], -1.0
    for at in indices:
        time = times[at]
        if time is not None and time > latest:
            kept.append(at)
            latest = time
    return kept


def _at(kept: Sequence[int], column: Column) -> Column:
    return column if len(kept) == len(column) else [column[at] for at in kept]


def _times(streams: StreamSet) -> Column:
    return _read(_TIME, streams)


def _sensors(streams: StreamSet, options: CopyOptions) -> dict[str, Column]:
    return {
        name: [None] * streams.length if each.choice and not getattr(options, each.choice) else _read(each, streams)
        for name, each in _SENSORS.items()
    }


def _positions(streams: StreamSet) -> dict[str, Column]:
    pairs = streams.channels.get("latlng", ())
    if not set(map(type, pairs)) <= {list, tuple} or set(map(len, pairs)) != {2}:
        pairs = [pair if isinstance(pair, list | tuple) and len(pair) == 2 else (None, None) for pair in pairs]
    return {
        "lat": _admitted([pair[0] for pair in pairs], LATITUDE_DEG, streams.length),
        "lon": _admitted([pair[1] for pair in pairs], _EASTERNMOST, streams.length),
    }


def _read(stream: StreamType, streams: StreamSet) -> Column:
    plausible = stream.plausible or Range(-math.inf, math.inf)
    bounds = Range(plausible.low, min(plausible.high, stream.most))
    column = _admitted(streams.channels.get(stream.key, ()), bounds, streams.length)
    if stream.kind is Kind.WHOLE and float in set(map(type, column)):
        return [None if value is None else round(value) for value in column]
    return column


def _admitted(values: Sequence[Any], bounds: Range, length: int) -> list[int | float | None]:
    """The numbers within the bounds; None for anything else, flags included, and after the end of a short array."""
    if not set(map(type, values)) <= {int, float, NoneType}:
        values = [value if type(value) in (int, float) else None for value in values]
    low, high = bounds.low, bounds.high
    column = [value if value is not None and low <= value <= high else None for value in values]
    return column + [None] * (length - len(column))
