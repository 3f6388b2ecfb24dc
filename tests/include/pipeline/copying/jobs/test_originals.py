"""What a copy that was made says of its original."""

from __future__ import annotations

import pytest

from include.errors import RetryLater
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import CopyState, Original
from tests.include.pipeline.copying.jobs.family import ACTIVITY_ID, MADE_ID, PARENT_ID, REX, recorded

OTHER_PARENT_ID = 711


@pytest.mark.parametrize("state", [CopyState.DONE, CopyState.DUPLICATE])
@pytest.mark.parametrize(
    ("entry", "marked"),
    [
        pytest.param(ActivityState.REMOVED, Original.DELETED, id="deleted"),
        pytest.param(ActivityState.EXPIRED, Original.NAMED, id="expired here"),
        pytest.param(None, Original.NAMED, id="unknown"),
    ],
)
def test_copy_is_marked_when_the_original_is_gone_at_strava_and_not_when_it_is_gone_here(family, state, entry, marked):
    family.plan(state, next_try_epoch_s=None, child_activity_id=MADE_ID)
    family.services.lake.raw.remove(PARENT_ID, ACTIVITY_ID, guard=lambda: None)
    family.services.state.activities.forget(PARENT_ID, ACTIVITY_ID)
    if entry is not None:
        family.enter(ACTIVITY_ID, entry)

    family.run()

    assert family.copy().original is marked
    assert not family.services.state.copies.is_leased(family.copy())


@pytest.mark.parametrize(
    ("title", "matched", "marked"),
    [
        pytest.param("Run with Rex", "Bello", Original.NAMED, id="a name of the link"),
        pytest.param("Run with Bello", "Bello", Original.NAMED, id="the name that matched first"),
        pytest.param("Run alone", "Bello", Original.RENAMED, id="neither"),
    ],
)
def test_copy_counts_as_named_by_a_name_of_its_link_or_the_one_that_matched(family, title, matched, marked):
    family.plan(CopyState.DONE, next_try_epoch_s=None, matched=matched)
    family.store(recorded(name=title))

    family.run()

    assert family.copy().original is marked


@pytest.mark.parametrize("copy", [{"state": CopyState.FAILED}, {"state": CopyState.DONE, "parent_id": OTHER_PARENT_ID}])
def test_copy_that_was_not_made_of_this_activity_is_not_marked(family, copy):
    family.store(recorded(name="Run alone"))
    family.plan(next_try_epoch_s=None, **copy)
    before = family.copy()

    family.run()

    assert family.copy() == before


def test_mark_waits_for_the_run_that_has_the_copy_and_says_so(family):
    family.plan(CopyState.DONE, next_try_epoch_s=None)
    family.store(recorded(name="Run alone"))
    family.services.state.copies.acquire(ACTIVITY_ID, REX)

    with pytest.raises(RetryLater) as fault:
        family.run()
    assert str(fault.value) == (
        "Another run is working on copy sdi-101-72 to athlete 72, so it could not be marked renamed; run this again."
    )
