"""Reads Training Center XML as Strava's documentation describes; a point may lack its position.

Source: https://developers.strava.com/docs/uploads/ (2026-05-30).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

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

_TCX = "{http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2}"
_TPX = "{http://www.garmin.com/xmlschemas/ActivityExtension/v2}"
_SPORTS = {"biking": "Ride", "running": "Run", "hiking": "Hike", "walking": "Walk", "swimming": "Swim"}


def read_tcx(content: bytes) -> Track:
    """All track points of the file's first activity, laps joined.

    Errors: `FileRejected` for XML that is not TCX, a position outside the globe, a value that is not a number, and for
    a file without a track point or with one that has no time.
    """
    root = parse_xml(content, f"{_TCX}TrainingCenterDatabase")
    activity = root.find(f"{_TCX}Activities/{_TCX}Activity")
    if activity is None:
        raise malformed("it contains no activity")
    points: list[Point] = []
    for lap in activity.iterfind(f"{_TCX}Lap"):
        _join(points, [_point(element) for element in lap.iterfind(f"{_TCX}Track/{_TCX}Trackpoint")])
    if not points:
        raise FileRejected(NO_TIMES)
    return Track(points=points, sport=_SPORTS.get(activity.get("Sport", "").lower()))


def _join(points: list[Point], lap: list[Point]) -> None:
    """Append a lap; devices repeat the last point of a lap as the first one of the next."""
    repeated = bool(points and lap and lap[0].at == points[-1].at)
    points.extend(lap[1:] if repeated else lap)


def _point(element: Element) -> Point:
    tpx = f"Extensions/{_TPX}TPX/{_TPX}"
    return Point(
        at=_time(element.findtext(f"{_TCX}Time")),
        latlng=_position(element.find(f"{_TCX}Position")),
        altitude_m=_value(element, ["AltitudeMeters"]),
        distance_m=_value(element, ["DistanceMeters"]),
        speed_mps=_value(element, [f"{tpx}Speed"]),
        heartrate=_value(element, [f"HeartRateBpm/{_TCX}Value"]),
        cadence=_value(element, ["Cadence", f"{tpx}RunCadence"]),
        watts=_value(element, [f"{tpx}Watts"]),
    )


def _time(text: str | None) -> datetime:
    if text is None or not text.strip():
        raise FileRejected(NO_TIMES)
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise malformed(f"Time is not a time: {text!r}") from err


def _position(element: Element | None) -> tuple[float, float] | None:
    if element is None:
        return None
    lat, lng = (number(element.findtext(f"{_TCX}{tag}"), tag) for tag in ("LatitudeDegrees", "LongitudeDegrees"))
    return coordinates(lat, lng)


def _value(element: Element, paths: Iterable[str]) -> float | None:
    """The number at the first existing one of the paths, which are relative to the Training Center namespace."""
    for path in paths:
        found = element.find(f"{_TCX}{path}")
        if found is not None:
            return number(found.text, found.tag.rpartition("}")[2])
    return None
