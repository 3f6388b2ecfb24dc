"""What a run of copies plans, does and reports, child by child."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import StravaUnavailable
from include.pipeline.copying.copies import CopyResult
from include.state.activities.ledger import ActivityState, DueWork
from include.state.copies.ledger import Copy, CopyState, external_id
from tests.include.pipeline.copying.jobs.family import (
    ACTIVITY_ID,
    MADE_ID,
    MIA,
    PARENT_ID,
    READY,
    REX,
    START_EPOCH_S,
    STILL,
    UPLOAD_ID,
    recorded,
)

OTHER_PARENT_ID = 711


def test_result_is_carried_to_the_next_task_without_title_or_name():
    assert CopyResult(REX, "done", MADE_ID, "").to_json() == {
        "child_id": REX,
        "state": "done",
        "child_activity_id": MADE_ID,
        "reason": "",
    }


def test_copy_is_planned_with_what_the_title_the_link_and_the_activity_say(family, monkeypatch):
    monkeypatch.setattr(family.services.state.copies, "acquire", lambda *_: None)

    results = family.run()

    assert family.copy() == replace(
        Copy(
            ACTIVITY_ID,
            REX,
            PARENT_ID,
            CopyState.PLANNED,
            external_id=external_id(ACTIVITY_ID, REX),
            matched="Rex",
            activity_start_epoch_s=START_EPOCH_S,
            planned_at_epoch_s=family.now_epoch_s,
            updated_at_epoch_s=family.now_epoch_s,
            next_try_epoch_s=family.now_epoch_s + 60,
        ),
        version=family.copy().version,
    )
    assert results == [CopyResult(REX, "planned", None, "another run is making this copy")]


def test_made_copy_is_reported_stored_and_in_the_lake(family):
    assert family.run() == [CopyResult(REX, "done", MADE_ID, "")]

    copy = family.copy()
    assert (copy.state, copy.child_activity_id, copy.upload_id) == (CopyState.DONE, MADE_ID, UPLOAD_ID)
    assert not family.services.state.copies.is_leased(copy)
    assert len(list(family.services.lake.objects.list("copies/"))) == 1
    assert family.run() == [CopyResult(REX, "done", MADE_ID, "")]
    family.strava.create_upload.assert_called_once()
    family.strava.upload.assert_called_once_with(REX, UPLOAD_ID)


def test_only_named_children_get_a_copy_in_whatever_order_the_links_are(family):
    family.link(70, "Zoe")
    family.connect(MIA)
    family.link(MIA, "Mia")
    family.link(74, "Ida")
    family.store(recorded(name="Mia and Rex"))

    assert [(result.child_id, result.state) for result in family.run()] == [(REX, "done"), (MIA, "done")]


@pytest.mark.parametrize(
    ("entry", "is_planned"),
    [
        pytest.param({"state": ActivityState.SYNCED}, True, id="synced"),
        pytest.param({"state": ActivityState.PENDING, "object_keys": ()}, False, id="listed only"),
        pytest.param({"state": ActivityState.PENDING}, True, id="to be fetched again"),
        pytest.param({"state": ActivityState.QUARANTINED, "object_keys": ()}, False, id="unreadable"),
        pytest.param({"state": ActivityState.QUARANTINED}, True, id="unreadable by now"),
        pytest.param({"state": ActivityState.NO_STREAMS, "object_keys": ()}, True, id="without a recording"),
    ],
)
def test_copies_are_planned_once_the_activity_is_stored(family, entry, is_planned):
    family.store(recorded(), **entry)

    assert bool(family.run()) is is_planned
    assert (family.copy() is not None) is is_planned


def test_copies_are_planned_of_a_stored_answer_that_the_ledger_does_not_know(family):
    family.services.state.activities.forget(PARENT_ID, ACTIVITY_ID)

    assert [result.state for result in family.run()] == ["done"]


def test_skipped_copy_is_tried_again_and_other_ends_are_not(family):
    for state, ends_as in (
        (CopyState.SKIPPED, "done"),
        (CopyState.FAILED, "failed"),
        (CopyState.UNFINISHED, "unfinished"),
    ):
        family.services.state.copies.forget(ACTIVITY_ID, REX)
        family.plan(state, reason="so", next_try_epoch_s=None)
        assert [result.state for result in family.run()] == [ends_as]


def test_copies_of_another_parent_are_neither_made_nor_reported(family):
    family.store(recorded(name="Alone"))
    family.plan(parent_id=OTHER_PARENT_ID)

    assert family.run() == []
    assert family.copy().state is CopyState.PLANNED
    family.strava.create_upload.assert_not_called()


def test_copies_are_no_longer_due_when_all_are_planned_and_a_newer_mark_stays(family):
    activities = family.services.state.activities
    family.store(recorded(), copies_due=DueWork(1, family.now_epoch_s))
    family.run()
    assert activities.get(PARENT_ID, ACTIVITY_ID).copies_due is None

    newer = DueWork(2, family.now_epoch_s)
    clear, seen = activities.clear_copies_due, []
    family.store(recorded(), copies_due=DueWork(1, family.now_epoch_s))

    def marked_meanwhile(parent_id, activity_id, fence):
        seen.append(fence)
        family.enter(activity_id, ActivityState.SYNCED, copies_due=newer)
        clear(parent_id, activity_id, fence)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(activities, "clear_copies_due", marked_meanwhile)
        family.run()
    assert (seen, activities.get(PARENT_ID, ACTIVITY_ID).copies_due) == ([1], newer)


def test_copies_that_are_not_due_are_not_cleared(family, monkeypatch):
    monkeypatch.setattr(family.services.state.activities, "clear_copies_due", lambda *_: pytest.fail("nothing is due"))

    assert [result.state for result in family.run()] == ["done"]
    family.services.state.activities.forget(PARENT_ID, ACTIVITY_ID)
    assert [result.state for result in family.run()] == ["done"]


@pytest.fixture
def waits(family):
    """The pauses between polls, and Mia beside Rex."""
    family.connect(MIA)
    family.link(MIA, "Mia")
    family.store(recorded(name="Mia and Rex"))
    waited = []

    def wait(seconds):
        waited.append(seconds)
        family.clock.advance(seconds)

    return waited, replace(family, services=replace(family.services, wait=wait))


def test_each_poll_waits_longer_and_only_for_children_whose_upload_is_not_decided(waits):
    waited, family = waits
    answers = {REX: [STILL, READY], MIA: [READY]}
    family.strava.upload.side_effect = lambda child_id, _: answers[child_id].pop(0)

    assert [result.state for result in family.run()] == ["done", "done"]
    assert waited == [2, 4]
    assert answers == {REX: [], MIA: []}


def test_upload_that_takes_longer_than_the_polls_is_left_for_a_quarter_of_an_hour(waits):
    waited, family = waits
    family.strava.upload.side_effect = lambda child_id, _: READY if child_id == MIA else STILL

    results = family.run()

    still = "Strava is still processing the file; it is checked again later."
    assert results == [CopyResult(REX, "processing", None, still), CopyResult(MIA, "done", MADE_ID, "")]
    assert waited == [2, 4, 8, 16]
    copy = family.copy()
    assert (copy.state, copy.reason, copy.next_try_epoch_s) == (CopyState.PROCESSING, still, family.now_epoch_s + 900)
    assert not family.services.state.copies.is_leased(copy)


def test_nothing_is_waited_for_when_no_file_was_sent(waits):
    waited, family = waits
    family.store(recorded(name="Mia and Rex", manual=True))

    assert [result.state for result in family.run()] == ["skipped", "skipped"]
    assert waited == []


def test_fault_of_one_child_is_raised_when_the_others_are_finished_and_the_lake_has_both(waits):
    _, family = waits
    send = family.strava.create_upload.side_effect

    def fails_for_rex(child_id, *arguments):
        if child_id == REX:
            raise StravaUnavailable("503")
        return send(child_id, *arguments)

    family.strava.create_upload.side_effect = fails_for_rex

    with pytest.raises(StravaUnavailable):
        family.run()

    assert [family.copy(child_id).state for child_id in (REX, MIA)] == [CopyState.PLANNED, CopyState.DONE]
    assert not family.services.state.copies.is_leased(family.copy())
    assert list(family.services.lake.objects.list("copies/"))


def test_copies_are_settled_and_in_the_lake_when_a_run_dies(family):
    family.strava.create_upload.side_effect = KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        family.run()

    assert not family.services.state.copies.is_leased(family.copy())
    assert list(family.services.lake.objects.list("copies/"))


def test_result_of_a_copy_that_another_worker_took_over_says_so(family):
    def taken_over(_child_id, _file, before_sending):
        family.clock.advance(121)
        family.services.state.copies.acquire(ACTIVITY_ID, REX)
        before_sending()

    family.strava.create_upload.side_effect = taken_over

    assert family.run() == [CopyResult(REX, "planned", None, "another run is making this copy")]
    assert family.services.state.copies.is_leased(family.copy()), "it stays in the other's hands"
