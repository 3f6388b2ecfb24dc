"""A parent, a child, and what the ledgers hold of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.state.activities.ledger import ActivityLedger, ActivityState, LedgerEntry
from include.state.copies.ledger import Copy, CopyLedger, CopyState, external_id
from include.state.links import Links
from include.store.sqlite import SqliteStore
from include.strava.models import ActivityId, AthleteId
from local.testbed.manual_clock import ManualClock

ADA, REX, EVE = 134815, 22, 33
NewBrowser = Callable[[], Any]


@pytest.fixture
def ada(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


@pytest.fixture
def rex(new_browser: NewBrowser) -> Any:
    browser = new_browser()
    browser.connect(REX, "Rex", "read,activity:write")
    return browser


@pytest.fixture
def links(store: SqliteStore, clock: ManualClock) -> Links:
    return Links(store, clock)


@pytest.fixture
def copies(store: SqliteStore, clock: ManualClock) -> CopyLedger:
    return CopyLedger(store, clock)


@pytest.fixture
def record(store: SqliteStore, clock: ManualClock) -> Callable[..., None]:
    """Put an activity of Ada's into the ledger."""
    ledger = ActivityLedger(store, clock)

    def record(activity_id: int, state: ActivityState = ActivityState.SYNCED, **changes: Any) -> None:
        lease = ledger.acquire(ADA, activity_id)
        assert lease is not None
        entry = LedgerEntry(AthleteId(ADA), ActivityId(activity_id), state, "TrailRun", 1_759_000_000 + activity_id)
        assert not ledger.settle(lease, replace(entry, **changes))

    return record


@pytest.fixture
def copy() -> Callable[..., None]:
    """Bring a copy of the activity to Rex into a state."""

    def copy(copies: CopyLedger, activity_id: int, state: CopyState, **changes: Any) -> None:
        copies.plan(
            Copy(activity_id, REX, ADA, CopyState.PLANNED, external_id=external_id(activity_id, REX), matched="Rex")
        )
        held = copies.acquire(activity_id, REX)
        assert held is not None
        copies.settle(replace(held, state=state, **changes))

    return copy
