"""Independent readers find in every file what the writer was given, and the simulated Strava takes it."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gpx as second_gpx
import gpxpy
import pytest
import xmlschema
from defusedxml.ElementTree import fromstring
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tcxreader.tcxreader import TCXReader

from include.circle import Circle
from include.copying.files import build_file
from include.copying.gpx import gpx_document
from include.copying.samples import Samples, chosen_samples, recorded_ends, too_few_reason
from include.copying.tcx import tcx_document
from include.state.links import CopyOptions, Link
from include.strava.models import Activity, StreamSet
from local.strava_simulator.files.gpx import read_gpx
from local.strava_simulator.files.reader import read_file
from local.strava_simulator.files.tcx import read_tcx
from local.strava_simulator.files.track import Track

MakeActivity = Callable[..., Activity]
Rows = list[dict[str, Any]]

GPX = "http://www.topografix.com/GPX/1/1"
V1 = "http://www.garmin.com/xmlschemas/TrackPointExtension/v1"
V2 = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
CLUETRUST = "http://www.cluetrust.com/XML/GPXDATA/1/0"
IN_GPX = {
    "distance_m": (CLUETRUST, "distance"),
    "velocity_mps": (V2, "speed"),
    "heartrate_bpm": (V1, "hr"),
    "cadence_rpm": (V1, "cad"),
    "temp_c": (V1, "atemp"),
    "watts": (GPX, "power"),
}
TCX = "{http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2}"
TPX = "{http://www.garmin.com/xmlschemas/ActivityExtension/v2}"
IN_TCX = {
    "altitude_m": f"{TCX}AltitudeMeters",
    "distance_m": f"{TCX}DistanceMeters",
    "heartrate_bpm": f"{TCX}HeartRateBpm/{TCX}Value",
    "cadence_rpm": f"{TCX}Cadence",
    "velocity_mps": f"{TCX}Extensions/{TPX}TPX/{TPX}Speed",
    "watts": f"{TCX}Extensions/{TPX}TPX/{TPX}Watts",
}
RUN_CADENCE = f"{TCX}Extensions/{TPX}TPX/{TPX}RunCadence"


def written(samples: Samples, columns: Sequence[str]) -> Rows:
    """What each point has, with the decimals that a file gives it."""
    rows = []
    for at, epoch_s in enumerate(samples.epoch_s):
        values = {name: getattr(samples, name)[at] for name in columns}
        decimals = {name: 7 if name in ("lat", "lon") else 3 for name in columns}
        row = {name: float(f"{value:.{decimals[name]}f}") for name, value in values.items() if value is not None}
        rows.append({"epoch_s": epoch_s, **row})
    return rows


def row(at: datetime | None, values: dict[str, Any]) -> dict[str, Any]:
    assert at is not None
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    known = {name: float(value) for name, value in values.items() if value is not None}
    return {"epoch_s": int(aware.timestamp()), **known}


# --- the readers ---------------------------------------------------------------------------------


def by_gpxpy(document: bytes) -> Rows:
    rows = []
    for point in (point for segment in gpxpy.parse(document.decode()).tracks[0].segments for point in segment.points):
        leaves = {leaf.tag: leaf.text for extension in point.extensions for leaf in extension.iter()}
        found = {name: leaves.get(f"{{{space}}}{tag}") for name, (space, tag) in IN_GPX.items()}
        found["watts"] = found["watts"] or leaves.get("power")
        place = {"lat": point.latitude, "lon": point.longitude, "altitude_m": point.elevation}
        rows.append(row(point.time, {**place, **found}))
    return rows


def by_gpx(document: bytes) -> Rows:
    rows = []
    for point in (point for segment in second_gpx.from_string(document).trk[0].trkseg for point in segment.trkpt):
        leaves = {leaf.tag: leaf.text for extension in point.extensions or () for leaf in extension.iter()}
        found = {name: leaves.get(f"{{{space}}}{tag}") for name, (space, tag) in IN_GPX.items()}
        place = {"lat": point.lat, "lon": point.lon, "altitude_m": point.ele}
        rows.append(row(point.time, {**place, **found}))
    return rows


def by_strava(track: Track) -> Rows:
    """The simulator's parser, which reads what Strava documents: in GPX no speed, in TCX no temperature."""
    return [
        row(
            point.at,
            {
                "lat": point.latlng[0] if point.latlng else None,
                "lon": point.latlng[1] if point.latlng else None,
                "altitude_m": point.altitude_m,
                "distance_m": point.distance_m,
                "velocity_mps": point.speed_mps,
                "heartrate_bpm": point.heartrate,
                "cadence_rpm": point.cadence,
                "temp_c": point.temp,
                "watts": point.watts,
            },
        )
        for point in track.points
    ]


def by_tcxreader(document: bytes) -> Rows:
    points = TCXReader().read(io.BytesIO(document), only_gps=False).trackpoints
    rows = []
    for point in points:
        extension = {name: point.tpx_ext.get(tag) for name, tag in (("velocity_mps", "Speed"), ("watts", "Watts"))}
        own = {"altitude_m": point.elevation, "distance_m": point.distance, "heartrate_bpm": point.hr_value}
        cadence = point.cadence if point.cadence is not None else point.tpx_ext.get("RunCadence")
        rows.append(row(point.time, {**own, **extension, "cadence_rpm": cadence}))
    return rows


def by_defusedxml(document: bytes) -> Rows:
    rows = []
    for point in fromstring(document).iter(f"{TCX}Trackpoint"):
        values = {name: point.findtext(path) for name, path in IN_TCX.items()}
        values["cadence_rpm"] = values["cadence_rpm"] or point.findtext(RUN_CADENCE)
        rows.append(row(datetime.fromisoformat(point.findtext(f"{TCX}Time") or ""), values))
    return rows


# --- the recordings ------------------------------------------------------------------------------


def nullable(values: st.SearchStrategy[Any], points: int) -> st.SearchStrategy[list[Any] | None]:
    """A stream that may be missing, may have gaps, and may be shorter than the others."""
    return st.none() | st.lists(st.none() | values, max_size=points)


@st.composite
def recordings(draw: st.DrawFn, *, indoors: bool) -> StreamSet:
    """Streams as Strava may answer them: a hidden start, pauses, nulls, missing streams, [0, 0] for no position."""
    points = draw(st.integers(2, 8))
    hidden_s = draw(st.sampled_from([0, 0, 1, 700]))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 4, 3600]), min_size=points, max_size=points))
    time = [hidden_s + sum(steps[:at]) for at in range(points)]
    gaps = draw(st.sets(st.integers(0, points - 1), max_size=2))
    somewhere = st.tuples(st.floats(-90, 90), st.floats(-180, 179.99)).map(list)
    place = somewhere | somewhere | st.sampled_from([None, [], [0, 0], [48.1, 11.5]])
    channels = {
        "time": [None if at in gaps else second for at, second in enumerate(time)],
        "latlng": None if indoors else draw(st.lists(place, min_size=points, max_size=points)),
        "altitude": draw(nullable(st.floats(-420, 9000), points)),
        "distance": draw(st.none() | st.just([at * 30.1 for at in range(points)])),
        "velocity_smooth": draw(nullable(st.floats(0, 40), points)),
        "heartrate": draw(nullable(st.integers(0, 260), points)),
        "cadence": draw(nullable(st.integers(0, 255), points)),
        "watts": draw(nullable(st.integers(0, 2500), points)),
        "temp": draw(nullable(st.integers(-40, 60), points)),
    }
    return StreamSet({name: data for name, data in channels.items() if data is not None}, b"")


choices = st.builds(CopyOptions, heartrate=st.booleans(), power=st.booleans(), temperature=st.booleans())
radii = st.sampled_from([0, 0, 30, 100])
sports = st.sampled_from(["Ride", "Run", "Walk", "VirtualRide", "WeightTraining"])


def around_ends(streams: StreamSet, radius_m: int) -> list[Circle]:
    """Circles of this radius around both ends; the drawn places lie in one spot or far apart."""
    return [Circle(end, radius_m) for end in recorded_ends(streams)] if radius_m else []


def to_write(activity: Activity, streams: StreamSet, options: CopyOptions, radius_m: int = 0) -> Samples:
    """What a file would hold; draws that no file is made of are given up."""
    samples = chosen_samples(activity, streams, options, around_ends(streams, radius_m))
    assume(too_few_reason(samples) is None)
    return samples


# Drawing whole recordings takes a while, and a busy machine takes longer.
patiently = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

PLAIN = StreamSet({"time": [0, 1], "latlng": [[1.0, 2.0], [1.0, 2.0001]]}, b"")


@patiently
@given(streams=recordings(indoors=False), options=choices, sport=sports, radius_m=radii)
@example(streams=PLAIN, options=CopyOptions(), sport="Run", radius_m=0)
def test_gpx_readers_agree_with_what_was_written(
    make_activity: MakeActivity, streams: StreamSet, options: CopyOptions, sport: str, radius_m: int
) -> None:
    activity = make_activity(sport_type=sport)
    samples = to_write(activity, streams, options, radius_m)
    assume(samples.has_positions)
    document = gpx_document(activity, samples)

    place = ("lat", "lon", "altitude_m")
    assert by_gpxpy(document) == by_gpx(document) == written(samples, (*place, *IN_GPX))
    without_speed = [name for name in (*place, *IN_GPX) if name != "velocity_mps"]
    assert by_strava(read_gpx(document)) == written(samples, without_speed)


@pytest.fixture(scope="module")
def tcx_schema() -> xmlschema.XMLSchema:
    """The schemas of what a copy writes."""
    return xmlschema.XMLSchema(str(Path(__file__).with_name("schemas") / "tcx_written.xsd"), allow="local")


@patiently
@given(streams=recordings(indoors=True), options=choices, sport=sports)
@example(streams=StreamSet({"time": [0, 1]}, b""), options=CopyOptions(), sport="Run")
def test_tcx_readers_agree_with_what_was_written(
    make_activity: MakeActivity, tcx_schema: xmlschema.XMLSchema, streams: StreamSet, options: CopyOptions, sport: str
) -> None:
    activity = make_activity(sport_type=sport)
    samples = to_write(activity, streams, options)
    document = tcx_document(activity, samples)

    expected = written(samples, tuple(IN_TCX))
    assert by_tcxreader(document) == by_defusedxml(document) == by_strava(read_tcx(document)) == expected
    tcx_schema.validate(document.decode())


@patiently
@given(streams=recordings(indoors=False) | recordings(indoors=True), options=choices, radius_m=radii)
def test_strava_takes_every_file_and_keeps_every_point(
    make_activity: MakeActivity, make_link: Callable[..., Link], streams: StreamSet, options: CopyOptions, radius_m: int
) -> None:
    activity = make_activity()
    samples = to_write(activity, streams, options, radius_m)
    file = build_file(activity, streams, make_link(options=options), around_ends(streams, radius_m), "Ann")

    taken = read_file(file.content, file.data_type)

    assert taken.start_at == datetime.fromtimestamp(samples.epoch_s[0], UTC)
    assert taken.streams["time"]["data"] == [epoch_s - samples.epoch_s[0] for epoch_s in samples.epoch_s]
    assert ("latlng" in taken.streams) is samples.has_positions
    assert gzip.decompress(file.content).startswith(b"<?xml")
