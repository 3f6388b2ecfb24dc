"""The points of an uploaded file of either format, and the error for a file that Strava would refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree

MALFORMED = "The upload appears to be malformed and we are unable to process it"
"""Source: quoted by an uploader in November 2021; Strava documents no list of its texts."""
NO_TIMES = "Time information is missing from file."


class FileRejected(Exception):
    """Strava would refuse this file; the message is the `error` of the upload's answer."""


def malformed(reason: str) -> FileRejected:
    """The refusal of a malformed file, with the reason in brackets, which Strava would not tell."""
    return FileRejected(f"{MALFORMED} ({reason})")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the file; None for missing values."""

    at: datetime
    """Aware."""
    latlng: tuple[float, float] | None = None
    altitude_m: float | None = None
    distance_m: float | None = None
    speed_mps: float | None = None
    heartrate: float | None = None
    cadence: float | None = None
    watts: float | None = None
    temp: float | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """All points of a file in its order, and the activity's details in it."""

    points: Sequence[Point] = field(repr=False)
    sport: str | None = None
    """The sport type that Strava detects; None where it documents no detection."""
    name: str | None = None


def parse_xml(content: bytes, root_tag: str) -> Element:
    """The root of a well-formed document with that qualified root tag.

    Errors: `FileRejected` for anything else, and for any document type: entities are never expanded.
    """
    try:
        root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException as err:
        raise malformed("it declares a document type or entities") from err
    except (ParseError, ValueError, LookupError) as err:
        raise malformed(f"it is not well-formed XML: {err}") from err
    if root.tag != root_tag:
        raise malformed(f"its root is {root.tag}, not {root_tag}")
    return root


def number(text: str | None, tag: str) -> float:
    """The finite number in an element's text. Errors: `FileRejected`."""
    try:
        value = float(text or "")
    except ValueError as err:
        raise malformed(f"{tag} is no number: {text!r}") from err
    if not math.isfinite(value):
        raise malformed(f"{tag} is no number: {text!r}")
    return value


def coordinates(lat: float, lng: float) -> tuple[float, float]:
    """The position, if it is one on earth. Errors: `FileRejected`."""
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lng <= 180.0):
        raise malformed(f"{lat}, {lng} is not a position")
    return lat, lng
