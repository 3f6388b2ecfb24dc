"""GPX files, read back by another library and checked against the schemas."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gpxpy
import gpxpy.gpx
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from include.circle import Circle, Position
from include.copying.gpx import gpx_document
from include.copying.samples import positioned_samples
from include.state.links import CopyOptions
from include.strava.models import Activity, StreamSet
from local.testbed.track_files import write_gpx

MakeActivity = Callable[..., Activity]
MakeStreams = Callable[..., StreamSet]

WRITTEN = Path(__file__).with_name("schemas") / "gpx_written.xsd"
WHOLE = Path(__file__).parents[5] / "shared" / "recorded" / "schemas" / "bundle.xsd"

START = datetime(2026, 5, 1, 6, 59, 58, tzinfo=UTC)
V1 = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v1}"
V2 = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v2}"
CLUETRUST = "{http://www.cluetrust.com/XML/GPXDATA/1/0}"
SENSORS = {
    "heartrate": f"{V1}hr",
    "cadence": f"{V1}cad",
    "temp": f"{V1}atemp",
    "watts": "power",
    "distance": f"{CLUETRUST}distance",
    "velocity_smooth": f"{V2}speed",
}


def read(document: bytes) -> list[dict[str, Any]]:
    """Every point of a GPX file by stream type, with the values that it has."""
    (track,) = gpxpy.parse(document.decode()).tracks
    (segment,) = track.segments
    return [_point(point) for point in segment.points]


def _point(point: gpxpy.gpx.GPXTrackPoint) -> dict[str, Any]:
    found = {"latlng": [point.latitude, point.longitude], "time": point.time, "altitude": point.elevation}
    leaves = {leaf.tag: leaf.text for extension in point.extensions for leaf in extension.iter()}
    # gpxpy keeps the file's own namespace on a bare tag.
    leaves["power"] = leaves.pop("{http://www.topografix.com/GPX/1/1}power", leaves.get("power"))
    sensors = {key: float(leaves[tag]) for key, tag in SENSORS.items() if leaves.get(tag) is not None}
    return {key: value for key, value in {**found, **sensors}.items() if value is not None}


def expected(streams: StreamSet, start: datetime) -> list[dict[str, Any]]:
    """What a file of `streams` holds, for streams without values out of bounds: the plain way to say it."""
    points = []
    for at in range(streams.length):
        point = {key: data[at] for key, data in streams.channels.items() if at < len(data) and data[at] is not None}
        if "time" in point and "latlng" in point:
            point["time"] = start + timedelta(seconds=point["time"])
            points.append({key: value for key, value in point.items() if key not in {"moving", "grade_smooth"}})
    return points


def test_gpx_gives_back_every_value(make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    assert read(write_gpx(make_activity(), make_streams(), CopyOptions())) == expected(make_streams(), START)


def test_gpx_says_what_the_activity_is(make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    gpx = gpxpy.parse(write_gpx(make_activity(sport_type="TrailRun"), make_streams(), CopyOptions()).decode())
    assert (gpx.version, gpx.name, gpx.time) == ("1.1", "Morning ride with Rex", START)
    assert (gpx.tracks[0].name, gpx.tracks[0].type) == ("Morning ride with Rex", "TrailRun")


@pytest.mark.parametrize(
    ("altitude", "has_barometer"),
    [
        pytest.param([1, None, None], True, id="some elevation"),
        pytest.param([None, None, None], False, id="only nulls"),
        pytest.param(None, False, id="no elevation"),
    ],
)
def test_gpx_creator_asks_strava_to_keep_the_elevation_when_there_is_any(
    make_activity: MakeActivity, make_streams: MakeStreams, altitude: list[Any] | None, has_barometer: bool
) -> None:
    gpx = gpxpy.parse(write_gpx(make_activity(), make_streams(altitude=altitude), CopyOptions()).decode())
    assert gpx.creator is not None
    assert gpx.creator.endswith(" with barometer") is has_barometer


def test_gpx_keeps_the_schema_s_order_and_the_first_version_first(
    make_activity: MakeActivity, make_streams: MakeStreams
) -> None:
    document = write_gpx(make_activity(), make_streams(), CopyOptions()).decode()
    order = re.findall(r"<([\w:]+)", document.split("<trkpt")[1])
    assert order == [
        "ele",
        "time",
        "extensions",
        "power",
        "gpxtpx:TrackPointExtension",
        "gpxtpx:atemp",
        "gpxtpx:hr",
        "gpxtpx:cad",
        "gpxdata:distance",
        "gpxtpx2:TrackPointExtension",
        "gpxtpx2:speed",
    ]


@pytest.mark.parametrize("stream", [*SENSORS, "altitude"])
def test_gpx_lacks_only_the_missing_value_when_a_stream_has_gaps(
    make_activity: MakeActivity, make_streams: MakeStreams, stream: str
) -> None:
    gapped = make_streams(**{stream: [None, 30, None]})
    assert read(write_gpx(make_activity(), gapped, CopyOptions())) == expected(gapped, START)
    missing = make_streams(**{stream: None})
    assert read(write_gpx(make_activity(), missing, CopyOptions())) == expected(missing, START)


@pytest.mark.parametrize("points", [0, 1, 2])
def test_gpx_is_whole_when_points_are_few(make_activity: MakeActivity, make_streams: MakeStreams, points: int) -> None:
    streams = StreamSet({key: data[:points] for key, data in make_streams().channels.items()}, b"")
    document = write_gpx(make_activity(), streams, CopyOptions())
    assert len(read(document)) == points
    assert gpxpy.parse(document.decode()).time == START


def test_gpx_begins_with_the_first_point_when_the_start_is_trimmed(
    make_activity: MakeActivity, make_streams: MakeStreams
) -> None:
    hidden = [Circle(Position(48.1, 11.5), 10), Circle(Position(48.10036, 11.5), 10)]
    samples = positioned_samples(make_activity(), make_streams(), CopyOptions(), hidden)
    document = gpx_document(make_activity(), samples)
    assert [point["time"] for point in read(document)] == [START + timedelta(seconds=1)]
    assert gpxpy.parse(document.decode()).time == START + timedelta(seconds=1)
    assert b"06:59:58" not in document


def test_gpx_begins_a_new_segment_after_each_hole(
    make_activity: MakeActivity, make_streams: MakeStreams, schema: xmlschema.XMLSchema
) -> None:
    streams = StreamSet({"time": list(range(6)), "latlng": [[48.1 + at / 1e4, 11.5] for at in range(6)]}, b"")
    hidden = [Circle(Position(48.1 + at / 1e4, 11.5), 5) for at in (1, 4)]
    document = gpx_document(make_activity(), positioned_samples(make_activity(), streams, CopyOptions(), hidden))
    (track,) = gpxpy.parse(document.decode()).tracks
    assert [[round((point.latitude - 48.1) * 1e4) for point in part.points] for part in track.segments] == [
        [0],
        [2, 3],
        [5],
    ]
    schema.validate(document.decode())


TITLES = [
    pytest.param("</name><trkpt/> & \" ' ]]>", "</name><trkpt/> & \" ' ]]>", id="markup"),
    pytest.param("a\x00\x0b\x1bb\ud800", "ab", id="control characters and a lone surrogate"),
    pytest.param("{title} %s 🐶 <!-- &amp;", "{title} %s 🐶 <!-- &amp;", id="placeholders, emoji, entities"),
    pytest.param("two\nlines", "two lines", id="line break"),
    pytest.param("x" * 100_000, "x" * 100_000, id="long"),
]


@pytest.mark.parametrize(("title", "read_back"), TITLES)
def test_gpx_is_well_formed_when_the_title_is_hostile(
    make_activity: MakeActivity, make_streams: MakeStreams, title: str, read_back: str
) -> None:
    gpx = gpxpy.parse(write_gpx(make_activity(name=title, sport_type=title), make_streams(), CopyOptions()).decode())
    assert gpx.tracks[0].name == gpx.name == gpx.tracks[0].type == read_back


@pytest.fixture(scope="module", params=[WRITTEN, *([WHOLE] if WHOLE.is_file() else [])], ids=lambda path: path.stem)
def schema(request: pytest.FixtureRequest) -> xmlschema.XMLSchema:
    """GPX 1.1 with the schemas of the extensions: what a copy writes of it, and all where that is at hand."""
    return xmlschema.XMLSchema(str(request.param), allow="local")


def without_power(document: bytes) -> str:
    """The file less the bare power that Strava reads although the schema forbids it."""
    return re.sub(r"<power>\d+</power>", "", document.decode())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="everything"),
        pytest.param({"heartrate": [300, 0, 1], "cadence": [254, 255, 0], "distance": [0, 1e-7, 1e7]}, id="bounds"),
        pytest.param(
            {"latlng": [[-90, -180], [90, 179.9999998], [1e-7, 1e-7]], "altitude": [-0.0, 1e-9, 9e3]}, id="ends"
        ),
        pytest.param(
            {"heartrate": None, "cadence": None, "temp": None, "watts": None, "distance": None}, id="no sensors"
        ),
        pytest.param({"time": []}, id="no points"),
    ],
)
def test_gpx_is_valid_but_for_the_bare_power(
    make_activity: MakeActivity, make_streams: MakeStreams, schema: xmlschema.XMLSchema, changes: dict[str, Any]
) -> None:
    document = write_gpx(make_activity(name="<a> & \x00"), make_streams(**changes), CopyOptions())
    schema.validate(without_power(document))


def test_gpx_breaks_the_schema_with_the_bare_power_alone(
    make_activity: MakeActivity, make_streams: MakeStreams, schema: xmlschema.XMLSchema
) -> None:
    document = write_gpx(make_activity(), make_streams(), CopyOptions())
    reasons = [str(error.reason) for error in schema.iter_errors(document.decode())]
    assert len(reasons) == 3
    assert all("power" in reason for reason in reasons)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param("sweatpy/activity_streams_array.json", id="the last thousand points, no power at the end"),
        pytest.param("strava-go.strava/activity_stream.json", id="nulls at the start"),
    ],
)
def test_gpx_gives_back_a_recorded_activity(
    make_activity: MakeActivity, recorded_streams: Callable[[str], StreamSet], recording: str
) -> None:
    whole = recorded_streams(recording)
    streams = StreamSet({key: data[-1000:] for key, data in whole.channels.items()}, b"")
    assert read(write_gpx(make_activity(), streams, CopyOptions())) == expected(streams, START)


def test_gpx_of_a_recorded_activity_is_valid(
    make_activity: MakeActivity, recorded_streams: Callable[[str], StreamSet], schema: xmlschema.XMLSchema
) -> None:
    whole = recorded_streams("sweatpy/activity_streams_array.json")
    part = StreamSet({key: data[-300:] for key, data in whole.channels.items()}, b"")
    schema.validate(without_power(write_gpx(make_activity(), part, CopyOptions())))


numbers = st.none() | st.integers(15, 250)


@given(
    latlng=st.lists(
        st.none()
        | st.tuples(st.floats(-89, 89), st.floats(-179, 179)).map(lambda pair: [round(x, 6) or 1.0 for x in pair]),
        max_size=8,
    ),
    heartrate=st.lists(numbers, max_size=8),
    watts=st.lists(numbers, max_size=8),
    altitude=st.lists(st.none() | st.floats(-400, 9000).map(lambda x: round(x, 3)), max_size=8),
)
def test_gpx_gives_back_whatever_streams_hold(
    make_activity: MakeActivity, latlng: list[Any], heartrate: list[Any], watts: list[Any], altitude: list[Any]
) -> None:
    channels = {"latlng": latlng, "heartrate": heartrate, "watts": watts, "altitude": altitude}
    streams = StreamSet({"time": list(range(0, 16, 2)), **channels}, b"")
    assert read(write_gpx(make_activity(), streams, CopyOptions())) == expected(streams, START)
