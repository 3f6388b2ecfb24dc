"""The table of Strava's stream types: how each is requested, stored in the lake and written to a copy's file.

All code that requests, checks, stores, copies and compares streams reads this table; where a type needs code of its own
(a column of the schema, an element in a file), a test fails until that exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The type of a sample; all but a flag and a position are numbers."""

    WHOLE = "whole number"
    SINGLE = "number in single precision"
    DOUBLE = "number in double precision"
    FLAG = "flag"
    POSITION = "latitude and longitude"


@dataclass(frozen=True, slots=True)
class Range:
    """The values from `low` to `high`, both included."""

    low: float
    high: float


LATITUDE_DEG = Range(-90, 90)
LONGITUDE_DEG = Range(-180, 180)


@dataclass(frozen=True, slots=True)
class StreamType:
    """One stream type."""

    key: str
    """Strava's name of the type."""
    columns: tuple[str, ...]
    """The columns in the lake's `streams`, and the fields of a copy's points: one name from the answer to the file."""
    kind: Kind
    unit: str
    description: str
    plausible: Range | None = None
    """The plausible values of a sample: copies and queries leave others out, the lake keeps all."""
    gpx: str = ""
    """Its element in a copy's GPX file; empty where it has none."""
    tcx: str = ""
    """Its element in a TCX file."""
    most: float = float("inf")
    """The highest value that the schemas of these files allow."""
    choice: str = ""
    """The option of a link that decides whether a copy contains it; empty where every copy does."""

    @property
    def is_copied(self) -> bool:
        """Whether a copy's file contains it."""
        return bool(self.gpx or self.tcx)


STREAM_TYPES: tuple[StreamType, ...] = (
    StreamType(
        "time",
        ("time_s",),
        Kind.WHOLE,
        "s",
        "since the activity's start; a pause is a gap",
        plausible=Range(0, 1e8),
        gpx="time",
        tcx="Time",
    ),
    StreamType("latlng", ("lat", "lon"), Kind.POSITION, "deg", "WGS84", gpx="trkpt"),
    StreamType(
        "altitude",
        ("altitude_m",),
        Kind.SINGLE,
        "m",
        "altitude above sea level",
        plausible=Range(-1_000, 15_000),
        gpx="ele",
        tcx="AltitudeMeters",
    ),
    StreamType(
        "velocity_smooth",
        ("velocity_mps",),
        Kind.SINGLE,
        "m/s",
        "smoothed speed",
        plausible=Range(0, 150),
        gpx="gpxtpx2:speed",
        tcx="ns3:Speed",
    ),
    StreamType("grade_smooth", ("grade_pct",), Kind.SINGLE, "%", "smoothed grade"),
    StreamType(
        "distance",
        ("distance_m",),
        Kind.DOUBLE,
        "m",
        "distance since the start",
        plausible=Range(0, 1e8),
        gpx="gpxdata:distance",
        tcx="DistanceMeters",
    ),
    StreamType(
        "heartrate",
        ("heartrate_bpm",),
        Kind.WHOLE,
        "1/min",
        "heart rate",
        plausible=Range(15, 300),
        gpx="gpxtpx:hr",
        tcx="HeartRateBpm",
        most=254,  # devices write 255 for a missing value
        choice="heartrate",
    ),
    StreamType(
        "cadence",
        ("cadence_rpm",),
        Kind.WHOLE,
        "1/min",
        "cadence; of one leg for runs, walks and hikes",
        plausible=Range(0, 254),
        gpx="gpxtpx:cad",
        tcx="Cadence",
    ),
    StreamType(
        "watts",
        ("watts",),
        Kind.WHOLE,
        "W",
        "power",
        plausible=Range(0, 5_000),
        gpx="power",
        tcx="ns3:Watts",
        choice="power",
    ),
    StreamType(
        "temp",
        ("temp_c",),
        Kind.WHOLE,
        "degC",
        "air temperature at the device",
        plausible=Range(-90, 100),
        gpx="gpxtpx:atemp",
        choice="temperature",
    ),
    StreamType("moving", ("moving",), Kind.FLAG, "", "whether the athlete moves"),
)
"""Every stream type that Strava documents, in the order of the lake's columns.

Source: https://developers.strava.com/docs/reference/#api-models-StreamSet.
"""

BY_KEY: Mapping[str, StreamType] = {each.key: each for each in STREAM_TYPES}
