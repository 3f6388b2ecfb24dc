"""A sync or a backfill that settles an activity notes in the same write that its copies are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.pipeline.copying.copies_due import with_copies, with_undecided_copies
from include.state.activities.ledger import DueWork, LedgerEntry
from include.state.copies.ledger import Copy, CopyState
from include.state.links import Link
from include.strava.models import Activity

PARENT_ID, OTHER_PARENT_ID, REX, MIA, ACTIVITY_ID = 71, 711, 72, 73, 101
START = datetime(2026, 6, 17, 8, tzinfo=UTC)
START_EPOCH_S, HALF_AN_HOUR_S = int(START.timestamp()), 1800


@pytest.fixture
def lease(offline):
    """The lease on the activity under which it is synced."""
    return offline.state.activities.acquire(PARENT_ID, ACTIVITY_ID)


def link(services, child_id=REX, name="Rex", parent_id=PARENT_ID, **values):
    services.state.links.save(
        Link(parent_id, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1, **values)
    )


def titled(name):
    athlete = {"id": PARENT_ID}
    return Activity.parse({"id": ACTIVITY_ID, "athlete": athlete, "start_date": START.isoformat(), "name": name})


def planned(services, child_id=REX, parent_id=PARENT_ID, activity_id=ACTIVITY_ID):
    services.state.copies.plan(Copy(activity_id, child_id, parent_id, CopyState.SKIPPED))


ENTRY = LedgerEntry.unknown(PARENT_ID, ACTIVITY_ID)


def test_copies_are_due_half_an_hour_after_the_sync_of_an_activity_that_names_a_child(offline, lease):
    link(offline, MIA, "Mia")
    link(offline)

    settled = with_copies(offline, lease, ENTRY, titled("Run with Rex"))

    due = DueWork(lease.fence, int(offline.clock()) + HALF_AN_HOUR_S)
    assert settled == replace(ENTRY, copies_due=due)


def test_copies_are_due_whose_title_no_longer_names_the_child_or_whose_activity_is_gone(offline, lease):
    link(offline)
    planned(offline)

    for activity in (titled("Run alone"), None):
        assert with_copies(offline, lease, ENTRY, activity).copies_due is not None


@pytest.mark.parametrize(
    ("title", "others"),
    [
        pytest.param("Run alone", {}, id="no name"),
        pytest.param("Run with Rex", {"parent_id": OTHER_PARENT_ID}, id="the link of another parent"),
    ],
)
def test_no_copies_are_due_when_nobody_is_named_and_none_exist(offline, lease, title, others):
    link(offline, **others)
    planned(offline, parent_id=OTHER_PARENT_ID)
    planned(offline, activity_id=ACTIVITY_ID + 1)

    assert with_copies(offline, lease, ENTRY, titled(title)) == ENTRY
    assert with_copies(offline, lease, ENTRY, None) == ENTRY


@pytest.mark.parametrize("decided", [pytest.param([], id="none"), pytest.param([MIA], id="the sibling's")])
def test_copies_are_due_at_once_after_a_backfill_while_one_is_undecided(offline, lease, decided):
    link(offline, MIA, "Mia")
    link(offline)
    for child_id in decided:
        planned(offline, child_id)

    settled = with_undecided_copies(offline, lease, ENTRY, titled("Mia and Rex"))

    assert settled == replace(ENTRY, copies_due=DueWork(lease.fence, int(offline.clock())))


def test_no_copies_are_due_after_a_backfill_when_all_are_decided_or_nobody_is_named(offline, lease):
    link(offline)
    assert with_undecided_copies(offline, lease, ENTRY, titled("Run alone")) == ENTRY
    planned(offline)

    assert with_undecided_copies(offline, lease, ENTRY, titled("Run with Rex")) == ENTRY


@pytest.mark.parametrize(
    ("starts_at", "is_due"),
    [
        pytest.param(START_EPOCH_S - 1, True, id="after the link's start"),
        pytest.param(START_EPOCH_S, True, id="at it"),
        pytest.param(START_EPOCH_S + 1, False, id="before it"),
    ],
)
def test_backfill_makes_no_copies_due_of_activities_that_began_before_their_link_did(offline, lease, starts_at, is_due):
    link(offline, starts_at_epoch_s=starts_at)

    settled = with_undecided_copies(offline, lease, ENTRY, titled("Run with Rex"))

    assert (settled.copies_due is not None) is is_due


def test_sync_makes_copies_due_of_older_activities_so_that_each_gets_its_reason(offline, lease):
    link(offline, starts_at_epoch_s=START_EPOCH_S + 1)

    assert with_copies(offline, lease, ENTRY, titled("Run with Rex")).copies_due is not None
