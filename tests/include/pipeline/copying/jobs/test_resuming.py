"""How a job continues what an earlier run has begun."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import Gone, QuotaSpent, ScopeMissing
from include.state.copies.ledger import FINAL_STATES, CopyState
from include.strava.models import Activity
from tests.include.pipeline.copying.jobs.family import ACTIVITY_ID, MADE_ID, PARENT_ID, READY, REX, STILL, UPLOAD_ID

NOT_GRANTED = ScopeMissing("not granted", scope="activity:read")


def in_the_list(family):
    """The child's list shows the activity that the file has become."""
    row = {
        "id": MADE_ID,
        "athlete": {"id": REX},
        "start_date": "2026-06-17T08:00:00Z",
        "external_id": f"sdi-{ACTIVITY_ID}-{REX}.gpx",
    }
    family.strava.activities.side_effect = lambda *_args, **_named: iter([[Activity.parse(row)]])


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_finished_copy_costs_no_call_and_no_write(family, state):
    family.plan(state, next_try_epoch_s=family.now_epoch_s, upload_id=UPLOAD_ID, attempts=1)
    job = family.job()
    before = job.copy
    job.proceed()

    assert job.copy == before
    assert [call[0] for call in family.strava.method_calls] == []


@pytest.mark.parametrize("state", [CopyState.PROCESSING, CopyState.WAITING_FOR_ACCESS])
@pytest.mark.parametrize(("in_s", "is_tried"), [(1, False), (0, True), (-1, True)])
def test_waiting_copy_is_left_alone_until_its_time(family, state, in_s, is_tried):
    family.plan(state, next_try_epoch_s=family.now_epoch_s + in_s, upload_id=UPLOAD_ID, attempts=1)
    job = family.job()
    before = job.copy
    job.proceed()

    assert (job.copy != before) is is_tried
    assert family.strava.upload.called is is_tried


def test_planned_copy_is_sent_at_once_although_its_time_has_not_come(family):
    assert family.proceed(next_try_epoch_s=family.now_epoch_s + 60).copy.state is CopyState.PROCESSING
    family.strava.upload.assert_not_called()
    family.strava.activities.assert_not_called()


def processing(family, answer):
    family.strava.upload.side_effect = [answer]
    return family.proceed(
        state=CopyState.PROCESSING,
        upload_id=UPLOAD_ID,
        attempts=1,
        waiting_since_epoch_s=family.now_epoch_s - 3600,
    )


def test_upload_that_is_ready_is_a_made_copy_without_a_search(family):
    job = processing(family, READY)

    assert (job.copy.state, job.copy.child_activity_id, job.copy.next_try_epoch_s) == (CopyState.DONE, MADE_ID, None)
    family.strava.activities.assert_not_called()
    family.strava.create_upload.assert_not_called()


def test_upload_that_is_still_processed_is_polled_again_after_twice_the_time_waited(family):
    job = processing(family, STILL)

    assert (job.copy.state, job.copy.next_try_epoch_s) == (CopyState.PROCESSING, family.now_epoch_s + 2 * 3600)
    assert job.copy.reason == "Strava is still processing the file; it is checked again later."
    assert not job.is_fresh
    family.strava.create_upload.assert_not_called()


def test_upload_that_strava_does_not_know_is_asked_for_again_later_and_not_sent_again(family):
    job = processing(family, Gone("404"))

    assert (job.copy.state, job.copy.upload_id, job.fault) == (CopyState.PROCESSING, UPLOAD_ID, None)
    assert job.copy.next_try_epoch_s == family.now_epoch_s + 2 * 3600
    family.strava.create_upload.assert_not_called()


# --- a copy that somebody asks for after its upload was given up -----------------------------------


def reopened(family, answer):
    """A given-up upload that somebody has asked for again."""
    family.strava.upload.side_effect = [answer]
    return family.proceed(state=CopyState.UPLOADING, upload_id=UPLOAD_ID, attempts=1)


def test_reopened_upload_that_is_ready_by_now_is_a_made_copy(family):
    assert reopened(family, READY).copy.child_activity_id == MADE_ID
    family.strava.create_upload.assert_not_called()


@pytest.mark.parametrize("answer", [pytest.param(STILL, id="still processed"), pytest.param(Gone("404"), id="gone")])
@pytest.mark.parametrize("is_listed", [True, False])
def test_reopened_upload_without_a_decision_is_searched_for_and_sent_again_only_when_it_is_not_there(
    family, answer, is_listed
):
    if is_listed:
        in_the_list(family)

    job = reopened(family, answer)

    family.strava.activities.assert_called_once()
    assert family.strava.create_upload.called is not is_listed
    assert (job.copy.state, job.copy.attempts) == ((CopyState.DONE, 1) if is_listed else (CopyState.PROCESSING, 2))


# --- a sending of unknown outcome ------------------------------------------------------------------


def doubtful(family, *, waited_s=0, state=CopyState.UPLOADING):
    """A copy whose file may have arrived, after so long a wait."""
    return family.proceed(state=state, attempts=1, waiting_since_epoch_s=family.now_epoch_s - waited_s)


@pytest.mark.parametrize("state", [CopyState.UPLOADING, CopyState.WAITING_FOR_ACCESS])
def test_file_that_arrived_is_found_in_the_child_s_list_and_not_sent_again(family, state):
    in_the_list(family)

    job = doubtful(family, state=state)

    assert (job.copy.state, job.copy.child_activity_id) == (CopyState.DONE, MADE_ID)
    family.strava.create_upload.assert_not_called()


def test_file_that_is_not_in_the_list_is_sent_again(family):
    assert doubtful(family).copy.attempts == 2


def test_file_is_sent_again_when_the_list_may_not_be_read(family):
    family.strava.activities.side_effect = NOT_GRANTED

    job = doubtful(family)

    assert (job.copy.state, job.copy.attempts, job.fault) == (CopyState.PROCESSING, 2, None)


def test_file_is_not_sent_again_when_the_search_fails(family):
    family.strava.activities.side_effect = QuotaSpent("spent", until_epoch_s=family.now_epoch_s + 60)

    assert doubtful(family).copy.attempts == 1
    family.strava.create_upload.assert_not_called()


def paused_or_gone(family, obstacle):
    """Makes the copy impossible by now; returns the words of the obstacle."""
    services = family.services
    if obstacle == "the link":
        services.state.links.forget(PARENT_ID, REX)
        return "The title no longer named the child when the copy was due."
    if obstacle == "the activity":
        services.lake.raw.remove(PARENT_ID, ACTIVITY_ID, guard=lambda: None)
        lease = services.state.activities.acquire(PARENT_ID, ACTIVITY_ID)
        services.state.activities.settle(lease, lease.entry.removed(None, "gone"))
        return "The activity was deleted on Strava, or hidden, before its copy was made."
    other = family.plan(activity_id=102)
    held = services.state.copies.acquire(102, REX)
    services.state.copies.claim_time(held, other.activity_start_epoch_s, other.activity_start_epoch_s + 600)
    services.state.copies.settle(replace(held, state=CopyState.DONE, child_activity_id=5, next_try_epoch_s=None))
    return "Another recording of the same outing was copied to this child."


OBSTACLES = ["the link", "the activity", "another recording"]


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize(("waited_s", "is_over"), [(0, False), (899, False), (900, True)])
def test_copy_whose_file_may_have_arrived_is_skipped_only_after_a_quarter_of_an_hour_of_searching(
    family, obstacle, waited_s, is_over
):
    reason = paused_or_gone(family, obstacle)

    job = doubtful(family, waited_s=waited_s)

    searching = (CopyState.UPLOADING, "Checking whether the file arrived.")
    assert (job.copy.state, job.copy.reason) == ((CopyState.SKIPPED, reason) if is_over else searching)
    assert (job.copy.next_try_epoch_s is None) is is_over
    family.strava.create_upload.assert_not_called()


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_copy_whose_file_may_have_arrived_is_given_up_when_the_list_may_not_be_read(family, obstacle):
    reason = paused_or_gone(family, obstacle)
    family.strava.activities.side_effect = NOT_GRANTED

    job = doubtful(family, waited_s=900)

    assert (job.copy.state, job.copy.reason) == (
        CopyState.UNFINISHED,
        f"Whether the file arrived is not known. {reason}",
    )


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_copy_whose_file_was_never_sent_is_skipped_at_once(family, obstacle):
    reason = paused_or_gone(family, obstacle)

    job = family.proceed()

    assert (job.copy.state, job.copy.reason) == (CopyState.SKIPPED, reason)
    family.strava.activities.assert_not_called()
