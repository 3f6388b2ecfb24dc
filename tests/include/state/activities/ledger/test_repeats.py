"""What the ledger knows already is not written again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from include.state.activities.ledger import ActivityLedger, DueWork, Lease
from include.store.store import Key, Store
from tests.include.state.activities.ledger.entries import ENTRY, acquired

ID = ENTRY.activity_id


def version(store: Store, activity_id: int = ID) -> int | None:
    item = store.get(Key("activities", "42", str(activity_id)))
    return item.version if item else None


@pytest.mark.parametrize(
    "said_again",
    [
        pytest.param(lambda ledger: ledger.make_due(42, ID, asked_at_epoch_s=5), id="the same event"),
        pytest.param(lambda ledger: ledger.make_due(42, ID, asked_at_epoch_s=4, due_at_epoch_s=2**40), id="an older"),
        pytest.param(lambda ledger: ledger.answered(42, ID, asked_at_epoch_s=4), id="an answer to an older"),
        pytest.param(lambda ledger: ledger.clear_copies_due(42, ID, 8), id="copies of another lease"),
        pytest.param(lambda ledger: ledger.answered(42, ID + 1, asked_at_epoch_s=4), id="of an unknown activity"),
        pytest.param(lambda ledger: ledger.put_off(42, ID + 1, 5), id="queued, but unknown"),
    ],
)
def test_request_that_changes_nothing_writes_nothing(
    ledger: ActivityLedger, store: Store, said_again: Callable[[ActivityLedger], None]
) -> None:
    ledger.settle(acquired(ledger), replace(ENTRY, copies_due=DueWork(9, 100)))
    ledger.make_due(42, ID, asked_at_epoch_s=5)
    before = version(store)

    said_again(ledger)

    assert (version(store), version(store, ID + 1)) == (before, None)


def test_holder_is_marked_once_however_often_others_ask(ledger: ActivityLedger, store: Store) -> None:
    lease = acquired(ledger)
    ledger.acquire(42, ID)
    marked = version(store)

    for _ in range(2):
        ledger.acquire(42, ID)
        ledger.make_due(42, ID, asked_at_epoch_s=5)

    assert version(store) == marked
    assert ledger.settle(lease, ENTRY) is True


@pytest.mark.parametrize(
    ("object_keys", "writes"),
    [
        pytest.param([], 0, id="none"),
        pytest.param(["a"], 0, id="a known one"),
        pytest.param(["a", "b"], 0, id="all known ones"),
        pytest.param(["c"], 1, id="a new one"),
        pytest.param(["a", "c"], 1, id="one of each"),
    ],
)
def test_object_keys_are_noted_when_one_is_new(
    ledger: ActivityLedger, store: Store, object_keys: list[str], writes: int
) -> None:
    ledger.settle(acquired(ledger), replace(ENTRY, object_keys=("a", "b")))
    lease: Lease = acquired(ledger)
    before = version(store)
    assert before is not None

    ledger.note(lease, object_keys)

    assert version(store) == before + writes
    entry = ledger.get(42, ID)
    assert entry is not None
    assert entry.object_keys == tuple(sorted({"a", "b", *object_keys}))
