"""The values that count as samples of each documented stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    import msgspec

from include.strava.stream_types import BY_KEY, STREAM_TYPES, Kind


def documented_channels(body: bytes) -> Mapping[str, Sequence[Any]] | None:
    """The samples of each stream in an answer that fully matches Strava's documentation, keyed by type.

    None for any other answer; use `cleaned` for that. The decoder checks the type of every sample here, because a
    separate check takes as long as the decoding itself.
    """
    import msgspec  # not at the top: the webhook's host has no use for it and does not install it

    try:
        answer = _documented_answer().decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    streams = {each.key: getattr(answer, each.key) for each in STREAM_TYPES}
    return {key: stream.data for key, stream in streams.items() if stream is not msgspec.UNSET}


@cache
def _documented_answer() -> msgspec.json.Decoder[Any]:
    """The decoder of an answer to `key_by_type=true`, which refuses anything undocumented.

    A documented field that is not used may hold anything; undocumented fields are skipped.
    """
    import msgspec

    pair = Annotated[list[int | float], msgspec.Meta(min_length=2, max_length=2)]
    samples: Mapping[Kind, Any] = {
        **dict.fromkeys((Kind.WHOLE, Kind.SINGLE, Kind.DOUBLE), list[int | float | None]),
        Kind.FLAG: list[bool | None],
        Kind.POSITION: list[pair | None],
    }
    unread = [(name, Any, None) for name in ("type", "series_type", "original_size", "resolution")]
    streams = {
        kind: msgspec.defstruct(kind.name, [("data", data), *unread], forbid_unknown_fields=True)
        for kind, data in samples.items()
    }
    fields: list[tuple[str, Any, Any]] = [
        (each.key, streams[each.kind] | msgspec.UnsetType, msgspec.UNSET) for each in STREAM_TYPES
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Answer", fields, forbid_unknown_fields=True))


def cleaned(stream: str, samples: Sequence[Any]) -> Sequence[Any]:
    """The same list if every element is a sample or None; else a list with None for everything else.

    A stream that Strava does not document stays as it is.
    """
    if stream not in BY_KEY:
        return samples
    is_sample = _IS_SAMPLE.get(BY_KEY[stream].kind, _is_number)
    left = [sample if is_sample(sample) else None for sample in samples]
    return samples if left == samples else left


def _is_number(sample: Any) -> bool:
    return type(sample) in (int, float)  # a flag is not a number, although Python treats it as one


def _is_flag(sample: Any) -> bool:
    return type(sample) is bool


def _is_pair(sample: Any) -> bool:
    return type(sample) is list and len(sample) == 2 and all(map(_is_number, sample))


_IS_SAMPLE = {Kind.FLAG: _is_flag, Kind.POSITION: _is_pair}
"""The check of samples that are not numbers, by kind."""
