"""The streams that Strava documents, and what counts as a sample of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from types import NoneType
from typing import Any

STREAM_KEYS = (
    "time",
    "distance",
    "latlng",
    "altitude",
    "velocity_smooth",
    "heartrate",
    "cadence",
    "watts",
    "temp",
    "moving",
    "grade_smooth",
)
"""Every stream type that Strava documents, in the order in which they are asked for."""

_NUMBER = frozenset({int, float})
_SAMPLES = dict.fromkeys(STREAM_KEYS, _NUMBER) | {"moving": frozenset({bool})}
"""The kinds of value in each stream but `latlng`; a flag is no number, although Python counts it as one."""


def cleaned(stream: str, samples: Sequence[Any]) -> Sequence[Any]:
    """The same list where every element is a sample or None; else one with None for whatever is neither.

    A stream that Strava does not document stays as it is.
    """
    if stream == "latlng":
        return samples if _all_pairs(samples) else [sample if _is_pair(sample) else None for sample in samples]
    kinds = _SAMPLES.get(stream)
    if kinds is None or set(map(type, samples)) <= kinds | {NoneType}:
        return samples
    return [sample if type(sample) in kinds else None for sample in samples]


def _all_pairs(samples: Sequence[Any]) -> bool:
    """Whether `_is_pair` or None holds for all, found out at the speed of C for a recording as it should be."""
    if not set(map(type, samples)) <= {list, NoneType}:
        return False
    pairs = [pair for pair in samples if pair is not None]
    return set(map(len, pairs)) <= {2} and set(map(type, chain.from_iterable(pairs))) <= _NUMBER


def _is_pair(sample: Any) -> bool:
    return type(sample) is list and len(sample) == 2 and set(map(type, sample)) <= _NUMBER
