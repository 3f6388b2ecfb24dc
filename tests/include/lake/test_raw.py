from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from include.errors import LeaseLost, ObjectConflict, RetryLater, UnexpectedShape
from include.lake import keys
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.lake.raw import RawZone
from include.strava.models import Activity, StreamSet

MakeActivity = Callable[..., Activity]
MakeStreams = Callable[..., StreamSet]


def free() -> None:
    """The guard of a writer who may write."""


def lost() -> None:
    """The guard of a writer whose lease was taken over."""
    raise LeaseLost("another run has it")


@pytest.fixture
def raw(objects: FileObjects) -> RawZone:
    return RawZone(objects)


def test_answers_come_back_byte_for_byte(raw: RawZone, make_activity: MakeActivity, make_streams: MakeStreams) -> None:
    activity, streams = make_activity(name="Zoë 🏃"), make_streams(new_type=[1])
    raw.put_detail(activity, guard=free)
    raw.put_streams(activity.athlete_id, activity.activity_id, streams, guard=free)

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
    activity = make_activity()
    key = keys.raw_detail_key(activity.athlete_id, activity.activity_id)
    raw.put_detail(activity, guard=free)
    before = root_inode(key)
    raw.put_detail(make_activity(), guard=free)
    assert root_inode(key) == before
    raw.put_detail(make_activity(name="Another title"), guard=free)
    assert root_inode(key) != before


@pytest.fixture
def root_inode(objects: FileObjects) -> Callable[[str], int]:
    """The file that an object lives in; every write makes another one."""
    from pathlib import Path

    return lambda key: Path(objects.url(key)).stat().st_ino


def test_packed_bytes_carry_no_time(raw: RawZone, objects: FileObjects, make_activity: MakeActivity) -> None:
    activity = make_activity()
    raw.put_detail(activity, guard=free)
    stored = objects.get(keys.raw_detail_key(activity.athlete_id, activity.activity_id))
    assert stored is not None
    assert stored.body[4:8] == b"\0\0\0\0"
    assert gzip.decompress(stored.body) == make_activity().body


def test_summary_does_not_replace_a_detail(raw: RawZone, make_activity: MakeActivity) -> None:
    activity = make_activity()
    raw.put_detail(activity, guard=free)
    raw.put_summary(make_activity(resource_state=2, name="From a list"))
    assert raw.detail(activity.athlete_id, activity.activity_id) == activity


def test_summary_is_kept_when_there_is_nothing_yet(raw: RawZone, make_activity: MakeActivity) -> None:
    summary = make_activity(resource_state=2)
    raw.put_summary(summary)
    assert raw.detail(summary.athlete_id, summary.activity_id) == summary


def test_newer_summary_replaces_an_older_one(raw: RawZone, make_activity: MakeActivity) -> None:
    newer = make_activity(resource_state=2, name="Renamed since")
    raw.put_summary(make_activity(resource_state=2))
    raw.put_summary(newer)
    assert raw.detail(newer.athlete_id, newer.activity_id) == newer


def test_summary_replaces_what_cannot_be_read(raw: RawZone, objects: FileObjects, make_activity: MakeActivity) -> None:
    summary = make_activity(resource_state=2)
    key = keys.raw_detail_key(summary.athlete_id, summary.activity_id)
    objects.put(key, b"no gzip", expected=Condition.ANYTHING)
    raw.put_summary(summary)
    assert raw.detail(summary.athlete_id, summary.activity_id) == summary


@pytest.mark.parametrize("before", [None, "An older list's"])
def test_summary_is_left_when_another_worker_stores_an_answer_meanwhile(
    raw: RawZone, objects: FileObjects, make_activity: MakeActivity, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    theirs = make_activity(name="Theirs")
    if before is not None:
        raw.put_summary(make_activity(resource_state=2, name=before))
    put = objects.put

    def put_after_another(key: str, body: bytes, *, expected: str | Condition) -> str:
        monkeypatch.setattr(objects, "put", put)
        raw.put_detail(theirs, guard=free)
        return put(key, body, expected=expected)

    monkeypatch.setattr(objects, "put", put_after_another)
    raw.put_summary(make_activity(resource_state=2, name="From a list"))
    assert raw.detail(theirs.athlete_id, theirs.activity_id) == theirs


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"no gzip", "the object is not gzip; fetch the activity", id="no-gzip"),
        pytest.param(gzip.compress(b"{}")[:-4], "the object is not gzip; fetch the activity", id="cut-gzip"),
        pytest.param(gzip.compress(b"no json"), "the object is not JSON; fetch the activity", id="no-json"),
        pytest.param(gzip.compress(b"[" * 100_000), "the object is not JSON; fetch the activity", id="deep-json"),
        pytest.param(gzip.compress(b"[]"), "the object is not an activity; fetch the activity", id="no-object"),
        pytest.param(gzip.compress(b"{}"), "activity", id="no-activity"),
    ],
)
def test_broken_object_is_an_unexpected_shape(raw: RawZone, objects: FileObjects, body: bytes, says: str) -> None:
    objects.put(keys.raw_detail_key(1, 2), body, expected=Condition.ANYTHING)
    with pytest.raises(UnexpectedShape, match=says):
        raw.detail(1, 2)


def test_broken_streams_are_an_unexpected_shape_that_names_the_object(raw: RawZone, objects: FileObjects) -> None:
    objects.put(keys.raw_streams_key(1, 2), b"no gzip", expected=Condition.ANYTHING)
    with pytest.raises(UnexpectedShape, match=r"raw/athlete_id=1/2\.streams\.json\.gz: the object is not gzip"):
        raw.streams(1, 2)


# --- unreadable answers --------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [b"{", b""])
def test_unreadable_answer_is_stored_byte_for_byte_and_its_error_goes_on(
    raw: RawZone, objects: FileObjects, answer: bytes
) -> None:
    error = UnexpectedShape("activity 2: no start_date")
    error.answer = answer
    with pytest.raises(UnexpectedShape) as raised, raw.storing_unreadable(1, 2, guard=free):
        raise error

    assert raised.value is error
    stored = objects.get(keys.raw_odd_key(1, 2))
    assert stored is not None
    assert gzip.decompress(stored.body) == answer
    assert list(objects.list("")) == [keys.raw_odd_key(1, 2)]


@pytest.mark.parametrize("error", [UnexpectedShape("of our own object: there is no answer"), RetryLater("later")])
def test_nothing_is_stored_for_an_error_without_an_answer(raw: RawZone, objects: FileObjects, error: Exception) -> None:
    with pytest.raises(type(error)), raw.storing_unreadable(1, 2, guard=free):
        raise error
    assert list(objects.list("")) == []


def test_unreadable_answer_is_not_stored_when_the_lease_is_lost(raw: RawZone, objects: FileObjects) -> None:
    error = UnexpectedShape("activity 2: no start_date")
    error.answer = b"{"
    with pytest.raises(LeaseLost), raw.storing_unreadable(1, 2, guard=lost):
        raise error
    assert list(objects.list("")) == []


# --- removals and races --------------------------------------------------------------------------


def test_remove_takes_every_object_of_the_activity_and_no_other(
    raw: RawZone, objects: FileObjects, make_activity: MakeActivity, make_streams: MakeStreams
) -> None:
    for activity_id in (12, 1, 123):
        raw.put_detail(make_activity(id=activity_id, athlete={"id": 7}), guard=free)
        raw.put_streams(7, activity_id, make_streams(), guard=free)
        objects.put(keys.gpx_key(7, activity_id, 8), b"", expected=Condition.ANYTHING)
        objects.put(keys.tcx_key(7, activity_id, 9), b"", expected=Condition.ANYTHING)
        objects.put(keys.raw_odd_key(7, activity_id), b"", expected=Condition.ANYTHING)

    raw.remove(7, 12, guard=free)
    raw.remove(7, 12, guard=free)

    left = list(objects.list(""))
    assert not any("/12." in key or "/12-" in key for key in left)
    assert len(left) == 10


def test_remove_streams_leaves_the_answer_about_the_activity(
    raw: RawZone, make_activity: MakeActivity, make_streams: MakeStreams
) -> None:
    activity = make_activity()
    raw.put_detail(activity, guard=free)
    raw.put_streams(activity.athlete_id, activity.activity_id, make_streams(), guard=free)

    for _ in range(2):
        raw.remove_streams(activity.athlete_id, activity.activity_id, guard=free)

    assert raw.streams(activity.athlete_id, activity.activity_id) is None
    assert raw.detail(activity.athlete_id, activity.activity_id) == activity


def test_writer_without_a_lease_writes_and_removes_nothing(
    raw: RawZone, make_activity: MakeActivity, make_streams: MakeStreams
) -> None:
    activity = make_activity()
    raw.put_detail(activity, guard=free)
    raw.put_streams(activity.athlete_id, activity.activity_id, make_streams(), guard=free)
    for write in (
        lambda: raw.put_detail(make_activity(name="late"), guard=lost),
        lambda: raw.put_streams(activity.athlete_id, activity.activity_id, make_streams(time=[0]), guard=lost),
        lambda: raw.remove_streams(activity.athlete_id, activity.activity_id, guard=lost),
        lambda: raw.remove(activity.athlete_id, activity.activity_id, guard=lost),
    ):
        with pytest.raises(LeaseLost):
            write()
    kept = raw.streams(activity.athlete_id, activity.activity_id)
    assert raw.detail(activity.athlete_id, activity.activity_id) == activity
    assert kept is not None
    assert kept.body == make_streams().body


def test_writer_who_is_overtaken_between_reading_and_writing_looks_again(
    raw: RawZone, make_activity: MakeActivity
) -> None:
    activity, looks = make_activity(), []

    def overtaken() -> None:
        looks.append(len(looks))
        if len(looks) == 1:
            raw.put_detail(make_activity(name="quicker"), guard=free)

    raw.put_detail(activity, guard=overtaken)
    assert looks == [0, 1]
    assert raw.detail(activity.athlete_id, activity.activity_id) == activity


def test_writer_who_always_comes_second_gives_up_with_a_conflict(
    objects: FileObjects, make_activity: MakeActivity
) -> None:
    pauses: list[float] = []
    raw, quicker = RawZone(objects, sleep=pauses.append), RawZone(objects)
    titles = iter(range(1000))

    with pytest.raises(ObjectConflict):
        raw.put_detail(
            make_activity(), guard=lambda: quicker.put_detail(make_activity(name=str(next(titles))), guard=free)
        )
    assert 10 < len(pauses) == next(titles) - 1 < 60


def test_remover_who_is_overtaken_between_reading_and_removing_looks_again(
    objects: FileObjects, make_activity: MakeActivity
) -> None:
    pauses: list[float] = []
    raw, activity = RawZone(objects, sleep=pauses.append), make_activity()
    raw.put_detail(activity, guard=free)
    newer = iter([make_activity(name="quicker")])

    def overtaken() -> None:
        for each in newer:
            RawZone(objects).put_detail(each, guard=free)

    raw.remove(activity.athlete_id, activity.activity_id, guard=overtaken)
    assert (list(objects.list("")), len(pauses)) == ([], 1)
