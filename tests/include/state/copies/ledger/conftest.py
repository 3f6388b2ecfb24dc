"""The ledger of copies on an empty store."""

from __future__ import annotations

import pytest

from include.clock import Clock
from include.state.copies.ledger import CopyLedger
from include.store.store import Store


@pytest.fixture
def copies(store: Store, clock: Clock) -> CopyLedger:
    return CopyLedger(store, clock)
