"""How others do the same work.

The original is github.com/zachdrone/Strava-Data-Ingest-App, commit f797694: it makes a GPX file of the streams, parses
that file again with gpxpy, and writes what it finds as a Parquet file of seven columns, one for each activity.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import gpxpy
import pyarrow as pa
import pyarrow.parquet as pq
from gpxpy.gpx import GPX, GPXTrack, GPXTrackPoint, GPXTrackSegment

from include.strava.models import Activity, StreamSet

_ORIGINALS_EXTENSIONS = ("distance", "cadence", "heartrate")
_GARMIN = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v1}"
_GARMIN_2 = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v2}"
_CLUETRUST = "{http://www.cluetrust.com/XML/GPXDATA/1/0}"


def original_gpx(streams: StreamSet, start_at: datetime) -> bytes:
    """The original's GPX file: no namespace, three bare extensions, one element object for each value."""
    channels = streams.channels
    root = ElementTree.Element("gpx", version="1.1", creator="original")
    segment = ElementTree.SubElement(ElementTree.SubElement(root, "trk"), "trkseg")
    for at, (lat, lng) in enumerate(channels["latlng"]):
        point = ElementTree.SubElement(segment, "trkpt", lat=str(lat), lon=str(lng))
        ElementTree.SubElement(point, "ele").text = str(channels["altitude"][at])
        moment = start_at + timedelta(seconds=channels["time"][at])
        ElementTree.SubElement(point, "time").text = moment.isoformat()
        extensions = ElementTree.SubElement(point, "extensions")
        for name in _ORIGINALS_EXTENSIONS:
            if name in channels and channels[name][at] is not None:
                ElementTree.SubElement(extensions, name).text = str(channels[name][at])
    return bytes(ElementTree.tostring(root, encoding="utf-8"))


def original_parquet(gpx: bytes) -> bytes:
    """The original's Parquet file: times as text, all else as double, pyarrow's default encodings.

    The original goes through a pandas DataFrame between the list of dictionaries and Arrow. pandas is no dependency
    of this project, so that step is left out, which is kinder to the original than the truth.
    """
    points: list[dict[str, Any]] = []
    for point in (point for track in gpxpy.parse(gpx).tracks for part in track.segments for point in part.points):
        row = {
            "latitude": point.latitude,
            "longitude": point.longitude,
            "altitude": point.elevation,
            "timestamp": point.time.isoformat() if point.time else None,
        }
        points.append(row | {extension.tag: float(extension.text) for extension in point.extensions})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(points), sink)
    return bytes(sink.getvalue().to_pybytes())


def pyarrow_rewrite(month: bytes, arriving: pa.Table) -> bytes:
    """A month's object with the arriving rows, as one writes it with pyarrow: read all, sort all, write all."""
    rows = pa.concat_tables([pq.read_table(pa.BufferReader(month)), arriving])
    sink = pa.BufferOutputStream()
    pq.write_table(rows.sort_by([("activity_id", "ascending"), ("point_index", "ascending")]), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def gpxpy_document(activity: Activity, streams: StreamSet) -> bytes:
    """The GPX file that `write_gpx` makes, built and serialised with gpxpy.

    The extensions are elements of the standard library, which gpxpy serialises faster than those of lxml.
    """
    document, track, segment = GPX(), GPXTrack(name=activity.name), GPXTrackSegment()
    document.creator = "gpxpy"
    document.nsmap |= {"gpxtpx": _GARMIN[1:-1], "gpxtpx2": _GARMIN_2[1:-1], "gpxdata": _CLUETRUST[1:-1]}
    document.tracks.append(track)
    track.segments.append(segment)
    start_at = activity.start_at.astimezone(UTC)
    for at in range(streams.length):
        segment.points.append(_gpxpy_point({name: samples[at] for name, samples in streams.channels.items()}, start_at))
    text: str = document.to_xml(version="1.1")
    return text.encode()


def _gpxpy_point(sample: dict[str, Any], start_at: datetime) -> GPXTrackPoint:
    lat, lng = sample["latlng"]
    moment = start_at + timedelta(seconds=sample["time"])
    point = GPXTrackPoint(lat, lng, elevation=sample["altitude"], time=moment)
    garmin, garmin_2 = (ElementTree.Element(f"{space}TrackPointExtension") for space in (_GARMIN, _GARMIN_2))
    _child(garmin, f"{_GARMIN}atemp", sample["temp"])
    _child(garmin, f"{_GARMIN}hr", sample["heartrate"])
    _child(garmin, f"{_GARMIN}cad", sample["cadence"])
    _child(garmin_2, f"{_GARMIN_2}speed", sample["velocity_smooth"])
    power, distance = ElementTree.Element("power"), ElementTree.Element(f"{_CLUETRUST}distance")
    power.text, distance.text = str(sample["watts"]), str(sample["distance"])
    point.extensions += [power, garmin, distance, garmin_2]
    return point


def _child(parent: ElementTree.Element, tag: str, value: float | None) -> None:
    if value is not None:
        ElementTree.SubElement(parent, tag).text = str(value)
