"""GPX is read as Strava documents it, and no further."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import gpxpy.gpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.strava_simulator.files.reader import FileRejected, ParsedFile, read_file
from local.strava_simulator.recordings.generator import Kind
from local.strava_simulator.world.activity import SimulatedActivity

Write = Callable[..., bytes]
WriteText = Callable[..., str]

TPX = "http://www.garmin.com/xmlschemas/TrackPointExtension/v1"
GARMIN = "<tpx:TrackPointExtension>{}</tpx:TrackPointExtension>"


def data(parsed: ParsedFile, stream: str) -> list[Any]:
    return list(parsed.streams[stream]["data"])


def written_by_gpxpy(activity: SimulatedActivity) -> bytes:
    """The activity as Strava's own export has it, serialised by an independent writer."""
    streams = {name: stream["data"] for name, stream in (activity.streams or {}).items()}
    started = datetime.fromisoformat(activity.detail["start_date"])
    segment = gpxpy.gpx.GPXTrackSegment()
    for index, second in enumerate(streams["time"]):
        lat, lng = streams["latlng"][index]
        point = gpxpy.gpx.GPXTrackPoint(lat, lng, streams["altitude"][index], started + timedelta(seconds=second))
        watts = streams.get("watts", [None] * (index + 1))[index]
        if watts is not None:
            power = Element("power")
            power.text = str(watts)
            point.extensions.append(power)
        sensors = Element(f"{{{TPX}}}TrackPointExtension")
        for tag, stream in (("atemp", "temp"), ("hr", "heartrate"), ("cad", "cadence")):
            sample = streams.get(stream, [None] * (index + 1))[index]
            if sample is not None:
                SubElement(sensors, f"{{{TPX}}}{tag}").text = str(sample)
        point.extensions.append(sensors)
        segment.points.append(point)
    gpx = gpxpy.gpx.GPX()
    gpx.nsmap["tpx"] = TPX
    gpx.tracks.append(gpxpy.gpx.GPXTrack(name=activity.detail["name"]))
    gpx.tracks[0].segments.append(segment)
    return str(gpx.to_xml(version="1.1")).encode()


@given(
    st.sampled_from([Kind.RUN, Kind.RIDE, Kind.TRAIL_RUN, Kind.VIRTUAL_RIDE]), st.integers(0, 999), st.integers(1, 120)
)
@settings(max_examples=25, deadline=None)
def test_gpx_round_trip_keeps_every_sample(
    make: Callable[..., SimulatedActivity], kind: Kind, seed: int, points: int
) -> None:
    activity = make(kind, seed=seed, points=points)
    parsed = read_file(written_by_gpxpy(activity), "gpx")
    assert activity.streams is not None
    carried = {"time", "latlng", "altitude", "heartrate", "cadence", "watts", "temp"} & set(activity.streams)
    for name in carried:
        expected = activity.streams[name]["data"]
        if any(sample is not None for sample in expected):
            assert data(parsed, name) == expected, name
    assert parsed.start_at == datetime.fromisoformat(activity.detail["start_date"])
    assert parsed.elapsed_s == activity.detail["elapsed_time"]
    assert parsed.distance_m == pytest.approx(activity.detail["distance"], rel=0.02, abs=0.5)
    assert parsed.name == activity.detail["name"]


@pytest.mark.parametrize(
    ("extension", "stream", "value"),
    [
        pytest.param(GARMIN.format("<tpx:hr>131</tpx:hr>"), "heartrate", 131, id="garmin-hr"),
        pytest.param(GARMIN.format("<tpx:cad>86</tpx:cad>"), "cadence", 86, id="garmin-cad"),
        pytest.param(GARMIN.format("<tpx:atemp>-3.4</tpx:atemp>"), "temp", -3, id="garmin-atemp"),
        pytest.param("<ct:hr>131.6</ct:hr>", "heartrate", 132, id="cluetrust-hr"),
        pytest.param("<ct:cadence>86</ct:cadence>", "cadence", 86, id="cluetrust-cadence"),
        pytest.param("<ct:temp>21</ct:temp>", "temp", 21, id="cluetrust-temp"),
        pytest.param("<ct:distance>12.34</ct:distance>", "distance", 12.3, id="cluetrust-distance"),
        pytest.param("<heartrate>131</heartrate>", "heartrate", 131, id="bare-heartrate"),
        pytest.param("<cadence>86</cadence>", "cadence", 86, id="bare-cadence"),
        pytest.param("<distance>12.34</distance>", "distance", 12.3, id="bare-distance"),
        pytest.param("<power> 250 </power>", "watts", 250, id="bare-power"),
        pytest.param('<power xmlns="">250</power>', "watts", 250, id="power-in-no-namespace"),
    ],
)
def test_gpx_extension_is_read_when_strava_documents_it(
    extension: str, stream: str, value: object, gpx: Write, trkpt: WriteText
) -> None:
    parsed = read_file(gpx(trkpt(0, f"<extensions>{extension}</extensions>")), "gpx")
    assert data(parsed, stream) == [value]


@pytest.mark.parametrize(
    "extension",
    [
        pytest.param("<tpx2:TrackPointExtension><tpx2:hr>131</tpx2:hr></tpx2:TrackPointExtension>", id="version-2"),
        pytest.param("<hr>131</hr><watts>99</watts>", id="other-bare-tags"),
        pytest.param("<tpx:hr>131</tpx:hr>", id="garmin-tag-outside-its-extension"),
        pytest.param(GARMIN.format("<hr>131</hr><power>200</power>"), id="bare-tags-inside-garmin-s"),
        pytest.param(GARMIN.format("<ct:hr>131</ct:hr>"), id="cluetrust-inside-garmin-s"),
        pytest.param("<!-- <heartrate>131</heartrate> --><?hr 131?>", id="comment"),
    ],
)
def test_gpx_extension_is_ignored_when_strava_does_not_document_it(
    extension: str, gpx: Write, trkpt: WriteText
) -> None:
    parsed = read_file(gpx(trkpt(0, f"<extensions>{extension}</extensions>")), "gpx")
    assert set(parsed.streams) == {"time", "distance", "latlng", "velocity_smooth", "moving"}


def test_gpx_type_is_no_sport(gpx: Write, trkpt: WriteText) -> None:
    around = "<trk><name>Loop</name><type>running</type><trkseg>{}</trkseg></trk>"
    parsed = read_file(gpx(trkpt(), around=around), "gpx")
    assert (parsed.sport, parsed.name) == (None, "Loop")


def test_gpx_name_is_the_file_s_when_the_track_has_none(gpx: Write, trkpt: WriteText) -> None:
    around = "<metadata><name>Outing</name></metadata><trk><trkseg>{}</trkseg></trk>"
    assert read_file(gpx(trkpt(), around=around), "gpx").name == "Outing"
    assert read_file(gpx(trkpt(), around="<trk><trkseg>{}</trkseg></trk>"), "gpx").name is None


def test_gpx_segments_and_tracks_are_joined(gpx: Write, trkpt: WriteText) -> None:
    segments = f"<trkseg>{trkpt(0)}</trkseg><trkseg/><trkseg>{trkpt(60)}</trkseg>"
    around = f"<trk>{segments}</trk><trk><trkseg>{{}}</trkseg></trk>"
    parsed = read_file(gpx(trkpt(120), around=around), "gpx")
    assert data(parsed, "time") == [0, 60, 120]


@pytest.mark.usefixtures("machine_in_new_york")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-07-03T06:30:00Z", datetime(2026, 7, 3, 6, 30, tzinfo=UTC), id="utc"),
        pytest.param("2026-07-03T08:30:00+02:00", datetime(2026, 7, 3, 6, 30, tzinfo=UTC), id="offset"),
        pytest.param(
            "2026-07-02T23:30:00.987-07:00", datetime(2026, 7, 3, 6, 30, tzinfo=UTC), id="offset-and-fraction"
        ),
        pytest.param("2026-07-03T06:30:00", datetime(2026, 7, 3, 6, 30, tzinfo=UTC), id="no-zone-is-utc"),
    ],
)
def test_gpx_time_is_read_in_any_zone(text: str, expected: datetime, gpx: Write) -> None:
    point = f'<trkpt lat="1" lon="2"><time>{text}</time></trkpt>'
    assert read_file(gpx(point), "gpx").start_at == expected


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([], id="no-point"),
        pytest.param(['<trkpt lat="1" lon="2"/>'], id="no-time"),
        pytest.param(['<trkpt lat="1" lon="2"><time/></trkpt>'], id="empty-time"),
        pytest.param(['<trkpt lat="1" lon="2"><time>yesterday</time></trkpt>'], id="unreadable-time"),
        pytest.param(['<trkpt lat="1" lon="2"><time>2026-02-30T00:00:00Z</time></trkpt>'], id="impossible-date"),
        pytest.param(
            ['<trkpt lat="1" lon="2"><time>2026-07-03T06:30:00Z</time></trkpt>', '<trkpt lat="1" lon="2"/>'],
            id="one-of-two-without",
        ),
    ],
)
def test_gpx_without_times_is_refused_in_strava_s_words(points: list[str], gpx: Write) -> None:
    with pytest.raises(FileRejected) as refused:
        read_file(gpx(*points), "gpx")
    assert str(refused.value) == "Time information is missing from file."


def test_gpx_of_waypoints_only_is_refused(gpx: Write) -> None:
    waypoint = '<wpt lat="34.1" lon="-118.2"><time>2021-04-08T18:52:22Z</time></wpt>'
    with pytest.raises(FileRejected, match="Time information is missing"):
        read_file(gpx(waypoint, around="{}"), "gpx")


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        pytest.param("90.01", "0", id="beyond-the-pole"),
        pytest.param("-91", "0", id="beyond-the-south-pole"),
        pytest.param("0", "180.5", id="beyond-the-date-line"),
        pytest.param("nan", "0", id="nan"),
        pytest.param("0", "1e999", id="infinite"),
        pytest.param("north", "0", id="text"),
        pytest.param("", "0", id="empty"),
    ],
)
def test_gpx_point_off_the_globe_is_refused(lat: str, lon: str, gpx: Write, trkpt: WriteText) -> None:
    with pytest.raises(FileRejected, match="malformed"):
        read_file(gpx(trkpt(0, lat=lat, lon=lon)), "gpx")


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<ele>high</ele>", id="elevation-text"),
        pytest.param("<ele>nan</ele>", id="elevation-nan"),
        pytest.param("<extensions><power>lots</power></extensions>", id="power-text"),
        pytest.param("<extensions><power/></extensions>", id="power-empty"),
        pytest.param("<extensions><heartrate>inf</heartrate></extensions>", id="heart-rate-infinite"),
    ],
)
def test_gpx_value_that_is_no_number_is_refused(inside: str, gpx: Write, trkpt: WriteText) -> None:
    with pytest.raises(FileRejected, match="malformed"):
        read_file(gpx(trkpt(0, inside)), "gpx")


def test_gpx_time_with_an_impossible_zone_is_refused(gpx: Write) -> None:
    point = '<trkpt lat="1" lon="2"><time>2026-07-03T06:30:00+99:00</time></trkpt>'
    with pytest.raises(FileRejected):
        read_file(gpx(point), "gpx")
