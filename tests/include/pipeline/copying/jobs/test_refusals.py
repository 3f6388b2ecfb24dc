"""What stands against a copy when it is due, and what becomes of it then."""

from __future__ import annotations

import pytest

from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import Copy, CopyState, external_id
from tests.include.pipeline.copying.jobs.family import ACTIVITY_ID, PARENT_ID, REX, recorded


@pytest.mark.parametrize("status", [AthleteStatus.NEEDS_REAUTH, AthleteStatus.REVOKED, None])
def test_copy_waits_while_its_parent_is_not_connected(family, status):
    if status is None:
        family.services.state.athletes.mark(PARENT_ID, AthleteStatus.REVOKED)
        family.services.state.athletes.forget(PARENT_ID)
    else:
        family.services.state.athletes.mark(PARENT_ID, status)

    copy = family.proceed().copy

    assert (copy.state, copy.next_try_epoch_s) == (CopyState.PLANNED, family.now_epoch_s + 60)
    assert copy.reason == "The parent's account is not connected; the copy is made when it is connected again."
    family.strava.create_upload.assert_not_called()


NO_LONGER_NAMED = "The title no longer named the child when the copy was due."


@pytest.mark.parametrize(
    ("title", "ends_link", "reason"),
    [
        pytest.param("Run alone", False, NO_LONGER_NAMED, id="renamed"),
        pytest.param("Run with Rex", True, NO_LONGER_NAMED, id="without a link"),
        pytest.param("Run with Rex", False, None, id="named"),
    ],
)
def test_copy_is_skipped_whose_title_or_link_no_longer_names_the_child(family, title, ends_link, reason):
    family.store(recorded(name=title))
    if ends_link:
        family.services.state.links.forget(PARENT_ID, REX)

    copy = family.proceed().copy

    assert (copy.state, copy.reason) == ((CopyState.SKIPPED, reason) if reason else (CopyState.PROCESSING, ""))
    assert family.strava.create_upload.called is (reason is None)
    assert (copy.next_try_epoch_s is None) is (reason is not None)


def test_copy_without_a_recording_is_skipped_with_its_reason(family):
    family.services.lake.raw.remove_streams(PARENT_ID, ACTIVITY_ID, guard=lambda: None)

    copy = family.proceed().copy

    assert (copy.state, copy.reason) == (CopyState.SKIPPED, "Strava has no recorded points for this activity.")


@pytest.mark.parametrize(
    ("known", "is_copied"),
    [
        pytest.param({"state": CopyState.DONE, "child_activity_id": ACTIVITY_ID}, False, id="itself a copy"),
        pytest.param({"state": CopyState.DUPLICATE, "child_activity_id": ACTIVITY_ID}, True, id="their own"),
        pytest.param({"state": CopyState.DONE, "child_activity_id": 555}, True, id="another activity is a copy"),
    ],
)
def test_activity_that_the_ledger_knows_as_a_copy_is_not_copied_on(family, known, is_copied):
    family.services.state.copies.plan(Copy(999, PARENT_ID, 711, external_id=external_id(999, PARENT_ID), **known))

    copy = family.proceed().copy

    assert (copy.state is CopyState.PROCESSING) is is_copied
    assert ("itself a copy" in copy.reason) is not is_copied


@pytest.mark.parametrize(
    ("entry", "state", "reason"),
    [
        pytest.param(
            ActivityState.REMOVED,
            CopyState.SKIPPED,
            "The activity was deleted on Strava, or hidden, before its copy was made.",
            id="deleted",
        ),
        pytest.param(
            ActivityState.EXPIRED,
            CopyState.SKIPPED,
            "The activity was deleted here, as old as data may become, before its copy was made.",
            id="expired",
        ),
        pytest.param(ActivityState.SYNCED, CopyState.PLANNED, "The activity is not stored yet.", id="not stored yet"),
        pytest.param(None, CopyState.PLANNED, "The activity is not stored yet.", id="unknown"),
    ],
)
def test_copy_of_an_activity_that_is_gone_is_skipped_and_of_one_not_stored_yet_waits(family, entry, state, reason):
    family.services.lake.raw.remove(PARENT_ID, ACTIVITY_ID, guard=lambda: None)
    family.services.state.activities.forget(PARENT_ID, ACTIVITY_ID)
    if entry is not None:
        family.enter(ACTIVITY_ID, entry)

    copy = family.proceed().copy

    assert (copy.state, copy.reason) == (state, reason)
    assert copy.next_try_epoch_s == (None if state is CopyState.SKIPPED else family.now_epoch_s + 60)
