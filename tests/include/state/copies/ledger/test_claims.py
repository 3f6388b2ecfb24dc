"""One worker per copy, and a final state is final."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import LeaseLost
from include.state.copies.ledger import Copy, CopyLedger, CopyState, external_id
from include.store.sqlite import SqliteStore
from tests.include.state.copies.ledger.planned import ACTIVITY, CHILD, PLANNED, acquired, in_state, state_of

LEASE_S = 120


def test_external_id_is_the_same_every_time() -> None:
    assert external_id(123, 45) == "sdi-123-45"


# --- plan ----------------------------------------------------------------------------------------


def test_nothing_is_found_where_nothing_was_planned(copies: CopyLedger) -> None:
    assert copies.get(ACTIVITY, CHILD) is None
    assert copies.acquire(ACTIVITY, CHILD) is None
    assert (list(copies.of_activity(ACTIVITY)), list(copies.of_child(CHILD)), list(copies.due(2e9))) == ([], [], [])


def test_planned_copy_reads_as_stored(copies: CopyLedger) -> None:
    planned = copies.plan(PLANNED)

    assert planned == replace(PLANNED, updated_at_epoch_s=1_700_000_000, version=1)
    assert copies.get(ACTIVITY, CHILD) == planned
    assert list(copies.of_activity(ACTIVITY)) == list(copies.of_child(CHILD)) == list(copies.due(1.7e9)) == [planned]


def test_planning_again_answers_what_is_there(copies: CopyLedger) -> None:
    done = in_state(copies, CopyState.DONE)

    again = copies.plan(replace(PLANNED, matched="another name"))

    assert again == replace(done, held=False)


# --- claim and advance ---------------------------------------------------------------------------


def test_copy_goes_its_way_step_by_step(copies: CopyLedger, pass_time: Callable[[float], None]) -> None:
    copies.plan(PLANNED)
    copy = acquired(copies)
    copy = copies.advance(replace(copy, state=CopyState.UPLOADING, attempts=1))
    pass_time(LEASE_S - 1)
    copy = copies.advance(replace(copy, state=CopyState.PROCESSING, upload_id=2**53 + 3))
    pass_time(LEASE_S - 1)  # each step has renewed the lease
    copy = copies.advance(replace(copy, state=CopyState.DONE, child_activity_id=2**53 + 5, next_try_epoch_s=None))
    copies.settle(copy)

    stored = copies.get(ACTIVITY, CHILD)
    assert stored is not None
    assert (stored.state, stored.attempts, stored.upload_id, stored.child_activity_id, stored.matched) == (
        CopyState.DONE,
        1,
        2**53 + 3,
        2**53 + 5,
        "Rex 🐕",
    )
    assert stored.updated_at_epoch_s == 1_700_000_000 + 2 * (LEASE_S - 1)


def test_second_worker_cannot_claim_until_the_copy_is_released(copies: CopyLedger) -> None:
    copies.plan(PLANNED)
    copy = acquired(copies)
    second = copies.acquire(ACTIVITY, CHILD)
    copies.settle(replace(copy, state=CopyState.UPLOADING))

    assert second is None
    assert acquired(copies).state is CopyState.UPLOADING


def test_copy_of_a_crashed_worker_can_be_claimed_when_its_lease_runs_out(
    copies: CopyLedger, pass_time: Callable[[float], None]
) -> None:
    in_state(copies, CopyState.UPLOADING)
    pass_time(LEASE_S - 1)
    early = copies.acquire(ACTIVITY, CHILD)
    pass_time(1)

    assert early is None
    assert acquired(copies).state is CopyState.UPLOADING


def test_slow_worker_cannot_advance_when_its_lease_ran_out(
    copies: CopyLedger, pass_time: Callable[[float], None]
) -> None:
    slow = in_state(copies, CopyState.UPLOADING)
    pass_time(LEASE_S)

    with pytest.raises(LeaseLost, match=f"sdi-{ACTIVITY}-22"):
        copies.advance(replace(slow, state=CopyState.FAILED))

    assert state_of(copies) is CopyState.UPLOADING


def test_slow_worker_neither_advances_nor_settles_what_another_claimed(
    copies: CopyLedger, pass_time: Callable[[float], None]
) -> None:
    slow = in_state(copies, CopyState.UPLOADING)
    pass_time(LEASE_S)
    quick = acquired(copies)

    for store in (copies.settle, copies.advance):
        with pytest.raises(LeaseLost):
            store(replace(slow, state=CopyState.FAILED))

    assert copies.advance(replace(quick, state=CopyState.PROCESSING)).state is CopyState.PROCESSING


def test_slow_worker_claims_no_time_of_a_copy_that_another_claimed(
    copies: CopyLedger, pass_time: Callable[[float], None]
) -> None:
    slow = in_state(copies, CopyState.UPLOADING)
    pass_time(LEASE_S)
    acquired(copies)

    with pytest.raises(LeaseLost):
        copies.claim_time(slow, 0, 3600)

    other = replace(PLANNED, parent_activity_id=ACTIVITY + 1)
    copies.plan(other)
    held = copies.acquire(ACTIVITY + 1, CHILD)
    assert held is not None
    assert copies.claim_time(held, 0, 3600) is None


def test_copy_that_was_only_read_cannot_be_advanced_or_settled(copies: CopyLedger) -> None:
    in_state(copies, CopyState.UPLOADING)
    read = copies.get(ACTIVITY, CHILD)
    assert read is not None

    for store in (copies.settle, copies.advance):
        with pytest.raises(LeaseLost):
            store(replace(read, state=CopyState.FAILED))

    assert state_of(copies) is CopyState.UPLOADING
    assert copies.acquire(ACTIVITY, CHILD) is None


def test_step_that_was_taken_cannot_be_taken_again_from_the_old_value(copies: CopyLedger) -> None:
    copies.plan(PLANNED)
    copy = acquired(copies)
    copies.advance(replace(copy, state=CopyState.UPLOADING))

    with pytest.raises(LeaseLost):
        copies.advance(replace(copy, state=CopyState.UPLOADING))


def test_final_copy_can_get_another_reason(copies: CopyLedger) -> None:
    copy = in_state(copies, CopyState.DONE)

    copies.advance(replace(copy, reason="the parent deleted the activity"))

    stored = copies.get(ACTIVITY, CHILD)
    assert stored is not None
    assert (stored.state, stored.reason) == (CopyState.DONE, "the parent deleted the activity")


def test_one_worker_gets_the_copy_when_many_claim_it(path: Path, clock: Clock) -> None:
    CopyLedger(SqliteStore(path, clock), clock).plan(PLANNED)

    def acquire(_: int) -> Copy | None:
        return CopyLedger(SqliteStore(path, clock), clock).acquire(ACTIVITY, CHILD)

    with ThreadPoolExecutor(8) as pool:
        got = [copy for copy in pool.map(acquire, range(8)) if copy is not None]

    assert len(got) == 1
