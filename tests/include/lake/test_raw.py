from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from include.errors import UnexpectedShape
from include.lake import keys
from include.lake.files import FileObjects
from include.lake.objects import Condition
from include.lake.raw import RawZone
from include.strava.models import Activity, StreamSet

MakeActivity = Callable[..., Activity]
MakeStreams = Callable[..., StreamSet]


@pytest.fixture
def raw(objects: FileObjects) -> RawZone:
    return RawZone(objects)


def test_answers_come_back_byte_for_byte(raw: RawZone, make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    activity, streams = make_activity(name="Zoë 🏃"), make_streams(new_type=[1])
    raw.put_detail(activity)
    raw.put_streams(activity.athlete_id, activity.activity_id, streams)

    detail = raw.detail(activity.athlete_id, activity.activity_id)
    again = raw.streams(activity.athlete_id, activity.activity_id)
    assert detail is not None
    assert (detail, detail.body) == (activity, activity.body)
    assert again is not None
    assert (again.body, again.channels) == (streams.body, streams.channels)


def test_nothing_comes_back_when_nothing_was_put(raw: RawZone) -> None:
    assert raw.detail(1, 2) is None
    assert raw.streams(1, 2) is None


def test_same_answer_is_not_written_again(
    raw: RawZone, root_inode: Callable[[str], int], make_activity: MakeActivity
) -> None:
    key = raw.put_detail(make_activity())
    before = root_inode(key)
    raw.put_detail(make_activity())
    assert root_inode(key) == before
    raw.put_detail(make_activity(name="Another title"))
    assert root_inode(key) != before


@pytest.fixture
def root_inode(objects: FileObjects) -> Callable[[str], int]:
    """The file that an object lives in; every write makes another one."""
    from pathlib import Path

    return lambda key: Path(objects.url(key)).stat().st_ino


def test_packed_bytes_carry_no_time(raw: RawZone, objects: FileObjects, make_activity: MakeActivity) -> None:
    stored = objects.get(raw.put_detail(make_activity()))
    assert stored is not None
    assert stored.body[4:8] == b"\0\0\0\0"
    assert gzip.decompress(stored.body) == make_activity().body


def test_summary_does_not_replace_a_detail_when_told_so(raw: RawZone, make_activity: MakeActivity) -> None:
    activity = make_activity()
    raw.put_detail(activity)
    raw.put_detail(make_activity(resource_state=2, name="From a list"), only_if_absent=True)
    assert raw.detail(activity.athlete_id, activity.activity_id) == activity


def test_summary_is_kept_when_there_is_nothing_yet(raw: RawZone, make_activity: MakeActivity) -> None:
    summary = make_activity(resource_state=2)
    raw.put_detail(summary, only_if_absent=True)
    assert raw.detail(summary.athlete_id, summary.activity_id) == summary


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"no gzip", id="no-gzip"),
        pytest.param(gzip.compress(b"{}")[:-4], id="cut-gzip"),
        pytest.param(gzip.compress(b"no json"), id="no-json"),
        pytest.param(gzip.compress(b"{}"), id="no-activity"),
    ],
)
def test_broken_object_is_an_unexpected_shape(raw: RawZone, objects: FileObjects, body: bytes) -> None:
    objects.put(keys.raw_detail_key(1, 2), body, expected=Condition.ANYTHING)
    with pytest.raises(UnexpectedShape):
        raw.detail(1, 2)


def test_remove_takes_every_object_of_the_activity_and_no_other(
    raw: RawZone, objects: FileObjects, make_activity: MakeActivity, make_streams: MakeStreams
) -> None:
    for activity_id in (12, 1, 123):
        raw.put_detail(make_activity(id=activity_id, athlete={"id": 7}))
        raw.put_streams(7, activity_id, make_streams())
        objects.put(keys.gpx_key(7, activity_id, 8), b"", expected=Condition.ANYTHING)
        objects.put(keys.tcx_key(7, activity_id, 9), b"", expected=Condition.ANYTHING)

    raw.remove(7, 12)
    raw.remove(7, 12)

    left = list(objects.list(""))
    assert not any("/12." in key or "/12-" in key for key in left)
    assert len(left) == 8
