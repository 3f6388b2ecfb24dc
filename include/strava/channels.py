"""What counts as a sample of each stream that Strava documents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from types import NoneType
from typing import Any

from include.strava.stream_types import BY_KEY, STREAM_TYPES, Kind

_NUMBER = frozenset({int, float})
_SAMPLES = {each.key: frozenset({bool}) if each.kind is Kind.FLAG else _NUMBER for each in STREAM_TYPES}
"""The kinds of value in each stream but positions; a flag is no number, although Python counts it as one."""


def cleaned(stream: str, samples: Sequence[Any]) -> Sequence[Any]:
    """The same list where every element is a sample or None; else one with None for whatever is neither.

    A stream that Strava does not document stays as it is.
    """
    if stream in BY_KEY and BY_KEY[stream].kind is Kind.POSITION:
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
