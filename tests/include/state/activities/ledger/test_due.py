"""Which activities are due, from when on, and what makes them so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.state.activities.ledger import LEASE_S, ActivityLedger, ActivityState, DueWork
from include.state.erasures.entry import EraseReason
from include.state.erasures.ledger import Erasures
from include.store.store import Store
from tests.include.state.activities.ledger.entries import ENTRY, acquired, pending, stored


def test_unknown_activity_is_made_due_in_half_an_hour(ledger: ActivityLedger, clock: Clock) -> None:
    ledger.make_due(42, 7, asked_at_epoch_s=5)

    assert ledger.get(42, 7) == replace(pending(7, None), asked=DueWork(5, int(clock()) + 1800))
    assert list(ledger.due(clock() + 1799)) == []
    assert [entry.activity_id for entry in ledger.due(clock() + 1800)] == [7]


@pytest.mark.parametrize("state", ActivityState)
def test_known_activity_stays_as_it_is_when_it_is_made_due(
    ledger: ActivityLedger, clock: Clock, state: ActivityState
) -> None:
    entry = replace(ENTRY, state=state, object_keys=("a",), next_try_epoch_s=int(clock()) + 60)
    ledger.settle(acquired(ledger), entry)

    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    made_due = stored(ledger)
    assert made_due is not None
    assert replace(made_due, asked=None) == entry
    assert made_due.due_at_epoch_s == int(clock()) + 60  # what is due earlier stays due earlier


@pytest.mark.parametrize(
    ("queued", "wait_s"),
    [(0, 1800), (1, 1800), (2, 3600), (3, 7200), (4, 14_400), (5, 21_600), (40, 21_600)],
)
def test_activity_whose_runs_finished_nothing_is_made_due_later_each_time(
    ledger: ActivityLedger, clock: Clock, queued: int, wait_s: int
) -> None:
    ledger.settle(acquired(ledger), replace(ENTRY, queued=queued))

    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    assert stored(ledger) == replace(ENTRY, queued=queued, asked=DueWork(5, int(clock()) + wait_s))


@pytest.mark.parametrize("due_at_epoch_s", [0, 1_700_000_007])
def test_activity_is_made_due_when_the_caller_says(ledger: ActivityLedger, due_at_epoch_s: int) -> None:
    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5, due_at_epoch_s=due_at_epoch_s)

    assert stored(ledger) == replace(pending(ENTRY.activity_id, None), asked=DueWork(5, due_at_epoch_s))


def test_event_asks_for_an_activity_whose_holder_let_its_lease_run_out(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    pass_time(LEASE_S)

    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    entry = stored(ledger)
    assert entry is not None
    assert entry.asked == DueWork(5, int(clock()) + 1800)
    assert ledger.settle(acquired(ledger), ENTRY) is False


def test_holder_is_told_when_the_activity_is_made_due_meanwhile(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)
    for _ in range(2):
        ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    ledger.check(lease)
    assert ledger.settle(lease, ENTRY) is True


@pytest.mark.parametrize(
    ("confirmed", "rows"), [pytest.param(True, 0, id="being removed"), pytest.param(False, 1, id="a wish alone")]
)
def test_activity_of_an_athlete_who_is_being_erased_is_not_made_due(
    store: Store, ledger: ActivityLedger, clock: Clock, confirmed: bool, rows: int
) -> None:
    erasures = Erasures(store, clock)
    erasures.ask_now(42, EraseReason.OPERATOR)
    with erasures.held(42) as erasure:
        assert erasure is not None
        if confirmed:
            erasures.advance(erasure.confirmed())

    ledger.make_due(42, 7, asked_at_epoch_s=5)

    assert len(list(ledger.of_athlete(42))) == rows


def test_answered_events_are_taken_back_and_later_ones_are_not(ledger: ActivityLedger) -> None:
    ledger.settle(acquired(ledger), ENTRY)
    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)

    ledger.answered(42, ENTRY.activity_id, asked_at_epoch_s=4)
    after_the_older = stored(ledger)
    ledger.answered(42, ENTRY.activity_id, asked_at_epoch_s=5)

    assert after_the_older is not None
    assert after_the_older.asked is not None
    assert stored(ledger) == ENTRY


def test_mark_for_copies_is_cleared_by_the_fence_that_set_it_alone(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)
    ledger.settle(lease, replace(ENTRY, copies_due=DueWork(lease.fence, 100)))

    ledger.clear_copies_due(42, ENTRY.activity_id, lease.fence - 1)
    assert [entry.activity_id for entry in ledger.due(100)] == [ENTRY.activity_id]
    ledger.clear_copies_due(42, ENTRY.activity_id, lease.fence)
    assert stored(ledger) == ENTRY


def test_queued_activity_is_due_later_and_its_copies_are_marked_where_they_alone_are_queued(
    ledger: ActivityLedger, clock: Clock
) -> None:
    lease = acquired(ledger)
    ledger.settle(lease, ENTRY)

    ledger.put_off(42, ENTRY.activity_id, clock(), copies=True)
    ledger.put_off(42, 7, clock())  # nobody knows it

    later = int(clock()) + 1800
    assert stored(ledger) == replace(ENTRY, copies_due=DueWork(lease.fence, later), queued=1)
    assert ledger.get(42, 7) is None


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("mark", [None, DueWork(9, 2**40)])
def test_queued_copies_keep_the_mark_that_they_have_and_get_one_only_where_they_are_queued(
    ledger: ActivityLedger, clock: Clock, copies: bool, mark: DueWork | None
) -> None:
    lease = acquired(ledger)
    ledger.settle(lease, replace(ENTRY, copies_due=mark))

    if copies:
        ledger.put_off(42, ENTRY.activity_id, clock(), copies=True)
    else:
        ledger.put_off(42, ENTRY.activity_id, clock())

    new = DueWork(lease.fence, int(clock()) + 1800) if copies else None
    assert stored(ledger) == replace(ENTRY, copies_due=mark or new, queued=1)


# --- finding -------------------------------------------------------------------------------------


def test_due_entries_come_longest_overdue_first(ledger: ActivityLedger) -> None:
    for activity_id, next_try in [(1, 300), (2, 100), (3, None), (4, 200), (5, 301)]:
        ledger.postpone(acquired(ledger, activity_id), pending(activity_id, next_try))

    assert [entry.activity_id for entry in ledger.due(300)] == [2, 4, 1]
    assert list(ledger.due(99.9)) == []


def test_entry_is_not_due_while_somebody_works_on_it(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger.postpone(acquired(ledger, 1), pending(1, 100))
    acquired(ledger, 1)
    while_leased = list(ledger.due(clock()))
    pass_time(LEASE_S)

    assert while_leased == []
    assert [entry.activity_id for entry in ledger.due(clock())] == [1]  # the worker crashed


def test_entry_that_an_event_asks_for_is_not_due_while_somebody_works_on_it(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger.make_due(42, 1, asked_at_epoch_s=5, due_at_epoch_s=100)
    acquired(ledger, 1)

    assert list(ledger.due(clock())) == []
    pass_time(LEASE_S)
    assert [entry.activity_id for entry in ledger.due(clock())] == [1]


def test_entry_is_no_longer_due_when_it_was_synced(ledger: ActivityLedger, clock: Clock) -> None:
    ledger.postpone(acquired(ledger), pending(ENTRY.activity_id, 100))
    ledger.settle(acquired(ledger), ENTRY)

    assert list(ledger.due(clock())) == []


def test_activity_that_is_asked_for_whole_is_due_now_and_nothing_stored_is_taken_for_fresh(
    ledger: ActivityLedger, clock: Clock
) -> None:
    ledger.settle(acquired(ledger), ENTRY)
    ledger.request_refetch(42, ENTRY.activity_id, clock() + 0.9)

    now = int(clock())
    assert list(ledger.due(now)) == [replace(ENTRY, fingerprint="", asked=DueWork(now, now))]
