"""The encodings of a lake object's columns, chosen by measurement: `docs/adr/0011-encodings-and-row-groups.md`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any


class Encodings(Enum):
    """Which of Parquet's encodings an object may use. A lake may hold both: each object's metadata names its own."""

    SAFE = "safe"
    """Plain and dictionary, which every reader knows."""
    ALL = "all"
    """Delta and byte-split encodings too: a quarter smaller, but Athena is not documented to read them."""


_RARELY_REPEATED = frozenset({"point_index", "time_s", "ts", "lat", "lon", "distance_m"})
"""Columns that are larger and slower to write with a dictionary."""

_BEYOND_SAFE = {
    "point_index": "DELTA_BINARY_PACKED",
    "time_s": "DELTA_BINARY_PACKED",
    "ts": "DELTA_BINARY_PACKED",
    "lat": "BYTE_STREAM_SPLIT",
    "lon": "BYTE_STREAM_SPLIT",
    "distance_m": "BYTE_STREAM_SPLIT",
    "heartrate_bpm": "DELTA_BINARY_PACKED",
    "watts": "DELTA_BINARY_PACKED",
}
"""The smallest encoding of columns for which neither plain nor a dictionary is smallest; all are of `streams`."""


def writer_options(columns: Iterable[str], encodings: Encodings) -> dict[str, Any]:
    """The options of Parquet's writer to encode and compress these columns."""
    names = list(columns)
    special = _BEYOND_SAFE if encodings is Encodings.ALL and "point_index" in names else {}
    return {
        "use_dictionary": [name for name in names if name not in _RARELY_REPEATED and name not in special],
        "column_encoding": special or None,
        "compression": "zstd",
        "compression_level": 3,
    }
