"""What a lease that ran out, was taken over or was settled may still write, and what its holder leaves in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.clock import Clock
from include.errors import LeaseLost
from include.state.activities.ledger import LEASE_S, ActivityLedger, ActivityState, Lease
from tests.include.state.activities.ledger.entries import ENTRY, acquired, pending, stored

WRITES = [
    pytest.param(lambda ledger, lease: ledger.advance(lease, ENTRY), id="advance"),
    pytest.param(lambda ledger, lease: ledger.check(lease), id="check"),
    pytest.param(lambda ledger, lease: ledger.settle(lease, ENTRY), id="settle"),
    pytest.param(lambda ledger, lease: ledger.postpone(lease, ENTRY), id="postpone"),
    pytest.param(lambda ledger, lease: ledger.note(lease, ENTRY.object_keys), id="note"),
]
Write = Callable[[ActivityLedger, Lease], object]


@pytest.mark.parametrize("write", WRITES)
def test_expired_lease_is_lost(ledger: ActivityLedger, pass_time: Callable[[float], None], write: Write) -> None:
    lease = acquired(ledger)
    pass_time(LEASE_S)

    with pytest.raises(LeaseLost) as caught:
        write(ledger, lease)

    assert str(caught.value) == (
        f"the lease 1 on activity {ENTRY.activity_id} of athlete 42 ran out or was taken over:"
        " stop, the work is done by another run or queued again"
    )
    entry = stored(ledger)
    assert entry is not None
    assert (entry.state, entry.object_keys) == (ActivityState.PENDING, ())


@pytest.mark.parametrize("write", WRITES)
def test_lease_that_was_taken_over_is_lost(
    ledger: ActivityLedger, pass_time: Callable[[float], None], write: Write
) -> None:
    slow = acquired(ledger)
    pass_time(LEASE_S)
    quick = acquired(ledger)

    with pytest.raises(LeaseLost):
        write(ledger, slow)

    entry = stored(ledger)
    assert entry is not None
    assert (entry.state, entry.object_keys, quick.fence) == (ActivityState.PENDING, (), slow.fence + 1)
    ledger.check(quick)


@pytest.mark.parametrize("write", WRITES)
def test_settled_lease_is_lost(ledger: ActivityLedger, write: Write) -> None:
    lease = acquired(ledger)
    ledger.settle(lease, replace(ENTRY, fingerprint="settled"))

    with pytest.raises(LeaseLost):
        write(ledger, lease)

    entry = stored(ledger)
    assert entry is not None
    assert entry.fingerprint == "settled"


def test_mark_of_a_crashed_workers_time_does_not_reach_the_next_holder(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)
    pass_time(LEASE_S)

    assert ledger.settle(acquired(ledger), ENTRY) is False


def test_entry_of_a_lease_taken_over_unsettled_is_doubtful_until_an_orderly_lease_settles_it(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    ledger.note(acquired(ledger), ["noted by one who stalls"])
    pass_time(LEASE_S)

    assert ledger.settle(acquired(ledger), ENTRY) is False
    doubtful = replace(
        ENTRY,
        fingerprint="",
        object_keys=("noted by one who stalls", *sorted(ENTRY.object_keys)),
        next_try_epoch_s=int(clock()) + LEASE_S,
    )
    assert stored(ledger) == doubtful

    pass_time(LEASE_S)
    assert list(ledger.due(clock())) == [doubtful]
    assert ledger.settle(acquired(ledger), ENTRY) is False
    assert stored(ledger) == ENTRY


def test_entry_stays_doubtful_while_its_holder_fetches_again(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    pass_time(LEASE_S)
    lease = acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)

    assert ledger.settle(lease, ENTRY) is True
    assert ledger.settle(acquired(ledger), ENTRY) is False
    assert [entry.fingerprint for entry in ledger.due(clock() + LEASE_S)] == [""]


def test_doubt_outlives_a_postponement(
    ledger: ActivityLedger, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    pass_time(LEASE_S)
    ledger.postpone(acquired(ledger), pending(ENTRY.activity_id, None))
    assert [entry.activity_id for entry in ledger.due(clock())] == [ENTRY.activity_id]

    ledger.settle(acquired(ledger), ENTRY)
    assert [entry.fingerprint for entry in ledger.due(clock() + LEASE_S)] == [""]
    ledger.settle(acquired(ledger), ENTRY)
    assert stored(ledger) == ENTRY


def test_mark_of_a_crashed_workers_time_stays_when_the_next_holder_fetches_nothing(
    ledger: ActivityLedger, pass_time: Callable[[float], None]
) -> None:
    acquired(ledger)
    ledger.acquire(42, ENTRY.activity_id)
    pass_time(LEASE_S)

    lease = ledger.acquire(42, ENTRY.activity_id, fresh=False)
    assert lease is not None
    assert ledger.settle(lease, ENTRY) is True
