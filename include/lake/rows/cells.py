"""A JSON value as a cell of a typed column, null where it does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


Reader = Callable[[Any], Any]
"""Converts a JSON value to a cell that Arrow accepts for one type; None where it does not fit."""


def reader_of(kind: pa.DataType) -> Reader:
    """The conversion of a JSON value to a cell of type `kind`.

    Numbers are rounded in integer columns. Nothing else is converted: text and flags never become numbers.
    Times are read from ISO 8601 text; a wall-clock column ignores the offset, which Strava writes wrongly.
    """
    if pa.types.is_boolean(kind):
        return _flag
    if pa.types.is_string(kind):
        return _text
    if pa.types.is_timestamp(kind):
        return partial(_instant_ms, wall_clock=kind.tz is None)
    return partial(_integer if pa.types.is_integer(kind) else _float, bits=kind.bit_width)


def to_cell(value: Any, kind: pa.DataType) -> Any:
    """The value as a cell, see `reader_of`."""
    return reader_of(kind)(value)


def to_column(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    """The values as a column, cell by cell; null where one does not fit."""
    return pa.array(map(reader_of(kind), values), type=kind)


def epoch_ms(instant: datetime) -> int:
    """Milliseconds from 1970 to an aware instant, exact and negative before it."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and _is_unicode(value) else None


def _integer(value: Any, bits: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not isinstance(value, int):
        if not math.isfinite(value):
            return None
        value = round(value)
    limit: int = 2 ** (bits - 1)
    return value if -limit <= value < limit else None


def _float(value: Any, bits: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    largest = 3.4028234663852886e38 if bits == 32 else math.inf
    return number if math.isfinite(number) and abs(number) <= largest else None


def _instant_ms(value: Any, *, wall_clock: bool) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
        if wall_clock:
            return epoch_ms(moment.replace(tzinfo=UTC))
        return epoch_ms(moment) if moment.tzinfo else None
    except (TypeError, ValueError):
        return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
