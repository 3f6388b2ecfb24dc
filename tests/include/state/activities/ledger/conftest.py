"""The ledger of activities on an empty store."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.state.activities.ledger import ActivityLedger
from include.store.store import Store


@pytest.fixture
def ledger(store: Store, clock: Clock) -> ActivityLedger:
    return ActivityLedger(store, clock)
