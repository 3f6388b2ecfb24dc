"""Reads GPX 1.1 as Strava's documentation describes.

Source: https://developers.strava.com/docs/uploads/ (2026-05-30). Other elements are ignored: `<type>`, speed,
version 2 of the track point extension, Garmin's power extension.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import gpxpy
from gpxpy.gpx import GPX, GPXException, GPXTrackPoint

from local.strava_simulator.files.track import (
    NO_TIMES,
    FileRejected,
    Point,
    Track,
    coordinates,
    malformed,
    number,
    parse_xml,
)

_GPX = "http://www.topografix.com/GPX/1/1"
_GARMIN = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v1}"
_CLUETRUST = "{http://www.cluetrust.com/XML/GPXDATA/1/0}"

_IN_GARMIN_EXTENSION = {f"{_GARMIN}atemp": "temp", f"{_GARMIN}hr": "heartrate", f"{_GARMIN}cad": "cadence"}
_IN_EXTENSIONS = {
    f"{_CLUETRUST}temp": "temp",
    f"{_CLUETRUST}hr": "heartrate",
    f"{_CLUETRUST}cadence": "cadence",
    f"{_CLUETRUST}distance": "distance_m",
    "heartrate": "heartrate",
    "cadence": "cadence",
    "distance": "distance_m",
    "power": "watts",
}


def read_gpx(content: bytes) -> Track:
    """All track points of the file, segments and tracks joined.

    Errors: `FileRejected` for XML that is not GPX 1.1, a position outside the globe, a value that is not a number, and
    for a file without a track point or with one that has no time.
    """
    parse_xml(content, f"{{{_GPX}}}gpx")
    try:
        gpx = gpxpy.parse(content, version="1.1")
    except (GPXException, ValueError) as err:
        raise malformed(str(err)) from err
    points = [_point(point) for point in _track_points(gpx)]
    if not points:
        raise FileRejected(NO_TIMES)
    names = (gpx.tracks[0].name, gpx.name)
    return Track(points=points, name=next((name for name in names if name), None))


def _track_points(gpx: GPX) -> Iterator[GPXTrackPoint]:
    for track in gpx.tracks:
        for segment in track.segments:
            yield from segment.points


def _point(point: GPXTrackPoint) -> Point:
    elevation = point.elevation
    return Point(
        at=_utc(point.time),
        latlng=coordinates(point.latitude, point.longitude),
        altitude_m=None if elevation is None else number(str(elevation), "ele"),
        **dict(_extensions(point)),
    )


def _utc(at: datetime | None) -> datetime:
    if at is None:
        raise FileRejected(NO_TIMES)
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise malformed(f"{at.replace(tzinfo=None)} has an impossible time zone") from err


def _extensions(point: GPXTrackPoint) -> Iterator[tuple[str, float]]:
    for extension in point.extensions:
        if extension.tag == f"{_GARMIN}TrackPointExtension":
            yield from _values(extension, _IN_GARMIN_EXTENSION)
    yield from _values(point.extensions, _IN_EXTENSIONS)


def _values(elements: Iterable[Element], channels: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for element in elements:
        tag = str(element.tag).removeprefix(f"{{{_GPX}}}")
        if tag in channels:
            yield channels[tag], number(element.text, tag)
