"""Which copies are made due by what happens to others, and what a copy's row says after a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from include.clock import Clock
from include.errors import LeaseLost
from include.state.copies.ledger import LEASE_S, Copy, CopyLedger, CopyState
from include.state.erasures.ledger import EraseReason, Erasures
from include.store.store import Key, Store
from tests.include.state.copies.ledger.planned import ACTIVITY, CHILD, PLANNED, acquired, in_state

NOON = 1_700_049_600
LATER = 2_000_000_000
DAY_S = 86_400


def claimed(
    copies: CopyLedger, activity_id: int, start_epoch_s: int = NOON, state: CopyState = CopyState.PLANNED
) -> Copy:
    """A copy that has claimed an hour, and is tried again in years."""
    copies.plan(replace(PLANNED, parent_activity_id=activity_id, activity_start_epoch_s=start_epoch_s))
    copy = copies.acquire(activity_id, CHILD)
    assert copy is not None
    copies.claim_time(copy, start_epoch_s, start_epoch_s + 3600)
    copies.settle(replace(copy, state=state, next_try_epoch_s=LATER))
    stored = copies.get(activity_id, CHILD)
    assert stored is not None
    return stored


def next_tries(copies: CopyLedger) -> dict[int, int | None]:
    return {copy.parent_activity_id: copy.next_try_epoch_s for copy in copies.of_child(CHILD)}


def test_copies_of_the_same_outing_are_due_when_the_first_is_not_made(copies: CopyLedger, clock: Clock) -> None:
    first = claimed(copies, 1)
    for activity_id in (2, 3):
        claimed(copies, activity_id, NOON + 60)
    claimed(copies, 4, NOON + 7200)

    for _ in range(2):
        copies.release_time(first)

    now = int(clock())
    assert next_tries(copies) == {1: LATER, 2: now, 3: now, 4: LATER}


@pytest.mark.parametrize("state", [pytest.param(state, id=state) for state in CopyState])
def test_copy_of_the_same_outing_is_due_only_if_it_was_not_begun(
    copies: CopyLedger, clock: Clock, state: CopyState
) -> None:
    first = claimed(copies, 1)
    claimed(copies, 2, state=state)

    copies.release_time(first)

    assert next_tries(copies)[2] == (int(clock()) if state is CopyState.PLANNED else LATER)


def test_copy_whose_time_nobody_knows_wakes_none(copies: CopyLedger) -> None:
    first = claimed(copies, 1)
    claimed(copies, 2)

    copies.release_time(replace(first, activity_start_epoch_s=None))

    assert next_tries(copies) == {1: LATER, 2: LATER}


@pytest.mark.parametrize(
    ("overdue_s", "attempts", "leased_since_s", "is_ahead"),
    [
        pytest.param(DAY_S, 0, None, False, id="left alone for a day"),
        pytest.param(DAY_S - 1, 0, None, True, id="not as long"),
        pytest.param(DAY_S, 1, None, True, id="sent"),
        pytest.param(DAY_S, 0, LEASE_S - 1, True, id="in a worker's hands"),
        pytest.param(DAY_S, 0, LEASE_S, False, id="in the hands of one that died"),
    ],
)
def test_copy_gives_its_time_away_when_nobody_has_worked_on_it_for_a_day(
    copies: CopyLedger,
    clock: Clock,
    pass_time: Callable[[float], None],
    overdue_s: int,
    attempts: int,
    leased_since_s: int | None,
    is_ahead: bool,
) -> None:
    first = claimed(copies, 1)
    held = copies.acquire(1, CHILD)
    assert held is not None
    copies.settle(replace(held, attempts=attempts, next_try_epoch_s=int(clock()) - overdue_s))
    if leased_since_s is not None:
        copies.acquire(1, CHILD)
        pass_time(leased_since_s)
    copies.plan(replace(PLANNED, parent_activity_id=2))
    second = copies.acquire(2, CHILD)
    assert second is not None

    rival = copies.claim_time(second, NOON, NOON + 3600)

    assert (rival and rival.parent_activity_id) == (first.parent_activity_id if is_ahead else None)


def test_copy_that_is_gone_gives_its_time_away(copies: CopyLedger, store: Store) -> None:
    claimed(copies, 1)
    item = store.get(Key("copies", "1", str(CHILD)))
    assert item is not None
    store.delete(item.key, expected_version=item.version)
    copies.plan(replace(PLANNED, parent_activity_id=2))
    second = copies.acquire(2, CHILD)
    assert second is not None

    assert copies.claim_time(second, NOON, NOON + 3600) is None


# --- leases --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("passed_s", "is_leased"), [(LEASE_S - 1, True), (LEASE_S, False)])
def test_copy_is_in_a_workers_hands_until_the_lease_ends(
    copies: CopyLedger, clock: Clock, pass_time: Callable[[float], None], passed_s: int, is_leased: bool
) -> None:
    in_state(copies, CopyState.FAILED)
    other = copies.plan(replace(PLANNED, parent_activity_id=5))
    copies.acquire(5, CHILD)
    pass_time(passed_s)

    assert copies.is_leased(other) is is_leased
    assert [copy.parent_activity_id for copy in copies.due(clock())] == ([] if is_leased else [5])
    assert copies.forget(5, CHILD) is not is_leased
    assert copies.reopen(ACTIVITY, CHILD, clock()) is not is_leased


def test_copy_that_does_not_exist_is_in_nobodys_hands(copies: CopyLedger) -> None:
    assert not copies.is_leased(PLANNED)


def test_copy_is_forgotten_although_it_is_leased_when_the_caller_says_so(copies: CopyLedger) -> None:
    in_state(copies, CopyState.UPLOADING)

    assert copies.forget(ACTIVITY, CHILD, although_leased=True)

    assert copies.get(ACTIVITY, CHILD) is None


def test_copy_that_may_not_be_written_is_let_go_unchanged(
    copies: CopyLedger, store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    planned = copies.plan(PLANNED)
    Erasures(store, clock).ask_now(CHILD, EraseReason.ATHLETE)
    pass_time(60)

    assert copies.acquire(ACTIVITY, CHILD) is None

    after = copies.get(ACTIVITY, CHILD)
    assert after is not None
    assert replace(after, version=planned.version) == planned
    assert not copies.is_leased(after)


@pytest.mark.parametrize(
    "write", [pytest.param(CopyLedger.advance, id="advance"), pytest.param(CopyLedger.settle, id="settle")]
)
def test_worker_that_is_overtaken_while_it_writes_is_told_and_stores_nothing(
    copies: CopyLedger, store: Store, monkeypatch: pytest.MonkeyPatch, write: Callable[[CopyLedger, Copy], object]
) -> None:
    copies.plan(PLANNED)
    slow = acquired(copies)
    put = store.put

    def put_after_another(key: Key, fields: Mapping[str, Any], *, expected_version: int) -> int:
        item = store.get(key)
        assert item is not None
        put(key, {**item.fields, "matched": "by another"}, expected_version=item.version)
        return put(key, fields, expected_version=expected_version)

    monkeypatch.setattr(store, "put", put_after_another)
    with pytest.raises(LeaseLost):
        write(copies, replace(slow, state=CopyState.UPLOADING))

    after = copies.get(ACTIVITY, CHILD)
    assert after is not None
    assert (after.state, after.matched) == (CopyState.PLANNED, "by another")


def test_lost_copy_is_named_with_what_to_do(copies: CopyLedger, pass_time: Callable[[float], None]) -> None:
    copies.plan(PLANNED)
    copy = acquired(copies)
    pass_time(LEASE_S)

    with pytest.raises(LeaseLost) as caught:
        copies.settle(copy)

    assert str(caught.value) == (
        f"copy sdi-{ACTIVITY}-22 to athlete 22 is not, or no longer, leased by this worker:"
        " stop, the worker that acquired it continues from the stored state"
    )


# --- finding -------------------------------------------------------------------------------------


def test_made_copies_are_named_with_their_originals(copies: CopyLedger) -> None:
    for activity_id, state, child_activity_id in [
        (1, CopyState.DONE, 71),
        (2, CopyState.DUPLICATE, 72),
        (3, CopyState.PROCESSING, 73),
        (4, CopyState.DONE, None),
        (5, CopyState.DONE, 75),
    ]:
        copies.plan(replace(PLANNED, parent_activity_id=activity_id, state=state, child_activity_id=child_activity_id))
    copies.plan(replace(PLANNED, parent_activity_id=6, child_id=CHILD + 1, state=CopyState.DONE, child_activity_id=76))

    assert copies.made_for(CHILD) == {71: 1, 75: 5}
    assert copies.made_for(CHILD + 2) == {}


def test_copies_of_a_parents_activities_come_oldest_first(copies: CopyLedger) -> None:
    for activity_id, parent_id, planned_at in [(1, 11, 300), (2, 12, 50), (3, 11, 100)]:
        copies.plan(
            replace(PLANNED, parent_activity_id=activity_id, parent_id=parent_id, planned_at_epoch_s=planned_at)
        )

    assert [copy.parent_activity_id for copy in copies.of_parent(11)] == [3, 1]
    assert list(copies.of_parent(13)) == []
