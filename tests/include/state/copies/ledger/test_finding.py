"""Which copies are due, and which are taken up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.copies.ledger import CopyLedger, CopyState, Original, external_id, parent_activity_of
from include.store.store import Key, Store
from tests.include.state.copies.ledger.planned import ACTIVITY, CHILD, PLANNED, acquired, in_state, state_of


def test_copies_into_an_account_come_oldest_first(copies: CopyLedger) -> None:
    for activity_id, planned_at in [(1, 300), (2, 100), (3, 200)]:
        copies.plan(replace(PLANNED, parent_activity_id=activity_id, planned_at_epoch_s=planned_at))
    copies.plan(replace(PLANNED, parent_activity_id=4, child_id=23))

    assert [copy.parent_activity_id for copy in copies.of_child(CHILD)] == [2, 3, 1]
    assert [copy.child_id for copy in copies.of_activity(4)] == [23]


def test_copies_of_some_activities_to_some_children_are_found(copies: CopyLedger) -> None:
    for activity_id, child_id in [(1, 22), (1, 23), (2, 22), (3, 22)]:
        copies.plan(replace(PLANNED, parent_activity_id=activity_id, child_id=child_id))

    found = copies.of_activities([1, 2, 9], {22, 24})

    assert sorted((copy.parent_activity_id, copy.child_id) for copy in found) == [(1, 22), (2, 22)]


def test_copy_that_changed_last_comes_first(copies: CopyLedger, pass_time: Callable[[float], None]) -> None:
    for activity_id in (1, 2, 3):
        copies.plan(replace(PLANNED, parent_activity_id=activity_id))
        pass_time(60)
    held = copies.acquire(2, CHILD)
    assert held is not None
    copies.settle(replace(held, original=Original.DELETED))

    assert [copy.parent_activity_id for copy in copies.latest_of_child(CHILD)] == [2, 3, 1]


def test_due_copies_are_the_unfinished_ones_that_nobody_works_on(copies: CopyLedger, clock: Clock) -> None:
    for child_id, next_try in [(1, 300), (2, 100), (3, None), (4, 1_700_000_001), (5, 50), (6, 60)]:
        copies.plan(replace(PLANNED, child_id=child_id, next_try_epoch_s=next_try))
    copies.acquire(ACTIVITY, 5)
    finished = copies.acquire(ACTIVITY, 6)
    assert finished is not None
    copies.settle(replace(finished, state=CopyState.FAILED))

    assert [copy.child_id for copy in copies.due(clock())] == [2, 1]


# --- reopen and wake --------------------------------------------------------------------------------------


NOT_MADE = {CopyState.FAILED, CopyState.SKIPPED, CopyState.UNFINISHED}


@pytest.mark.parametrize("state", [pytest.param(state, id=state) for state in sorted(NOT_MADE)])
def test_copy_that_was_not_made_is_due_again_when_somebody_asks(
    copies: CopyLedger, pass_time: Callable[[float], None], state: CopyState, clock: Clock
) -> None:
    copies.plan(PLANNED)
    copy = copies.advance(replace(acquired(copies), state=CopyState.PROCESSING, upload_id=7, attempts=1))
    copies.settle(replace(copy, state=state, reason="no room", next_try_epoch_s=None))
    pass_time(60)

    assert copies.reopen(ACTIVITY, CHILD, clock())
    assert not copies.reopen(ACTIVITY, CHILD, clock()), "it has not failed any more"

    (due,) = copies.due(1_700_000_060)
    assert (due.reason, due.attempts, due.external_id) == ("", 1, PLANNED.external_id)
    assert due.state is (CopyState.UPLOADING if state is CopyState.UNFINISHED else CopyState.PLANNED)
    assert acquired(copies).state is due.state


@pytest.mark.parametrize("state", [pytest.param(state, id=state) for state in sorted({*CopyState} - NOT_MADE)])
def test_copy_that_was_made_or_is_under_way_is_left_alone_when_asked_for(
    copies: CopyLedger, state: CopyState, clock: Clock
) -> None:
    copies.settle(in_state(copies, state))
    before = copies.get(ACTIVITY, CHILD)

    assert not copies.reopen(ACTIVITY, CHILD, clock())
    assert copies.get(ACTIVITY, CHILD) == before


def test_copy_is_not_reopened_while_a_worker_has_it_or_where_there_is_none(copies: CopyLedger, clock: Clock) -> None:
    assert not copies.reopen(ACTIVITY, CHILD, clock())
    in_state(copies, CopyState.FAILED)

    assert not copies.reopen(ACTIVITY, CHILD, clock())
    assert state_of(copies) is CopyState.FAILED


# --- the original --------------------------------------------------------------------------------


def test_finished_copy_remembers_what_became_of_its_original(copies: CopyLedger) -> None:
    done = in_state(copies, CopyState.DONE)
    assert done.original is Original.NAMED

    copies.settle(replace(done, original=Original.DELETED))

    stored = copies.get(ACTIVITY, CHILD)
    assert stored is not None
    assert (stored.state, stored.original) == (CopyState.DONE, Original.DELETED)


def test_copy_of_an_older_version_reads_as_named(copies: CopyLedger, store: Store) -> None:
    copies.plan(PLANNED)
    key = Key("copies", str(ACTIVITY), str(CHILD))
    item = store.get(key)
    assert item is not None
    older = {name: value for name, value in item.fields.items() if name != "original"}
    store.put(key, older, expected_version=item.version)

    stored = copies.get(ACTIVITY, CHILD)
    assert stored is not None
    assert stored.original is Original.NAMED


@pytest.mark.parametrize("state", [pytest.param(state, id=state) for state in sorted(CopyState)])
def test_only_a_copy_that_sleeps_is_woken(copies: CopyLedger, clock: Clock, state: CopyState) -> None:
    sleeps = state in (CopyState.SKIPPED, CopyState.WAITING_FOR_ACCESS)
    held = in_state(copies, state)
    assert not copies.wake(ACTIVITY, CHILD, clock()), "a worker has it in hand"
    copies.settle(replace(held, next_try_epoch_s=2_000_000_000))

    assert copies.wake(ACTIVITY, CHILD, clock() + 60) is sleeps

    assert [copy.child_id for copy in copies.due(clock() + 60)] == ([CHILD] if sleeps else [])


def test_copy_that_is_let_go_as_it_is_stored_has_not_changed(
    copies: CopyLedger, pass_time: Callable[[float], None]
) -> None:
    copies.settle(in_state(copies, CopyState.UPLOADING))
    before = copies.get(ACTIVITY, CHILD)
    pass_time(60)

    copies.settle(acquired(copies))

    after = copies.get(ACTIVITY, CHILD)
    assert before is not None
    assert after is not None
    assert after.updated_at_epoch_s == before.updated_at_epoch_s


def test_forgotten_copy_leaves_no_claim_of_its_time(copies: CopyLedger, store: Store) -> None:
    copies.plan(replace(PLANNED, activity_start_epoch_s=1_700_000_000))
    held = acquired(copies)
    assert copies.claim_time(held, 1_700_000_000, 1_700_003_600) is None
    assert list(store.query("outings", str(CHILD)))
    copies.settle(held)

    assert copies.forget(ACTIVITY, CHILD)

    assert not list(store.query("outings", str(CHILD)))


def test_copy_that_was_not_made_gives_its_time_away(copies: CopyLedger) -> None:
    copies.plan(PLANNED)
    copies.plan(replace(PLANNED, parent_activity_id=5))
    first, second = acquired(copies), copies.acquire(5, CHILD)
    assert second is not None
    assert copies.claim_time(first, 0, 3600) is None
    assert copies.claim_time(second, 60, 3600) == copies.get(ACTIVITY, CHILD)

    copies.advance(replace(first, state=CopyState.FAILED))

    assert copies.claim_time(second, 60, 3600) is None


@pytest.mark.parametrize(
    ("name", "activity_id"),
    [
        pytest.param(external_id(ACTIVITY, 22), ACTIVITY, id="as we give it"),
        pytest.param("sdi-7-22.gpx", 7, id="with the type that Strava appends"),
        pytest.param("sdi-7-22.tcx.gz", 7, id="with two"),
        pytest.param("sdi-1-22.gpx", 1, id="the first id"),
        pytest.param("", None, id="none"),
        pytest.param("garmin_push_7-22", None, id="another maker's"),
        pytest.param("my-sdi-7-22.gpx", None, id="in the middle"),
        pytest.param("sdi-7-22-copy.gpx", None, id="something behind"),
        pytest.param("sdi-0-22", None, id="no activity"),
        pytest.param("sdi-\u0667-22", None, id="digits of another script"),
        pytest.param(f"sdi-{2**63 - 1}-22", 2**63 - 1, id="the last id"),
        pytest.param(f"sdi-{2**63}-22", None, id="one more than an id"),
        pytest.param("sdi-9999999999999999999-22", None, id="longer than an id"),
    ],
)
def test_name_of_a_file_says_what_it_is_a_copy_of(name, activity_id):
    assert parent_activity_of(name) == activity_id
