"""TCX files for activities without positions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import xmlschema
from defusedxml.ElementTree import fromstring

from include.state.links import CopyOptions
from include.strava.models import Activity, StreamSet
from local.testbed.track_files import write_tcx

MakeActivity = Callable[..., Activity]
MakeStreams = Callable[..., StreamSet]

START = datetime(2026, 5, 1, 6, 59, 58, tzinfo=UTC)
TCX = "{http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2}"
TPX = "{http://www.garmin.com/xmlschemas/ActivityExtension/v2}"
VALUES = {
    "altitude": f"{TCX}AltitudeMeters",
    "distance": f"{TCX}DistanceMeters",
    "heartrate": f"{TCX}HeartRateBpm/{TCX}Value",
    "cadence": f"{TCX}Cadence",
    "velocity_smooth": f"{TCX}Extensions/{TPX}TPX/{TPX}Speed",
    "watts": f"{TCX}Extensions/{TPX}TPX/{TPX}Watts",
}
RUN_CADENCE = f"{TCX}Extensions/{TPX}TPX/{TPX}RunCadence"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """The schemas of what a copy writes."""
    return xmlschema.XMLSchema(str(Path(__file__).with_name("schemas") / "tcx_written.xsd"), allow="local")


def trackpoints(document: bytes) -> list[Element]:
    return list(fromstring(document).iter(f"{TCX}Trackpoint"))


def read(document: bytes) -> list[dict[str, Any]]:
    """Every trackpoint of a TCX file by stream type, with the values that it has."""
    points = []
    for point in trackpoints(document):
        found = {key: float(text) for key, path in VALUES.items() if (text := point.findtext(path)) is not None}
        points.append({"time": datetime.fromisoformat(point.findtext(f"{TCX}Time") or ""), **found})
    return points


def expected(streams: StreamSet) -> list[dict[str, Any]]:
    points = []
    for at in range(streams.length):
        point = {key: data[at] for key, data in streams.channels.items() if data[at] is not None}
        if "time" in point:
            kept = {key: value for key, value in point.items() if key in VALUES}
            points.append({"time": START + timedelta(seconds=point["time"]), **kept})
    return points


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="everything"),
        pytest.param({"heartrate": [None, 15, None], "watts": [None, 2, None]}, id="gaps"),
        pytest.param({"velocity_smooth": None, "watts": None, "altitude": None}, id="no speed, no power"),
        pytest.param({"heartrate": None, "cadence": None, "distance": None}, id="no heart rate, no distance"),
        pytest.param({"time": [0, None, 5]}, id="a point without a time"),
    ],
)
def test_tcx_gives_back_every_value_but_temperature_and_position(
    make_activity: MakeActivity, make_streams: MakeStreams, schema: xmlschema.XMLSchema, changes: dict[str, Any]
) -> None:
    streams = make_streams(latlng=None, **changes)
    document = write_tcx(make_activity(), streams, CopyOptions())
    assert read(document) == expected(streams)
    schema.validate(document.decode())


def test_tcx_never_holds_a_position(make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    document = write_tcx(make_activity(), make_streams(), CopyOptions())
    assert len(trackpoints(document)) == 3
    assert b"Position" not in document
    assert b"48.1" not in document


@pytest.mark.parametrize(
    ("sport_type", "sport", "on_foot"),
    [
        pytest.param("Ride", "Biking", False, id="ride"),
        pytest.param("EMountainBikeRide", "Biking", False, id="other ride"),
        pytest.param("VirtualRun", "Running", True, id="treadmill"),
        pytest.param("Walk", "Other", True, id="walk"),
        pytest.param("WeightTraining", "Other", False, id="strength"),
        pytest.param("SomethingNew", "Other", False, id="unknown"),
    ],
)
def test_tcx_names_the_sport_and_the_kind_of_cadence(
    make_activity: MakeActivity,
    make_streams: MakeStreams,
    schema: xmlschema.XMLSchema,
    sport_type: str,
    sport: str,
    on_foot: bool,
) -> None:
    document = write_tcx(make_activity(sport_type=sport_type), make_streams(), CopyOptions())
    schema.validate(document.decode())
    (activity,) = fromstring(document).iter(f"{TCX}Activity")
    assert activity.get("Sport") == sport
    points = trackpoints(document)
    assert [point.findtext(VALUES["cadence"]) for point in points] == ["80", "0", "81"]
    assert [point.findtext(RUN_CADENCE) for point in points] == (["80", "0", "81"] if on_foot else [None] * 3)


@pytest.mark.parametrize(
    ("sport_type", "extended"),
    [pytest.param("Run", True, id="on foot"), pytest.param("Ride", False, id="not on foot")],
)
def test_tcx_extends_points_for_the_cadence_alone_when_it_is_one_of_feet(
    make_activity: MakeActivity, make_streams: MakeStreams, sport_type: str, extended: bool
) -> None:
    streams = make_streams(velocity_smooth=None, watts=None)
    points = trackpoints(write_tcx(make_activity(sport_type=sport_type), streams, CopyOptions()))
    assert [point.find(f"{TCX}Extensions") is not None for point in points] == [extended] * 3
    assert [point.findtext(RUN_CADENCE) for point in points] == (["80", "0", "81"] if extended else [None] * 3)


def test_tcx_lap_sums_the_activity_up(make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    (lap,) = fromstring(write_tcx(make_activity(), make_streams(), CopyOptions())).iter(f"{TCX}Lap")
    assert lap.get("StartTime") == "2026-05-01T06:59:58Z"
    assert (lap.findtext(f"{TCX}TotalTimeSeconds"), lap.findtext(f"{TCX}DistanceMeters")) == ("12", "61.500")


@pytest.mark.parametrize("points", [0, 1, 2])
def test_tcx_is_valid_when_points_are_few(
    make_activity: MakeActivity, make_streams: MakeStreams, schema: xmlschema.XMLSchema, points: int
) -> None:
    streams = StreamSet({key: data[:points] for key, data in make_streams().channels.items()}, b"")
    document = write_tcx(make_activity(), streams, CopyOptions())
    schema.validate(document.decode())
    assert len(trackpoints(document)) == points


@pytest.mark.parametrize(
    ("title", "read_back"),
    [
        pytest.param("</Notes> & {title} ]]>", "</Notes> & {title} ]]>", id="markup"),
        pytest.param("a\x00\x1bb\udfff\nc", "ab c", id="control characters"),
    ],
)
def test_tcx_is_valid_when_the_title_is_hostile(
    make_activity: MakeActivity, make_streams: MakeStreams, schema: xmlschema.XMLSchema, title: str, read_back: str
) -> None:
    document = write_tcx(make_activity(name=title), make_streams(), CopyOptions())
    schema.validate(document.decode())
    assert fromstring(document).findtext(f".//{TCX}Notes") == read_back


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param("sweatpy/activity_streams_array.json", id="all streams"),
        pytest.param("strava-go.strava/activity_stream.json", id="nulls at the start"),
    ],
)
def test_tcx_gives_back_a_recorded_activity(
    make_activity: MakeActivity,
    recorded_streams: Callable[[str], StreamSet],
    schema: xmlschema.XMLSchema,
    recording: str,
) -> None:
    whole = recorded_streams(recording)
    streams = StreamSet({key: data[:300] for key, data in whole.channels.items() if key != "latlng"}, b"")
    document = write_tcx(make_activity(), streams, CopyOptions())
    assert read(document) == expected(streams)
    schema.validate(document.decode())
