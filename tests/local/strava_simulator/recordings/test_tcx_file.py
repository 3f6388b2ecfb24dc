"""TCX is read with or without positions, over all its laps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from local.strava_simulator.files.reader import FileRejected, ParsedFile, read_file

Write = Callable[..., bytes]
WriteText = Callable[..., str]


def data(parsed: ParsedFile, stream: str) -> list[Any]:
    return list(parsed.streams[stream]["data"])


def test_tcx_without_positions_has_its_sensors_and_no_position(tcx: Write, trackpoint: WriteText) -> None:
    inside = (
        "<DistanceMeters>{}</DistanceMeters><HeartRateBpm><Value>120</Value></HeartRateBpm><Cadence>88</Cadence>"
        "<Extensions><tpx:TPX><tpx:Speed>8.1234</tpx:Speed><tpx:Watts>201</tpx:Watts></tpx:TPX></Extensions>"
    )
    parsed = read_file(tcx("".join(trackpoint(second, inside.format(8 * second)) for second in range(3))), "tcx")
    assert "latlng" not in parsed.streams
    assert data(parsed, "distance") == [0.0, 8.0, 16.0]
    assert data(parsed, "heartrate") == [120] * 3
    assert data(parsed, "cadence") == [88] * 3
    assert data(parsed, "watts") == [201] * 3
    assert data(parsed, "velocity_smooth") == [8.123] * 3
    assert (parsed.distance_m, parsed.elapsed_s, parsed.moving_s) == (16.0, 2, 2)


def test_tcx_without_distance_and_position_moves_all_the_time(tcx: Write, trackpoint: WriteText) -> None:
    parsed = read_file(tcx(trackpoint(0) + trackpoint(10) + trackpoint(20)), "tcx")
    assert set(parsed.streams) == {"time", "moving"}
    assert (parsed.distance_m, parsed.elapsed_s, parsed.moving_s) == (0.0, 20, 20)


def test_tcx_position_missing_at_one_point_is_null_there(tcx: Write, trackpoint: WriteText) -> None:
    position = "<Position><LatitudeDegrees>{}</LatitudeDegrees><LongitudeDegrees>13.4</LongitudeDegrees></Position>"
    points = trackpoint(0, position.format(52.5)) + trackpoint(1) + trackpoint(2, position.format(52.50009))
    parsed = read_file(tcx(points), "tcx")
    assert data(parsed, "latlng") == [[52.5, 13.4], None, [52.50009, 13.4]]
    assert data(parsed, "distance") == [0.0, 0.0, pytest.approx(10.0, abs=0.1)]


def test_tcx_run_cadence_is_cadence_unless_that_is_given(tcx: Write, trackpoint: WriteText) -> None:
    run_cadence = "<Extensions><tpx:TPX><tpx:RunCadence>84</tpx:RunCadence></tpx:TPX></Extensions>"
    parsed = read_file(tcx(trackpoint(0, run_cadence) + trackpoint(1, f"<Cadence>80</Cadence>{run_cadence}")), "tcx")
    assert data(parsed, "cadence") == [84, 80]


def test_tcx_laps_are_joined_and_their_common_point_is_kept_once(tcx: Write, trackpoint: WriteText) -> None:
    laps = [trackpoint(0) + trackpoint(60), trackpoint(60) + trackpoint(120), "", trackpoint(150)]
    assert data(read_file(tcx(*laps), "tcx"), "time") == [0, 60, 120, 150]


@pytest.mark.parametrize(
    ("sport", "expected"),
    [
        pytest.param("Biking", "Ride", id="biking"),
        pytest.param("Running", "Run", id="running"),
        pytest.param("hiking", "Hike", id="lower-case"),
        pytest.param("Walking", "Walk", id="walking"),
        pytest.param("Swimming", "Swim", id="swimming"),
        pytest.param("Other", None, id="other"),
    ],
)
def test_tcx_sport_is_detected_as_documented(
    sport: str, expected: str | None, tcx: Write, trackpoint: WriteText
) -> None:
    assert read_file(tcx(trackpoint(), sport=sport), "tcx").sport == expected


@pytest.mark.usefixtures("machine_in_new_york")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-07-03T02:30:00.000-04:00", id="offset"),
        pytest.param("2026-07-03T06:30:00.9Z", id="fraction"),
        pytest.param(" 2026-07-03T06:30:00 ", id="no-zone"),
    ],
)
def test_tcx_time_is_read_in_any_zone(text: str, tcx: Write) -> None:
    parsed = read_file(tcx(f"<Trackpoint><Time>{text}</Time></Trackpoint>"), "tcx")
    assert parsed.start_at == datetime(2026, 7, 3, 6, 30, tzinfo=UTC)


def test_tcx_may_begin_with_a_byte_order_mark(tcx: Write, trackpoint: WriteText) -> None:
    assert read_file(b"\xef\xbb\xbf" + tcx(trackpoint()), "tcx").elapsed_s == 0


@pytest.mark.parametrize(
    "lap",
    [
        pytest.param("", id="no-point"),
        pytest.param("<Trackpoint/>", id="no-time"),
        pytest.param("<Trackpoint><Time> </Time></Trackpoint>", id="blank-time"),
    ],
)
def test_tcx_without_times_is_refused_in_strava_s_words(lap: str, tcx: Write) -> None:
    with pytest.raises(FileRejected) as refused:
        read_file(tcx(lap), "tcx")
    assert str(refused.value) == "Time information is missing from file."


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<AltitudeMeters>x</AltitudeMeters>", id="altitude-text"),
        pytest.param("<HeartRateBpm><Value/></HeartRateBpm>", id="heart-rate-empty"),
        pytest.param("<Position/>", id="position-empty"),
        pytest.param(
            "<Position><LatitudeDegrees>91</LatitudeDegrees><LongitudeDegrees>0</LongitudeDegrees></Position>",
            id="off-the-globe",
        ),
        pytest.param("<DistanceMeters>inf</DistanceMeters>", id="distance-infinite"),
    ],
)
def test_tcx_value_that_cannot_be_is_refused(inside: str, tcx: Write, trackpoint: WriteText) -> None:
    with pytest.raises(FileRejected, match="malformed"):
        read_file(tcx(trackpoint(0, inside)), "tcx")


@pytest.mark.parametrize(
    "text", [pytest.param("soon", id="text"), pytest.param("0001-01-01T00:00:00+14:00", id="before-year-one")]
)
def test_tcx_time_that_is_none_is_refused(text: str, tcx: Write) -> None:
    with pytest.raises(FileRejected, match="not a time"):
        read_file(tcx(f"<Trackpoint><Time>{text}</Time></Trackpoint>"), "tcx")


def test_tcx_of_a_course_is_refused(tcx: Write) -> None:
    course = tcx().replace(b"Activit", b"Cours")
    with pytest.raises(FileRejected, match="no activity"):
        read_file(course, "tcx")
