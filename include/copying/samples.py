"""The points of one activity that a file can carry, as columns of one length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from types import NoneType
from typing import Any

from include.plausible import LATITUDE_DEG, LONGITUDE_DEG, PLAUSIBLE, Range
from include.state.links import Carried
from include.strava.models import Activity, StreamSet

Column = Sequence[int | float | None]

_FEWEST = 2
"""Points that an activity needs: one alone has no duration."""

_EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Samples:
    """What a file says about each point.

    Shape: every column has one entry per point, None where the point lacks the value;
    latitude and longitude are complete, or empty where the points have no position.
    Units: in the names; cadence as Strava counts it, one leg for sports on foot.
    """

    epoch_s: Sequence[int]
    altitude_m: Column
    distance_m: Column
    speed_mps: Column
    heartrate_bpm: Column
    cadence_rpm: Column
    temperature_c: Column
    power_w: Column
    placed: bool
    """Whether the points have positions, even if none is left."""
    left_out: int
    """Points without a time, in the same second as the one before, or without the position that the file needs."""
    trimmed: int
    """Points that the link's privacy trimming removed."""
    latitude_deg: Column = ()
    longitude_deg: Column = ()

    def __len__(self) -> int:
        """The number of points."""
        return len(self.epoch_s)


@dataclass(frozen=True, slots=True)
class _Channel:
    """A stream and how a file takes it; a sample that is no plausible number is left out alone."""

    stream: str
    whole: bool = False
    most: float = math.inf
    """What the file formats' schemas admit at most."""


_SENSORS = {
    "altitude_m": _Channel("altitude"),
    "distance_m": _Channel("distance"),
    "speed_mps": _Channel("velocity_smooth"),
    "heartrate_bpm": _Channel("heartrate", whole=True, most=255),
    "cadence_rpm": _Channel("cadence", whole=True),
    "temperature_c": _Channel("temp"),
    "power_w": _Channel("watts", whole=True),
}
_EASTERNMOST = Range(LONGITUDE_DEG.low, 179.9999999)  # The schemas exclude 180 itself.
_MISSING = (0, 0)
"""How Strava says that a position is missing, where it does not say null."""


def chosen_samples(activity: Activity, streams: StreamSet, carried: Carried) -> Samples:
    """The points with positions where at least two have one, even if trimming leaves none; else those with times."""
    samples = positioned_samples(activity, streams, carried)
    return samples if len(samples) + samples.trimmed >= _FEWEST else timed_samples(activity, streams, carried)


def too_few_reason(samples: Samples, carried: Carried) -> str | None:
    """Why a file of `samples` would not be an activity, in words for the athlete; None when it would."""
    if len(samples) >= _FEWEST:
        return None
    if samples.trimmed:
        return f"Nothing is left of this activity without its first and last {carried.trim_m} m, which the link hides."
    return "This recording has fewer than two points with a time."


def positioned_samples(activity: Activity, streams: StreamSet, carried: Carried) -> Samples:
    """The points that have a time and a position, less the first and last `carried.trim_m` metres.

    The metres are those of the distance stream, or great circles from point to point where there is none.
    A trimmed activity's distance starts at zero again, so that the copy's total is that of its points.
    """
    times, columns = _times(streams), _sensors(streams, carried) | _positions(streams)
    places = zip(times, columns["latitude_deg"], columns["longitude_deg"], strict=True)
    placed = _rising([at for at, place in enumerate(places) if None not in place and place[1:] != _MISSING], times)
    kept = _trimmed(placed, columns, carried.trim_m)
    return _samples(activity, times, columns, kept, trimmed=len(placed) - len(kept))


def timed_samples(activity: Activity, streams: StreamSet, carried: Carried) -> Samples:
    """The points that have a time, without positions; nothing is trimmed, as nothing says where they are."""
    times = _times(streams)
    kept = _rising(range(len(times)), times)
    return _samples(activity, times, _sensors(streams, carried), kept, trimmed=0)


def holds_any(*columns: Column) -> bool:
    """Whether any of the columns has a value for any point."""
    return any(value is not None for column in columns for value in column)


def times_rise(streams: StreamSet) -> bool:
    """Whether no time lies before the one ahead of it, and the last after the first; True below two times."""
    times = [time for time in _times(streams) if time is not None]
    return len(times) < 2 or (times[0] < times[-1] and all(earlier <= later for earlier, later in pairwise(times)))


def _samples(
    activity: Activity, times: Column, columns: Mapping[str, Column], kept: Sequence[int], *, trimmed: int
) -> Samples:
    start_epoch_s = int(activity.start_at.timestamp())
    taken = {name: _at(kept, column) for name, column in columns.items()}
    if trimmed:
        taken["distance_m"] = _from_zero(taken["distance_m"])
    return Samples(
        epoch_s=[start_epoch_s + int(time) for at in kept if (time := times[at]) is not None],
        placed="latitude_deg" in columns,
        left_out=len(times) - len(kept) - trimmed,
        trimmed=trimmed,
        **taken,
    )


def _rising(indices: Sequence[int], times: Column) -> list[int]:
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
    return _read(_Channel("time", whole=True), streams)


def _sensors(streams: StreamSet, carried: Carried) -> dict[str, Column]:
    wanted = {"heartrate_bpm": carried.heartrate, "temperature_c": carried.temperature, "power_w": carried.power}
    return {
        name: _read(channel, streams) if wanted.get(name, True) else [None] * streams.length
        for name, channel in _SENSORS.items()
    }


def _positions(streams: StreamSet) -> dict[str, Column]:
    pairs = streams.channels.get("latlng", ())
    if not set(map(type, pairs)) <= {list, tuple} or set(map(len, pairs)) != {2}:
        pairs = [pair if isinstance(pair, list | tuple) and len(pair) == 2 else (None, None) for pair in pairs]
    return {
        "latitude_deg": _admitted([pair[0] for pair in pairs], LATITUDE_DEG, streams.length),
        "longitude_deg": _admitted([pair[1] for pair in pairs], _EASTERNMOST, streams.length),
    }


def _read(channel: _Channel, streams: StreamSet) -> Column:
    plausible = PLAUSIBLE[channel.stream]
    bounds = Range(plausible.low, min(plausible.high, channel.most))
    column = _admitted(streams.channels.get(channel.stream, ()), bounds, streams.length)
    if channel.whole and float in set(map(type, column)):
        return [None if value is None else round(value) for value in column]
    return column


def _admitted(values: Sequence[Any], bounds: Range, length: int) -> list[int | float | None]:
    """The numbers within the bounds, None for all else (flags are no numbers) and behind the end of a short array."""
    if not set(map(type, values)) <= {int, float, NoneType}:
        values = [value if type(value) in (int, float) else None for value in values]
    low, high = bounds.low, bounds.high
    column = [value if value is not None and low <= value <= high else None for value in values]
    return column + [None] * (length - len(column))


def _trimmed(placed: Sequence[int], columns: Mapping[str, Column], trim_m: float) -> Sequence[int]:
    """The indices `placed` without those nearer than `trim_m` to the first or the last of them.

    Everything ahead of the last point near the start goes, and likewise at the end: a distance that jumps hides more,
    never less.
    """
    if not placed or trim_m <= 0:
        return placed
    travelled = _travelled_m(placed, columns)
    near_start = [at for at, here in enumerate(travelled) if here - travelled[0] < trim_m]
    near_end = [at for at, here in enumerate(travelled) if travelled[-1] - here < trim_m]
    return placed[near_start[-1] + 1 : near_end[0]]


def _travelled_m(placed: Sequence[int], columns: Mapping[str, Column]) -> Sequence[float]:
    """Metres at each point; an unknown distance counts as no progress, which hides more."""
    distances = [columns["distance_m"][at] for at in placed]
    known = next((distance for distance in distances if distance is not None), None)
    if known is not None:
        return [known := known if distance is None else distance for distance in distances]
    latitudes, longitudes = columns["latitude_deg"], columns["longitude_deg"]
    places = [(math.radians(latitudes[at] or 0), math.radians(longitudes[at] or 0)) for at in placed]
    return list(accumulate((_great_circle_m(*here, *there) for here, there in pairwise(places)), initial=0.0))


def _great_circle_m(lat: float, lng: float, to_lat: float, to_lng: float) -> float:
    """Haversine on the mean Earth radius; the arguments in radians."""
    chord = math.sin((to_lat - lat) / 2) ** 2 + math.cos(lat) * math.cos(to_lat) * math.sin((to_lng - lng) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(chord, 1.0)))


def _from_zero(distances: Column) -> list[int | float | None]:
    start = next((distance for distance in distances if distance is not None), 0)
    return [None if distance is None else max(distance - start, 0) for distance in distances]
