"""XML text, built column by column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, repeat
from xml.sax.saxutils import escape

from include.copying.samples import Column

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SECONDS = [f"{second:02d}Z" for second in range(60)]


def one_line(text: str) -> str:
    """`text` on one line, without the control characters and lone surrogates that XML 1.0 cannot carry."""
    return " ".join(_FORBIDDEN.sub("", text).split())


def escaped(text: str) -> str:
    """`text` on one line, safe between two tags."""
    return escape(one_line(text))


def timestamps(epoch_s: Sequence[int]) -> list[str]:
    """ISO 8601 in UTC, one for each time."""
    minutes = {
        minute: datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")
        for minute in {time // 60 for time in epoch_s}
    }
    return [minutes[time // 60] + _SECONDS[time % 60] for time in epoch_s]


def elements(before: str, values: Column, after: str) -> Iterable[str]:
    """One element for each value, `before` and `after` its tags; an empty text where there is no value.

    Units: a float is written with three decimals, never with an exponent, which `xsd:decimal` forbids.
    """
    as_float = f"{before}%.3f{after}"
    if set(map(type, values)) == {float}:
        return map(as_float.__mod__, values)
    texts: dict[int | float | None, str] = {
        value: as_float % value if isinstance(value, float) else f"{before}{value}{after}" for value in set(values)
    }
    texts[None] = ""
    return map(texts.__getitem__, values)


def interleaved(*columns: str | Iterable[str]) -> Iterable[str]:
    """The columns row by row, as the pieces of one text; a plain string is repeated in every row."""
    rows = zip(*(repeat(column) if isinstance(column, str) else column for column in columns), strict=False)
    return chain.from_iterable(rows)
