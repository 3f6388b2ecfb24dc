"""Which values count as samples of each stream that Strava documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    import msgspec

from include.strava.stream_types import BY_KEY, STREAM_TYPES, Kind


def documented_channels(body: bytes) -> Mapping[str, Sequence[Any]] | None:
    """The samples of each stream in an answer that is as Strava documents it throughout, keyed by type.

    None for any other answer, which `cleaned` is for: here the decoder finds the kind of every sample on its way,
    while a look at each of them afterwards takes as long again as decoding does.
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
    """Reads an answer with `key_by_type=true`; what is not documented is an error to it.

    A field that nobody reads may hold anything, but has to be a documented one: others are skipped over unread.
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
    """The same list where every element is a sample or None; else one with None for whatever is neither.

    A stream that Strava does not document stays as it is.
    """
    if stream not in BY_KEY:
        return samples
    is_sample = _IS_SAMPLE.get(BY_KEY[stream].kind, _is_number)
    left = [sample if is_sample(sample) else None for sample in samples]
    return samples if left == samples else left


def _is_number(sample: Any) -> bool:
    return type(sample) in (int, float)  # a flag is no number, although Python counts it as one


def _is_flag(sample: Any) -> bool:
    return type(sample) is bool


def _is_pair(sample: Any) -> bool:
    return type(sample) is list and len(sample) == 2 and all(map(_is_number, sample))


_IS_SAMPLE = {Kind.FLAG: _is_flag, Kind.POSITION: _is_pair}
"""What else than a number is a sample, by its kind."""
