"""Uploaded files become streams, and hostile ones a refusal in words, in either format and packing."""

from __future__ import annotations

import gzip
import re
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.strava_simulator.files import reader as files
from local.strava_simulator.files.reader import FileRejected, ParsedFile, read_file

Write = Callable[..., bytes]
WriteText = Callable[..., str]

START = datetime(2026, 7, 3, 6, 30, tzinfo=UTC)


def data(parsed: ParsedFile, stream: str) -> list[object]:
    return list(parsed.streams[stream]["data"])


def test_read_file_computes_distance_speed_and_moving_time(gpx: Write, trkpt: WriteText) -> None:
    parsed = read_file(gpx(*(trkpt(second) for second in range(11))), "gpx")
    assert parsed.start_at == START
    assert (parsed.elapsed_s, parsed.moving_s) == (10, 10)
    assert parsed.distance_m == pytest.approx(30.0, abs=0.1)
    assert data(parsed, "time") == list(range(11))
    assert data(parsed, "velocity_smooth")[1:] == [pytest.approx(3.0, abs=0.05)] * 10
    assert data(parsed, "moving") == [False, *[True] * 10]
    assert {stream["original_size"] for stream in parsed.streams.values()} == {11}


def test_read_file_takes_one_point(gpx: Write, trkpt: WriteText) -> None:
    parsed = read_file(gpx(trkpt()), "gpx")
    assert (parsed.elapsed_s, parsed.moving_s, parsed.distance_m) == (0, 0, 0.0)
    assert data(parsed, "latlng") == [[52.5, 13.4]]


def test_read_file_answers_only_streams_that_the_file_has(gpx: Write, trkpt: WriteText) -> None:
    parsed = read_file(gpx(trkpt(0), trkpt(1)), "gpx")
    assert set(parsed.streams) == {"time", "distance", "latlng", "velocity_smooth", "moving"}


def test_read_file_leaves_null_where_a_point_lacks_a_channel(gpx: Write, trkpt: WriteText) -> None:
    heart = "<extensions><heartrate>{}</heartrate></extensions>"
    parsed = read_file(gpx(trkpt(0, heart.format(120)), trkpt(1), trkpt(2, heart.format(122))), "gpx")
    assert data(parsed, "heartrate") == [120, None, 122]


def test_read_file_believes_the_file_s_distance_and_repairs_steps_back(gpx: Write, trkpt: WriteText) -> None:
    given_m = "<extensions><distance>{}</distance></extensions>"
    points = [trkpt(0, given_m.format(0)), trkpt(1, given_m.format(7.26)), trkpt(2), trkpt(3, given_m.format(1))]
    parsed = read_file(gpx(*points), "gpx")
    assert data(parsed, "distance") == [0.0, 7.3, None, 7.3]
    assert parsed.distance_m == 7.3


def test_read_file_counts_a_pause_as_elapsed_and_not_moving(gpx: Write, trkpt: WriteText) -> None:
    before = [trkpt(second) for second in range(5)]
    after = [trkpt(600 + second, lat=52.5 + (4 + second) * 3 / 111_195) for second in range(5)]
    parsed = read_file(gpx(*before, *after), "gpx")
    assert (parsed.elapsed_s, parsed.moving_s) == (604, 8)


def test_read_file_keeps_the_first_point_of_each_second(gpx: Write, trkpt: WriteText) -> None:
    parsed = read_file(gpx(*(trkpt(0.7 + tenth / 10) for tenth in range(25))), "gpx")
    assert parsed.start_at == START
    assert data(parsed, "time") == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "data_type",
    [pytest.param("GPX", id="upper"), pytest.param("gpx.gz", id="packed"), pytest.param("Gpx.GZ", id="mixed")],
)
def test_read_file_takes_types_in_any_case_and_packed(data_type: str, gpx: Write, trkpt: WriteText) -> None:
    content = gpx(trkpt(0), trkpt(1))
    packed = gzip.compress(content) if data_type.lower().endswith("gz") else content
    assert read_file(packed, data_type) == read_file(content, "gpx")


@pytest.mark.parametrize(
    "data_type",
    [pytest.param(name, id=name or "empty") for name in ("fit", "fit.gz", "json", "", "gpx.zip", "gpx.gz.gz", "gz")],
)
def test_read_file_refuses_other_types(data_type: str, gpx: Write, trkpt: WriteText) -> None:
    with pytest.raises(FileRejected, match="Unrecognized file type"):
        read_file(gpx(trkpt()), data_type)


@pytest.mark.parametrize("data_type", [pytest.param("gpx", id="gpx"), pytest.param("tcx", id="tcx")])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"   ", "malformed", id="blank"),
        pytest.param(b"PK\x03\x04", "malformed", id="zip"),
        pytest.param(b"\xff\xfe\x00", "malformed", id="bytes"),
        pytest.param(b'<?xml version="1.0" encoding="no-such"?><a/>', "malformed", id="unknown-encoding"),
        pytest.param(b"<html><body>Sign in</body></html>", "root is html", id="html"),
        pytest.param(b"<gpx><trk/></gpx>", "root is gpx", id="no-namespace"),
        pytest.param(b'<gpx xmlns="http://www.topografix.com/GPX/1/0"/>', "root is", id="gpx-1.0"),
        pytest.param(gzip.compress(b"<gpx/>"), "malformed", id="packed-without-saying"),
    ],
)
def test_read_file_refuses_what_is_not_the_format(content: bytes, reason: str, data_type: str) -> None:
    with pytest.raises(FileRejected, match=reason):
        read_file(content, data_type)


BILLION_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE_ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    "doctype",
    [
        pytest.param(BILLION_LAUGHS, id="billion-laughs"),
        pytest.param(OUTSIDE_ENTITY, id="external-entity"),
        pytest.param('<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">', id="external-dtd"),
        pytest.param("<!DOCTYPE x>", id="bare-doctype"),
    ],
)
@pytest.mark.parametrize("data_type", [pytest.param("gpx", id="gpx"), pytest.param("tcx", id="tcx")])
def test_read_file_refuses_document_types(
    doctype: str, data_type: str, gpx: Write, trkpt: WriteText, tcx: Write, trackpoint: WriteText
) -> None:
    content = gpx(trkpt()) if data_type == "gpx" else tcx(trackpoint())
    body = re.sub(rb"^<\?xml[^>]*\?>", b"", content)
    with pytest.raises(FileRejected, match="document type or entities"):
        read_file(doctype.encode() + body, data_type)


@pytest.mark.parametrize(
    "seconds",
    [pytest.param((0, 0), id="equal"), pytest.param((1, 0), id="falling"), pytest.param((0, 5, 3, 8), id="one-back")],
)
@pytest.mark.parametrize("data_type", [pytest.param("gpx", id="gpx"), pytest.param("tcx", id="tcx")])
def test_read_file_refuses_times_that_do_not_rise(
    seconds: tuple[int, ...], data_type: str, gpx: Write, trkpt: WriteText, tcx: Write, trackpoint: WriteText
) -> None:
    content = (
        gpx(*(trkpt(second, lat=52.5) for second in seconds))
        if data_type == "gpx"
        else tcx("".join(trackpoint(second) for second in seconds))
    )
    with pytest.raises(FileRejected, match="times do not increase at point"):
        read_file(content, data_type)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<gpx/>", id="plain"),
        pytest.param(gzip.compress(b"<gpx/>")[:-9], id="truncated"),
        pytest.param(b"\x1f\x8b" + b"\x00" * 20, id="bad-header"),
        pytest.param(gzip.compress(b"<gpx/>" * 100)[:20] + b"\x00" * 40, id="bad-body"),
    ],
)
def test_read_file_refuses_what_is_no_gzip(content: bytes) -> None:
    with pytest.raises(FileRejected, match="not a gzip file"):
        read_file(content, "gpx.gz")


def test_read_file_refuses_a_gzip_bomb_without_unpacking_it_all() -> None:
    squeeze = zlib.compressobj(level=1, wbits=31)
    block = b" " * 1_048_576
    member = b"".join(squeeze.compress(block) for _ in range(101)) + squeeze.flush()
    bomb = member * 6
    assert len(bomb) < files.MAX_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(FileRejected, match="100 MB"):
            read_file(bomb, "gpx.gz")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 3 * files.MAX_UNPACKED_BYTES


def test_read_file_refuses_more_than_25_mb() -> None:
    with pytest.raises(FileRejected, match="25 MB"):
        read_file(b" " * (files.MAX_BYTES + 1), "gpx")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_read_file_refuses_or_reads_any_truncated_or_damaged_file(
    gpx: Write, trkpt: WriteText, tcx: Write, trackpoint: WriteText, data: st.DataObject
) -> None:
    data_type = data.draw(st.sampled_from(["gpx", "tcx"]))
    whole = gpx(*(trkpt(second, "<ele>3</ele>") for second in range(3)))
    if data_type == "tcx":
        whole = tcx("".join(trackpoint(second, "<AltitudeMeters>3</AltitudeMeters>") for second in range(3)))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    damaged = whole[:start] + data.draw(st.binary(max_size=8)) + whole[end:]
    try:
        time = read_file(damaged, data_type).streams["time"]["data"]
    except FileRejected:
        return
    assert time[0] == 0


def test_read_file_reads_the_recorded_files(recorded: Path) -> None:
    text = (recorded / "gpx/strava_export_run_hr_2015.gpx").read_text()
    run = read_file(text.encode(), "gpx")
    assert len(data(run, "time")) == len(data(run, "heartrate")) == text.count("<trkpt") > 20
    assert f"<name>{run.name}</name>" in text
    text = (recorded / "gpx/strava_export_ride_power.first300.gpx").read_text()
    ride = read_file(text.encode(), "gpx")
    assert {"watts", "temp", "heartrate", "cadence", "altitude"} <= set(ride.streams)
    assert ride.elapsed_s + 1 == len(data(ride, "watts")) == text.count("<trkpt") > 50


def test_read_file_reads_the_recorded_laps(recorded: Path) -> None:
    text = (recorded / "dblock-strava-ruby-client/files/17611540601.tcx").read_text()
    lap = read_file(text.encode(), "tcx")
    [start], distances = re.findall(r"<Id>(.+)</Id>", text), re.findall(r"<DistanceMeters>(.+)</DistanceMeters>", text)
    assert lap.sport == "Run"
    assert lap.start_at == datetime.fromisoformat(start)
    assert lap.start_at.tzinfo == UTC
    assert lap.distance_m == pytest.approx(float(distances[0]), abs=0.1)
    assert len(data(lap, "heartrate")) == text.count("<Trackpoint>") > 20
