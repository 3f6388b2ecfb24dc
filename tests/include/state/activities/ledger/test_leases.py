"""One writer per activity: leases, and who is told to fetch again."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import ceil
from pathlib import Path

import pytest

from include.clock import Clock
from include.errors import LeaseLost
from include.state.activities.ledger import ActivityLedger, ActivityState, DueWork, Lease
from include.store.sqlite import SqliteStore
from include.strava.models import AthleteId
from local.testbed.manual_clock import ManualClock
from tests.include.state.activities.ledger.entries import ENTRY, acquired, pending, stored

LEASE_S = 300


def test_unknown_activity_is_leased_with_no_entry_and_pending_meanwhile(ledger: ActivityLedger, clock: Clock) -> None:
    lease = acquired(ledger)

    assert lease == Lease(AthleteId(42), ENTRY.activity_id, 1, clock() + LEASE_S, None)
    assert stored(ledger) == pending(ENTRY.activity_id, int(clock()) + LEASE_S)
    ledger.check(lease)


@pytest.mark.parametrize("settled", [pytest.param(False, id="unknown activity"), pytest.param(True, id="known one")])
def test_activity_of_a_run_that_died_is_due_when_its_lease_ends(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None], settled: bool
) -> None:
    if settled:
        ledger.settle(acquired(ledger), ENTRY)
    acquired(ledger)

    assert list(ledger.due(clock() + LEASE_S - 1)) == []
    pass_time(LEASE_S)
    assert [entry.activity_id for entry in ledger.due(clock())] == [ENTRY.activity_id]


def test_noted_object_keys_outlive_the_run_and_are_added_to_the_known_ones(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    ledger.settle(acquired(ledger), replace(ENTRY, object_keys=("a", "c")))
    ledger.note(acquired(ledger), ["b", "c"])
    pass_time(LEASE_S)

    entry = acquired(ledger).entry
    assert entry is not None
    assert entry.object_keys == ("a", "b", "c")


def test_settled_entry_reads_as_stored_and_comes_with_the_next_lease(ledger: ActivityLedger) -> None:
    assert ledger.settle(acquired(ledger), ENTRY) is False

    assert stored(ledger) == ENTRY
    lease = acquired(ledger)
    assert (lease.fence, lease.entry) == (2, ENTRY)


def test_second_worker_gets_no_lease_and_the_holder_is_told_to_fetch_again(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    lease = acquired(ledger)
    pass_time(LEASE_S - 1)
    seconds = [ledger.acquire(42, ENTRY.activity_id) for _ in range(3)]
    asked_at_first = ledger.settle(lease, ENTRY)
    asked_again = ledger.settle(acquired(ledger), replace(ENTRY, fingerprint="def"))

    assert seconds == [None] * 3
    assert (asked_at_first, asked_again) == (True, False)
    entry = stored(ledger)
    assert entry is not None
    assert entry.fingerprint == "def"


def test_settled_entry_is_stored_and_due_at_once_when_somebody_asked_meanwhile(
    ledger: ActivityLedger, clock: Clock
) -> None:
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)

    assert ledger.settle(lease, ENTRY) is True
    now = int(clock())
    assert stored(ledger) == replace(ENTRY, object_keys=tuple(sorted(ENTRY.object_keys)), asked=DueWork(now, now))
    assert ledger.acquire(42, ENTRY.activity_id) is not None


def test_postponed_entry_releases_the_lease_whoever_asked(ledger: ActivityLedger, clock: Clock) -> None:
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)
    entry = pending(ENTRY.activity_id, 1_700_000_900)

    ledger.postpone(lease, entry)

    now = int(clock())
    assert stored(ledger) == replace(entry, asked=DueWork(now, now + 1800))
    assert ledger.settle(acquired(ledger), ENTRY) is False


@pytest.mark.parametrize(
    ("next_try_epoch_s", "wait_s"),
    [pytest.param(None, 0, id="no time given"), pytest.param(1_900_000_000, 1800, id="later")],
)
def test_postponed_entry_is_due_for_who_asked_meanwhile(
    ledger: ActivityLedger, clock: Clock, next_try_epoch_s: int | None, wait_s: int
) -> None:
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)

    ledger.postpone(lease, pending(ENTRY.activity_id, next_try_epoch_s))

    entry = stored(ledger)
    assert entry is not None
    assert (entry.next_try_epoch_s, entry.due_at_epoch_s) == (next_try_epoch_s, int(clock()) + wait_s)


def test_advanced_entry_stays_leased_and_due_when_the_lease_ends(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger.settle(acquired(ledger), ENTRY)
    lease = acquired(ledger)
    expired = replace(ENTRY, state=ActivityState.EXPIRED, object_keys=tuple(sorted(ENTRY.object_keys)))

    held = ledger.advance(lease, expired)

    assert held == replace(lease, entry=expired)
    assert stored(ledger) == replace(expired, next_try_epoch_s=int(clock()) + LEASE_S)
    ledger.check(held)
    assert ledger.acquire(42, ENTRY.activity_id) is None
    pass_time(LEASE_S)
    assert [entry.state for entry in ledger.due(clock())] == [ActivityState.EXPIRED]


def test_leases_of_other_activities_do_not_matter(ledger: ActivityLedger) -> None:
    acquired(ledger, 1)

    assert ledger.acquire(42, 2) is not None
    assert ledger.acquire(43, 1) is not None


def test_held_lease_is_let_go_at_the_end_with_the_entry_as_it_was(ledger: ActivityLedger) -> None:
    ledger.settle(acquired(ledger), ENTRY)

    with ledger.held(42, ENTRY.activity_id) as lease:
        assert lease is not None
        ledger.note(lease, ["noted"])

    assert stored(ledger) == replace(ENTRY, object_keys=("noted", *sorted(ENTRY.object_keys)))
    assert ledger.acquire(42, ENTRY.activity_id) is not None


def test_held_lease_leaves_what_was_settled_under_it(ledger: ActivityLedger) -> None:
    ledger.settle(acquired(ledger), ENTRY)

    with ledger.held(42, ENTRY.activity_id) as lease:
        assert lease is not None
        assert ledger.settle(lease, replace(ENTRY, points=7)) is False

    assert stored(ledger) == replace(ENTRY, points=7)


def test_held_lease_on_an_unknown_activity_leaves_it_due(ledger: ActivityLedger, clock: Clock) -> None:
    with ledger.held(42, ENTRY.activity_id):
        pass

    assert [entry.activity_id for entry in ledger.due(clock() + LEASE_S)] == [ENTRY.activity_id]


def test_activity_in_another_workers_hands_is_not_held(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)

    with ledger.held(42, ENTRY.activity_id) as second:
        assert second is None

    assert ledger.settle(lease, ENTRY) is False


def test_renewed_lease_holds_for_its_full_length_from_then_on(
    ledger: ActivityLedger, clock: ManualClock, pass_time: Callable[[float], None]
) -> None:
    lease = acquired(ledger)
    pass_time(100)
    assert ledger.renew(lease) == lease
    pass_time(100)
    renewed = ledger.renew(lease)
    assert renewed.expires_at_epoch_s == clock.now_epoch_s + LEASE_S
    pass_time(LEASE_S - 1)
    ledger.check(renewed)
    pass_time(1)
    with pytest.raises(LeaseLost):
        ledger.renew(renewed)


@pytest.mark.parametrize(
    ("left_s", "is_renewed"),
    [(LEASE_S / 2 + 0.5, False), (LEASE_S / 2, True), (LEASE_S / 2 - 0.5, True)],
)
def test_lease_is_renewed_once_half_of_it_is_over_and_the_activity_is_due_when_it_ends(
    ledger: ActivityLedger, clock: ManualClock, pass_time: Callable[[float], None], left_s: float, is_renewed: bool
) -> None:
    ledger.settle(acquired(ledger), ENTRY)
    lease = acquired(ledger)
    pass_time(LEASE_S - left_s)

    renewed = ledger.renew(lease)

    until_epoch_s = clock.now_epoch_s + LEASE_S if is_renewed else lease.expires_at_epoch_s
    assert renewed == replace(lease, expires_at_epoch_s=until_epoch_s)
    assert stored(ledger) == replace(ENTRY, next_try_epoch_s=ceil(until_epoch_s))


# --- many at once --------------------------------------------------------------------------------


def test_last_change_is_always_seen_when_many_workers_race(path: Path, clock: Clock) -> None:
    """Each worker changes Strava and then asks for a sync; in the end the ledger has the last change."""
    strava = [0]
    writing: list[int] = []

    def sync(ledger: ActivityLedger, worker: int) -> None:
        lease = ledger.acquire(42, ENTRY.activity_id)
        while lease is not None:
            writing.append(worker)
            fetched = strava[0]
            assert set(writing) == {worker}
            writing.remove(worker)
            if not ledger.settle(lease, replace(ENTRY, points=fetched)):
                return
            lease = ledger.acquire(42, ENTRY.activity_id)

    def work(worker: int) -> None:
        ledger = ActivityLedger(SqliteStore(path, clock), clock)
        chances = random.Random(worker)
        for _ in range(10):
            strava[0] += chances.randrange(1, 3)
            sync(ledger, worker)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    entry = stored(ActivityLedger(SqliteStore(path, clock), clock))
    assert entry is not None
    assert entry.points == strava[0]


def test_worker_who_needs_no_fresh_answer_leaves_the_holder_alone(ledger: ActivityLedger) -> None:
    lease = acquired(ledger)
    assert ledger.acquire(42, ENTRY.activity_id, fresh=False) is None
    assert ledger.settle(lease, ENTRY) is False
    assert ledger.acquire(42, ENTRY.activity_id, fresh=False) is not None


def test_first_holder_is_told_of_no_request_where_none_came_meanwhile(ledger: ActivityLedger) -> None:
    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=5)
    lease = ledger.acquire(42, ENTRY.activity_id, fresh=False)
    assert lease is not None
    assert ledger.settle(lease, ENTRY) is False


def test_activity_is_at_rest_while_nobody_holds_it_and_nothing_is_due(ledger: ActivityLedger, clock: Clock) -> None:
    lease = acquired(ledger)
    held = ledger.at_rest(42, ENTRY.activity_id)
    ledger.settle(lease, ENTRY)
    rests = ledger.at_rest(42, ENTRY.activity_id)
    ledger.make_due(42, ENTRY.activity_id, asked_at_epoch_s=int(clock()))
    assert (held, rests, ledger.at_rest(42, ENTRY.activity_id)) == (None, ENTRY, None)
    assert ledger.at_rest(42, ENTRY.activity_id + 1) is None
