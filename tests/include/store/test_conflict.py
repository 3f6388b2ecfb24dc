"""A lost race for a row is run again where the operation commutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import pytest

from include.clock import Clock
from include.crypto.cipher import Cipher
from include.errors import LeaseLost, VersionConflict
from include.state.accounts.athletes import Athletes, AthleteStatus
from include.state.activities.ledger import ActivityLedger, ActivityState, LedgerEntry
from include.state.application.subscriptions import Subscriptions
from include.state.copies.ledger import Copy, CopyLedger, CopyState
from include.state.events import EventAudit
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Item, Key, Store
from include.strava.grant import TokenGrant
from include.strava.models import ActivityId, Athlete, AthleteId, Subscription


class Raced:
    """A store in which another writer is always a little faster, once for each row that exists."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.raced: set[Key] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: Key, fields: Mapping[str, Any], *, expected_version: int, **expiry: Any) -> int:
        item: Item | None = self._store.get(key)
        if item is not None and key not in self.raced:
            self.raced.add(key)
            self._store.put(key, item.fields, expected_version=item.version, expires_at_epoch_s=item.expires_at_epoch_s)
        return self._store.put(key, fields, expected_version=expected_version, **expiry)


@pytest.fixture
def raced(store: Store) -> Raced:
    return Raced(store)


@pytest.mark.parametrize("lost", [pytest.param(lost, id=f"{lost} races lost") for lost in (0, 1, 99)])
def test_call_succeeds_when_a_race_is_won_at_last(lost: int) -> None:
    decide = Mock(side_effect=[VersionConflict("read it again")] * lost + ["won"])

    assert retry_on_conflict(decide)() == "won"


def test_conflict_is_raised_when_races_are_lost_for_ever() -> None:
    with pytest.raises(VersionConflict):
        retry_on_conflict(Mock(side_effect=VersionConflict("read it again")))()


def test_other_errors_are_raised_at_once() -> None:
    decide = Mock(side_effect=LeaseLost("stop"))

    with pytest.raises(LeaseLost):
        retry_on_conflict(decide)()
    assert decide.call_count == 1


def test_athlete_is_marked_and_connected_when_the_row_changes_meanwhile(
    store: Store, raced: Raced, cipher: Cipher, clock: Clock
) -> None:
    grant = TokenGrant("ACCESS-SECRET", "REFRESH-SECRET", 1, Athlete(AthleteId(42), "Rex", ""))
    Athletes(store, cipher, clock).connect(grant, frozenset())
    athletes = Athletes(raced, cipher, clock)

    assert athletes.mark(42, AthleteStatus.REVOKED).version == 3
    raced.raced.clear()
    assert athletes.connect(grant, frozenset({"read"})).version == 5


def test_activity_is_leased_settled_and_postponed_when_the_row_changes_meanwhile(raced: Raced, clock: Clock) -> None:
    ledger = ActivityLedger(raced, clock)
    entry = LedgerEntry(AthleteId(42), ActivityId(1), ActivityState.SYNCED)
    for finish in (ledger.settle, ledger.postpone, ledger.settle):
        raced.raced.clear()
        lease = ledger.acquire(42, 1)
        raced.raced.clear()
        assert lease is not None
        finish(lease, entry)

    assert ledger.get(42, 1) == entry
    assert len(raced.raced) == 1


def test_copy_is_acquired_but_not_advanced_when_the_row_changes_meanwhile(
    store: Store, raced: Raced, clock: Clock
) -> None:
    CopyLedger(store, clock).plan(Copy(1, 2, 3, CopyState.PLANNED))
    copies = CopyLedger(raced, clock)
    copy = copies.acquire(1, 2)
    raced.raced.clear()
    assert copy is not None

    with pytest.raises(LeaseLost):
        copies.advance(copy.skipped("The link to this child is paused."))

    stored = copies.get(1, 2)
    assert stored is not None
    assert stored.state is CopyState.PLANNED


def test_event_and_subscription_are_stored_when_the_row_changes_meanwhile(
    store: Store, raced: Raced, clock: Clock
) -> None:
    audit = EventAudit(raced, clock)
    for outcome in ("queued", "run started"):
        audit.record("1.create.2", athlete_id=42, object_id=1, outcome=outcome)
    store.put(Key("subscriptions", "strava"), {"subscription_id": 6}, expected_version=ABSENT)
    Subscriptions(raced).save(Subscription(7, ""))

    event = audit.get("1.create.2")
    assert event is not None
    assert (event.outcome, len(raced.raced)) == ("run started", 2)
    assert Subscriptions(store).current() == Subscription(7, "")
