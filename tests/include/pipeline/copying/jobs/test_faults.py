"""What a job leaves behind when Strava or the ledger stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import (
    ApplicationInactive,
    BadRequest,
    CapacityReached,
    CipherError,
    IngestError,
    LeaseLost,
    NotConnected,
    OutcomeUnknown,
    QuotaSpent,
    ScopeMissing,
    StravaUnavailable,
    TokenRefused,
)
from include.state.copies.ledger import CopyState
from tests.include.pipeline.copying.jobs.family import ACTIVITY_ID, READY, REX, STILL, UPLOAD_ID, recorded

DAY_S = 86_400


def slow(error, seconds):
    error.retry_after_s = seconds
    return error


def test_spent_budget_postpones_the_copy_to_the_second_after_it_opens_and_is_no_fault(family):
    family.strava.create_upload.side_effect = QuotaSpent("spent", until_epoch_s=family.now_epoch_s + 300.7)

    job = family.proceed()

    assert (job.fault, job.copy.state, job.copy.waiting_since_epoch_s) == (None, CopyState.PLANNED, None)
    assert job.copy.next_try_epoch_s == family.now_epoch_s + 301
    assert job.copy.reason == "Strava's limit of calls for this service is used up."


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        pytest.param(
            TokenRefused("401"),
            "Strava no longer accepts the access to the child's account, which has to be connected again.",
            id="tokens refused",
        ),
        pytest.param(
            NotConnected("gone"),
            "The child's account is not connected; it has to be connected again.",
            id="not connected",
        ),
        pytest.param(
            ScopeMissing("not granted", scope="activity:write"),
            "The child's account lacks a permission; it has to be connected again, with every box left ticked.",
            id="scope missing",
        ),
        pytest.param(CapacityReached("full"), "Strava lets this service connect no further athletes.", id="capacity"),
    ],
)
def test_refused_access_lets_the_copy_wait_a_day_and_is_no_fault(family, refusal, reason):
    family.strava.create_upload.side_effect = refusal

    job = family.proceed()

    assert (job.fault, job.is_fresh, family.copy().state) == (None, False, CopyState.WAITING_FOR_ACCESS)
    assert (job.copy.reason, job.copy.next_try_epoch_s) == (reason, family.now_epoch_s + DAY_S)
    assert job.copy.waiting_since_epoch_s == family.now_epoch_s


@pytest.mark.parametrize(
    ("fault", "is_raised", "waits_s"),
    [
        pytest.param(BadRequest("400"), False, 60, id="refused"),
        pytest.param(slow(BadRequest("400"), 7200.0), False, 60, id="refused, with a wait"),
        pytest.param(ApplicationInactive("off"), False, 60, id="switched off"),
        pytest.param(StravaUnavailable("503"), True, 60, id="failing"),
        pytest.param(slow(StravaUnavailable("503"), 7200.0), True, 7200, id="asks to wait"),
        pytest.param(CipherError("no key"), True, 60, id="no key"),
    ],
)
def test_fault_postpones_the_copy_and_is_kept_where_a_run_may_try_sooner(family, fault, is_raised, waits_s):
    family.strava.create_upload.side_effect = fault

    job = family.proceed()

    assert job.fault is (fault if is_raised else None)
    assert (job.copy.state, job.copy.attempts) == (CopyState.PLANNED, 0)
    assert (job.copy.next_try_epoch_s, job.copy.waiting_since_epoch_s) == (
        family.now_epoch_s + waits_s,
        family.now_epoch_s,
    )
    assert job.copy.reason
    assert family.copy() == replace(job.copy, held=False, version=family.copy().version), "it is stored"


def test_sending_that_broke_off_is_in_doubt(family):
    def broken(_child_id, _file, before_sending):
        before_sending()
        raise OutcomeUnknown("the answer was lost")

    family.strava.create_upload.side_effect = broken

    job = family.proceed()

    assert (job.copy.state, job.copy.attempts, job.copy.is_in_doubt) == (CopyState.UPLOADING, 1, True)
    assert job.copy.reason == "The upload broke off; checking whether Strava has it."
    assert isinstance(job.fault, OutcomeUnknown)


@pytest.mark.parametrize("fault", [StravaUnavailable("503"), BadRequest("400"), TokenRefused("401"), LeaseLost("lost")])
def test_fresh_upload_is_no_longer_polled_when_its_poll_fails(family, fault):
    family.plan()
    job = family.job()
    job.proceed()
    assert job.is_fresh
    family.strava.upload.side_effect = fault

    job.poll()

    assert (job.is_fresh, job.is_lost) == (False, isinstance(fault, LeaseLost))
    assert job.copy.upload_id == UPLOAD_ID


def test_poll_of_a_fresh_upload_stores_strava_s_decision_and_nothing_while_it_has_none(family):
    family.plan()
    job = family.job()
    job.poll()
    family.strava.upload.assert_not_called()
    job.proceed()
    before = job.copy
    family.strava.upload.return_value = STILL
    job.poll()
    assert (job.copy, job.is_fresh) == (before, True)

    family.strava.upload.return_value = READY
    job.poll()

    assert (family.copy().state, job.is_fresh, job.is_lost, job.fault) == (CopyState.DONE, False, False, None)


@pytest.mark.parametrize("step", ["proceed", "poll", "leave"])
def test_job_whose_lease_another_worker_has_stores_nothing(family, step):
    family.plan()
    job = family.job()
    if step != "proceed":
        job.proceed()
    family.clock.advance(121)
    other = family.services.state.copies.acquire(ACTIVITY_ID, REX)

    getattr(job, step)()
    job.settle()

    assert (job.is_lost, job.is_fresh, job.fault) == (True, False, None)
    assert family.services.state.copies.is_leased(other)
    assert family.copy().version == other.version


def test_fault_that_the_ledger_cannot_store_is_kept(family, monkeypatch):
    family.plan()
    job = family.job()
    family.strava.create_upload.side_effect = BadRequest("400")
    out = IngestError("the table is out of reach")

    def fails(_copy):
        raise out

    monkeypatch.setattr(family.services.state.copies, "advance", fails)

    job.proceed()

    assert (job.fault, job.is_lost) == (out, False)


@pytest.mark.parametrize(
    ("error", "is_woken"),
    [pytest.param("The file is empty.", True, id="refused"), pytest.param(None, False, id="made")],
)
def test_other_recording_of_the_outing_is_due_at_once_only_when_this_copy_is_not_made(family, error, is_woken):
    family.store(recorded(102))
    later = family.now_epoch_s + 6 * 3600
    family.plan(activity_id=102)
    rival = family.job(102)
    rival.proceed()  # it claims the time, and its file is sent
    rival.settle()
    family.plan()
    waiting = family.job()
    waiting.proceed()
    waiting.copy = replace(waiting.copy, next_try_epoch_s=later)
    waiting.settle()
    family.strava.upload.return_value = replace(READY, error=error, activity_id=None if error else READY.activity_id)

    family.clock.advance(60)
    family.job(102).proceed()

    assert family.copy(activity_id=102).state is (CopyState.FAILED if error else CopyState.DONE)
    assert family.copy().next_try_epoch_s == (family.now_epoch_s if is_woken else later)


def test_copies_of_one_outing_are_told_apart_by_their_times(family):
    for activity_id, start in ((ACTIVITY_ID, "2026-06-17T08:00:00Z"), (102, "2026-06-17T08:10:01Z")):
        family.store(recorded(activity_id, start_date=start, elapsed_time=600))
        family.plan(activity_id=activity_id, activity_start_epoch_s=None)
        job = family.job(activity_id)
        job.proceed()
        job.settle()

    assert [family.copy(activity_id=each).state for each in (ACTIVITY_ID, 102)] == [CopyState.PROCESSING] * 2


@pytest.mark.parametrize(
    ("ahead", "state", "reason"),
    [
        pytest.param(
            CopyState.DONE,
            CopyState.SKIPPED,
            "Another recording of the same outing was copied to this child.",
            id="made",
        ),
        pytest.param(
            CopyState.PROCESSING,
            CopyState.PLANNED,
            "Another recording of the same outing is being copied to this child.",
            id="being made",
        ),
    ],
)
def test_second_recording_of_an_outing_is_skipped_or_waits(family, ahead, state, reason):
    family.store(recorded(102, start_date="2026-06-17T08:05:00Z"))
    family.plan(activity_id=102, activity_start_epoch_s=None)
    first = family.job(102)
    first.proceed()
    if ahead is CopyState.DONE:
        first.poll()
    first.settle()

    job = family.proceed(activity_start_epoch_s=None)

    assert (family.copy(activity_id=102).state, job.copy.state, job.copy.reason) == (ahead, state, reason)
    assert job.copy.next_try_epoch_s == (None if state is CopyState.SKIPPED else family.now_epoch_s + 60)
    family.strava.create_upload.assert_called_once()
