"""The file that goes into a child's account."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.circle import Circle, Position
from include.copying.files import build_file
from include.errors import Refused
from include.state.links import CopyOptions, Link
from include.strava.models import Activity, StreamSet, UploadFile
from local.testbed.track_files import write_gpx, write_tcx

MakeActivity = Callable[..., Activity]
MakeStreams = Callable[..., StreamSet]
MakeLink = Callable[..., Link]


def test_file_is_a_gpx_that_names_the_original_when_there_are_positions(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink
) -> None:
    file = build_file(make_activity(), make_streams(), make_link(), ())
    assert replace(file, content=b"") == UploadFile(
        external_id="sdi-101-9",
        data_type="gpx.gz",
        content=b"",
        name="Morning ride with Rex",
        sport_type="Ride",
        description="View on Strava: https://www.strava.com/activities/101",
        points=3,
    )
    assert gzip.decompress(file.content) == write_gpx(make_activity(), make_streams(), CopyOptions())


@pytest.mark.parametrize(
    ("changes", "trainer", "commute"),
    [
        pytest.param({}, False, False, id="neither"),
        pytest.param({"trainer": True, "commute": False}, True, False, id="on a trainer"),
        pytest.param({"trainer": None, "commute": True}, False, True, id="to work"),
        pytest.param({"trainer": "false", "commute": 1}, False, False, id="no flags"),
    ],
)
def test_file_says_whether_it_was_on_a_trainer_or_to_work(
    make_activity: MakeActivity,
    make_streams: MakeStreams,
    make_link: MakeLink,
    changes: dict[str, Any],
    trainer: bool,
    commute: bool,
) -> None:
    file = build_file(make_activity(**changes), make_streams(), make_link(), ())
    assert (file.trainer, file.commute) == (trainer, commute)


def test_file_is_a_tcx_when_there_are_no_positions(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink
) -> None:
    indoor = make_streams(latlng=None)
    file = build_file(make_activity(), indoor, make_link(), ())
    assert file.data_type == "tcx.gz"
    assert gzip.decompress(file.content) == write_tcx(make_activity(), indoor, CopyOptions())


@pytest.mark.parametrize("link_back", [True, False])
def test_file_goes_without_positions_and_says_so_when_all_are_hidden(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink, link_back: bool
) -> None:
    link = make_link(options=CopyOptions(link_back=link_back))
    file = build_file(make_activity(), make_streams(), link, [Circle(Position(48.1, 11.5), 350)])
    assert (file.data_type, file.track_hidden, file.points) == ("tcx.gz", True, 3)
    assert gzip.decompress(file.content) == write_tcx(make_activity(), make_streams(), CopyOptions())
    assert file.description.splitlines()[-1] == "Without its track, which lies too near to where it began or ended."
    assert ("View on Strava" in file.description) is link_back


def test_file_carries_what_the_link_chooses(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink
) -> None:
    link = make_link(options=CopyOptions(heartrate=False, power=False, temperature=False))
    content = gzip.decompress(build_file(make_activity(), make_streams(), link, ()).content)
    assert b"gpxtpx:cad" in content
    assert not [tag for tag in (b"gpxtpx:hr", b"<power>", b"gpxtpx:atemp") if tag in content]


def test_file_is_the_same_to_the_byte_at_every_try(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink
) -> None:
    tries = {build_file(make_activity(), make_streams(), make_link(), ()).content for _ in range(3)}
    assert len(tries) == 1
    assert next(iter(tries))[4:8] == bytes(4), "gzip's time stamp"


def test_file_s_name_is_one_clean_line_when_the_title_is_hostile(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink
) -> None:
    file = build_file(make_activity(name="a\r\nb: <c>\x00\ud800"), make_streams(), make_link(), ())
    assert file.name == "a b: <c>"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"time": None}, "3 points lack", id="no times"),
        pytest.param({"time": [0]}, "2 points lack", id="one point"),
    ],
)
def test_file_is_refused_with_the_reason_when_it_would_be_no_activity(
    make_activity: MakeActivity,
    make_streams: MakeStreams,
    make_link: MakeLink,
    changes: dict[str, Any],
    reason: str,
) -> None:
    with pytest.raises(Refused) as refusal:
        build_file(make_activity(), make_streams(**changes), make_link(), ())
    assert str(refusal.value) == (
        "activity 101 cannot be copied to athlete 9: This recording has fewer than two points with a time."
        f" {reason} a time or a position; skip this copy"
    )


def test_file_bears_the_title_that_the_link_chooses_inside_and_out(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink
) -> None:
    link = make_link(options=CopyOptions(title="{sport} of {parent}"))
    file = build_file(make_activity(name="A secret & Rex"), make_streams(), link, (), "Ann <b>")
    assert file.name == "Ride of Ann <b>"
    assert b"<name>Ride of Ann &lt;b&gt;</name>" in gzip.decompress(file.content)
    assert b"secret" not in gzip.decompress(file.content)


def test_file_says_nothing_of_the_original_when_the_link_does_not_want_it(
    make_activity: MakeActivity, make_streams: MakeStreams, make_link: MakeLink
) -> None:
    file = build_file(make_activity(), make_streams(), make_link(options=CopyOptions(link_back=False)), ())
    assert file.description == ""
